"""Tokens for the API: each acts as its person, with at most its own role. Shown once; kept as a hash."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import QuerySet

from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.support.secret import hashed, new_token
from unrepeat.web.models import ApiToken, User

LONGEST_LIFE = 3650  # days


def add_token(person: User, name: str, *, role: str, days: int | None = None) -> tuple[ApiToken, str]:
    """Make a token for a person, good for `days` (None: until it is revoked). The second value is the token, to be shown once."""
    name = name.strip()
    if not name or len(name) > 120:
        raise Invalid("A token needs a name.", "It was empty or longer than 120 characters.", "Say what it is for.")
    if role not in User.Role.values:
        raise Invalid(
            f"There is no role “{role}”.", "It is not one of ours.", f"Use one of: {', '.join(User.Role.values)}."
        )
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        raise Invalid(
            "A token cannot live that long.", f"{days} days were asked for.", f"Give 1 to {LONGEST_LIFE} days."
        )
    if not person.is_active:
        raise Conflict(f"{person.username} is disabled.", "Their tokens would not work.", "Let them in again first.")
    secret, now = new_token(), clock.now()
    expires = now + timedelta(days=days) if days else None
    row = ApiToken.objects.create(
        user=person, name=name, hash=hashed(secret), role=role, made_at=now, expires_at=expires
    )
    return row, secret


def tokens(person: User | None = None) -> QuerySet[ApiToken]:
    """All tokens, or a person's, newest first; revoked ones too."""
    rows = ApiToken.objects.select_related("user").order_by("-id")
    return rows if person is None else rows.filter(user=person)


def revoke_token(number: int) -> ApiToken:
    """End a token at once; doing it twice changes nothing."""
    row = ApiToken.objects.select_related("user").filter(pk=number).first()
    if row is None:
        raise NotFound(f"There is no token {number}.")
    if row.revoked_at is None:
        row.revoked_at = clock.now()
        row.save(update_fields=["revoked_at"])
    return row
