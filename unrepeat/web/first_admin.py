"""The first administrator comes by a one-time link, printed where only the one who runs the server can read it."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.support.secret import hashed, new_token
from unrepeat.web.models import FirstAdminLink, User

GOOD_FOR = timedelta(hours=24)


def admin_exists() -> bool:
    """Whether there is an active administrator."""
    return User.objects.filter(role=User.Role.ADMIN, is_active=True).exists()


def link_if_needed() -> str | None:
    """A fresh one-time link, good for a day, when there is no administrator; earlier links die. None when there is one."""
    if admin_exists():
        return None
    token, now = new_token(), clock.now()
    with transaction.atomic():
        FirstAdminLink.objects.filter(used_at=None).delete()
        FirstAdminLink.objects.create(hash=hashed(token), made_at=now, expires_at=now + GOOD_FOR)
    return f"{config().base_url.rstrip('/')}/first-admin/{token}"


def good_link(token: str) -> FirstAdminLink:
    """The link of a token, still unused and in time; NotFound otherwise, with what to do."""
    link = FirstAdminLink.objects.filter(hash=hashed(token), used_at=None, expires_at__gt=clock.now()).first()
    if link is None or admin_exists():
        raise NotFound(
            "This link is used up.",
            "It was used already, has run out after a day, or the server has an administrator by now.",
            "Restart `unrepeat serve`: while there is no administrator it prints a fresh link. Otherwise just sign in.",
        )
    return link


def make_first_admin(token: str, name: str, email: str, password: str) -> User:
    """Make the first administrator by a good link, which is used up by it."""
    link = good_link(token)
    person = User(username=name.strip(), email=email.strip(), role=User.Role.ADMIN)
    try:
        person.clean_fields(exclude=["password"])
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid("This cannot be taken.", " ".join(error.messages), "Choose another name or password.") from error
    person.set_password(password)
    with transaction.atomic():
        if not FirstAdminLink.objects.filter(pk=link.pk, used_at=None).update(used_at=clock.now()):
            raise Conflict("This link is used up.", "Somebody else used it just now.", "Sign in with that account.")
        person.save()
    return person
