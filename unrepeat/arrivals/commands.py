"""What people do about arrivals: sources with their tokens and secrets, and deliveries that are to be read again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction

from unrepeat.arrivals import blank_store, queries, source_store, store
from unrepeat.arrivals.kind import source_kind
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.support.secret import new_token

MOST_BYTES = 2**31 - 1  # that the column holds
NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")


def add_source(
    name: str,
    kind: str,
    *,
    secret: str | None = None,
    options: Mapping[str, Any] | None = None,
    max_bytes: int | None = None,
) -> str:
    """Make a source; returns its token, which is shown once and kept nowhere. The address is /in/NAME/TOKEN."""
    if not NAME.fullmatch(name):
        raise Invalid(
            f"“{name}” cannot be a source's name.",
            "It is part of an address: small letters, digits, - and _, at most 60, not at the ends.",
            "Choose a name like shop-alerts.",
        )
    source_kind(kind)
    token, now = new_token(), clock.now()
    with transaction.atomic():
        source = source_store.make(name, kind, dict(options or {}), max_bytes, now)
        source_store.add_token(source, token, now)
        if secret is not None:
            source_store.add_secret(source, _secret(kind, secret), now)
    return token


def rotate(name: str, overlap: timedelta) -> str:
    """A new token for a source, returned once; the ones before it go on working for `overlap`."""
    if overlap < timedelta(0):
        raise Invalid("The overlap is negative.", "The old token cannot end in the past.", "Give 0 or more hours.")
    token, now = new_token(), clock.now()
    with transaction.atomic():
        source = source_store.hold(name)
        source_store.end_tokens(source, now + overlap)
        source_store.add_token(source, token, now)
    return token


def revoke(name: str) -> int:
    """End all tokens of a source at once; returns how many those were. What it has sent stays."""
    with transaction.atomic():
        return source_store.revoke_tokens(source_store.hold(name), clock.now())


def set_secret(name: str, secret: str, *, overlap: timedelta = timedelta(0)) -> None:
    """Set the signing secret of a source: from now on its bodies must be signed. The former secret stays good for `overlap`."""
    now = clock.now()
    with transaction.atomic():
        source = source_store.hold(name)
        secret = _secret(source.kind, secret)
        source_store.end_secrets(source, now + overlap)
        source_store.add_secret(source, secret, now)


def remove_secret(name: str) -> int:
    """Take unsigned bodies again from a source; its token still guards it. Returns how many secrets it had."""
    with transaction.atomic():
        return source_store.revoke_secrets(source_store.hold(name), clock.now())


def set_options(name: str, options: Mapping[str, Any]) -> None:
    """Change options of a source's kind, for example the name of a signature header; an empty value takes one away."""
    with transaction.atomic():
        source = source_store.hold(name)
        merged = {**source.options, **options}
        source_store.configure(source, options={key: value for key, value in merged.items() if value != ""})


def set_limit(name: str, most: int) -> None:
    """How long a body of a source may be, in bytes; 0: as long as its kind allows."""
    if not 0 <= most <= MOST_BYTES:
        raise Invalid(f"{most} bytes cannot be the limit.", f"It must lie within 0 and {MOST_BYTES}.", "Give another.")
    with transaction.atomic():
        source_store.configure(source_store.hold(name), max_bytes=most or None)


def reread(deliveries: Sequence[int] | None = None) -> int:
    """Let unreadable deliveries (these, or all) be read again by the worker; returns how many those are."""
    with transaction.atomic():
        return store.mark_waiting(deliveries)


def blank(delivery: int, *, by: str, reason: str) -> None:
    """Take a secret or personal data out for good: a delivery's body and headers, and the words of what it brought."""
    queries.delivery(delivery)
    with transaction.atomic():
        if not blank_store.blank(delivery, f"Blanked by {by}: {reason}"):
            raise Conflict(
                f"Delivery {delivery} has not been read yet.", "What it says would be lost.", "Try again in a moment."
            )


def _secret(kind: str, secret: str) -> str:
    if not source_kind(kind).SIGNED:
        raise Invalid(
            f"A source of kind {kind} cannot have a secret.", "Its sender signs nothing.", "Leave the secret away."
        )
    if len(secret) < 8:
        raise Invalid("The secret is too short.", "It has less than 8 characters.", "Use a long random one.")
    return secret
