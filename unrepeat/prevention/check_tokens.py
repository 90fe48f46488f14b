"""Tokens of runners: each may read one service's guards and report for them, and nothing else. Shown once; kept as a hash."""

from __future__ import annotations

from datetime import timedelta

from unrepeat.incidents import checks
from unrepeat.prevention import store
from unrepeat.prevention.models import CheckToken
from unrepeat.support import clock
from unrepeat.support.problems import Invalid, NotFound
from unrepeat.support.secret import hashed, new_token

LONGEST_LIFE = 3650  # days
BEGINS = "uct_"  # so that people and scanners of secrets know it


def add(
    service: str, *, by: str, name: str = "", declares: bool = False, days: int | None = None
) -> tuple[CheckToken, str]:
    """Make a token for a service's checks, good for `days` (None: until it is revoked). The second value is shown once.

    `declares`: it may also declare the guards of that service's repository; for the branch whose changes were reviewed.
    """
    service = checks.text("service", service, checks.NAME)
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        raise Invalid("A token cannot live that long.", f"{days} days were asked.", f"Give 1 to {LONGEST_LIFE} days.")
    secret, now = BEGINS + new_token(), clock.now()
    row = store.add_check_token(
        service=service,
        name=checks.optional("name", name, checks.NAME) or f"checks of {service}",
        hash=hashed(secret),
        declares=declares,
        made_by=by,
        made_at=now,
        expires_at=now + timedelta(days=days) if days else None,
    )
    return row, secret


def find(secret: str) -> CheckToken | None:
    """The token, when it is good now."""
    row = store.check_token_by_hash(hashed(secret)) if secret.startswith(BEGINS) else None
    if row is None or row.revoked_at or (row.expires_at and row.expires_at <= clock.now()):
        return None
    return row


def revoke(number: int) -> CheckToken:
    """End a token at once; doing it twice changes nothing."""
    row = store.check_token(number)
    if row is None:
        raise NotFound(f"There is no check token {number}.", remedy="`unrepeat check-token list` shows them.")
    if row.revoked_at is None:
        store.revoke_check_token(row, clock.now())
    return row
