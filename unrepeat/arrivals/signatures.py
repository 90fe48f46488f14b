"""How senders prove who they are, compared in constant time over the raw bytes. Every function tries each secret that is good now."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence


def digest(value: bytes | str) -> bytes:
    """32 bytes that stand for a delivery's own id, or for its body."""
    return hashlib.blake2b(octets(value) if isinstance(value, str) else value, digest_size=32).digest()


def octets(header: str) -> bytes:
    """A header's bytes; never an error, whatever somebody wrote into it."""
    return header.encode(errors="replace")


def hex_signature(signed: bytes, given: str, secrets: Sequence[str]) -> bool:
    """Whether `given` is the HMAC-SHA256 of `signed`, in hex."""
    return any(_same(_hmac(secret.encode(), signed).hex(), given.strip().lower()) for secret in secrets)


def same_secret(given: str, secrets: Sequence[str]) -> bool:
    """Whether the sender gave one of the secrets itself."""
    return any(_same(secret, given) for secret in secrets)


def bearer(headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether `Authorization: Bearer …` holds one of the secrets."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and same_secret(given.strip(), secrets)


def standard_webhook(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether `webhook-signature` is good after the Standard Webhooks rules (HMAC-SHA256 over "id.timestamp.body").

    The time in it is signed but not judged: a body that is played again has the same id, and is stored once.
    """
    signed = b".".join([octets(headers.get(name, "")) for name in ("webhook-id", "webhook-timestamp")] + [raw])
    given = [mark[3:] for mark in headers.get("webhook-signature", "").split() if mark.startswith("v1,")][:8]
    expected = [base64.b64encode(_hmac(key, signed)).decode() for secret in secrets for key in _keys(secret)]
    return any(_same(one, other) for one in given for other in expected)


def ours(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Our own senders' three ways: `X-Unrepeat-Signature: sha256=…` over the body, Standard Webhooks, or the secret as a bearer token."""
    given = headers.get("x-unrepeat-signature", "")
    if given:
        return hex_signature(raw, given.removeprefix("sha256="), secrets)
    if "webhook-signature" in headers:
        return standard_webhook(raw, headers, secrets)
    return bearer(headers, secrets)


def _keys(secret: str) -> list[bytes]:
    """A secret as written (`whsec_` and base64), or as plain text when it is not."""
    encoded = secret.removeprefix("whsec_")
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return [secret.encode()]
    return [decoded] if encoded != secret else [secret.encode(), decoded]


def _hmac(key: bytes, signed: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(octets(one), octets(other))
