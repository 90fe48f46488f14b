"""The people who use Unrepeat: administrators add them, and each picks a password by a link that works once."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from unrepeat.duty import queries as duty
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.web.models import User


def add_person(name: str, email: str, role: str) -> tuple[User, str]:
    """Add a person without a password; the link lets them pick one. It works once, and for three days."""
    person = User(username=name.strip(), email=email.strip(), role=role)
    person.set_unusable_password()
    _checked(person)
    person.save()
    return person, join_link(person)


def join_link(person: User) -> str:
    """A link by which a person picks a (new) password: it works once, for three days, and dies when they sign in."""
    name = urlsafe_base64_encode(str(person.pk).encode())
    return f"{config().base_url.rstrip('/')}/join/{name}/{default_token_generator.make_token(person)}"


def person_of_link(name: str, token: str) -> User:
    """The person of a good link; NotFound otherwise."""
    try:
        person = User.objects.filter(pk=int(urlsafe_base64_decode(name).decode()), is_active=True).first()
    except (ValueError, UnicodeDecodeError):
        person = None
    if person is None or not default_token_generator.check_token(person, token):
        raise NotFound(
            "This link is used up.",
            "It was used already, or three days have passed.",
            "Ask an administrator for a new one.",
        )
    return person


def pick_password(person: User, password: str) -> None:
    """Set a person's password; Invalid when it is too weak, with the reason."""
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise Invalid("This password cannot be taken.", " ".join(error.messages), "Choose another one.") from error
    person.set_password(password)
    person.save(update_fields=["password"])


def change_person(pk: int, *, role: str | None = None, active: bool | None = None) -> User:
    """Give a person another role, or let them in or out. The last administrator can neither leave nor lose the role."""
    with transaction.atomic():
        admins = User.objects.select_for_update().filter(role=User.Role.ADMIN).order_by("pk")
        list(
            admins.values_list("pk")
        )  # held, so that two administrators who take the role from each other do it one by one
        person = User.objects.select_for_update().filter(pk=pk).first()
        if person is None:
            raise NotFound("There is no such person.")
        if role is not None:
            person.role = role
        if active is not None:
            person.is_active = active
        _checked(person)
        person.save(update_fields=["role", "is_active"])
        if not User.objects.filter(role=User.Role.ADMIN, is_active=True).exists():
            raise Conflict(
                "This would leave nobody to run the server.",
                f"{person.username} is the last administrator.",
                "Make somebody else an administrator first.",
            )
    return person


def put_in_teams(pk: int, names: Iterable[str]) -> User:
    """Say which teams a person is in, by the teams' names; what others are called is left out."""
    person = User.objects.filter(pk=pk).first()
    if person is None:
        raise NotFound("There is no such person.")
    person.teams.set([team for team in duty.teams() if team.name in set(names)])
    return person


def _checked(person: User) -> None:
    try:
        person.clean_fields(exclude=["password"])
        person.validate_unique()
    except ValidationError as error:
        raise Invalid(
            "This person cannot be kept.", " ".join(error.messages), "Correct the field and try again."
        ) from error
