"""Tokens are kept as hashes; secrets that must be used again are sealed with the server's key."""

from __future__ import annotations

import base64
import hashlib
import secrets
from functools import cache

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings

from unrepeat.support.problems import Problem


def new_token() -> str:
    """A fresh random token of 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)


def hashed(token: str) -> str:
    """SHA-256 of a token, in hex. Plain hashing is enough: our tokens are random, not chosen by people."""
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _sealer(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"unrepeat.seal:" + key.encode()).digest()))


def seal(secret: str) -> str:
    """Encrypt a secret for storage (Fernet, key derived from the secret key)."""
    return _sealer(settings.SECRET_KEY).encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """Read a sealed secret back; a Problem when the secret key has changed."""
    try:
        return _sealer(settings.SECRET_KEY).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise Problem(
            "A stored secret cannot be read.",
            "It was sealed with another secret key.",
            "Set UNREPEAT_SECRET_KEY to the key it was stored with, or store the secret anew.",
            status=500,
        ) from error
