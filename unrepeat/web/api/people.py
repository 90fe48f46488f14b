"""People and their API tokens; for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field, StringConstraints

from unrepeat.support.problems import NotFound
from unrepeat.web import people, tokens
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api.fields import Items, Name, Nth, Paging, Shape
from unrepeat.web.models import ApiToken, User

router = Router(tags=["people"])
RoleWord = Literal["reader", "responder", "admin"]
UserName = Annotated[str, StringConstraints(min_length=1, max_length=150)]


class PersonShape(Schema):
    """A person, and what they may do."""

    name: str
    email: str
    role: RoleWord
    active: bool = Field(description="Whether they may sign in.")


class PersonAdded(PersonShape):
    """A new person, with the link by which they pick a password: it works once, for three days."""

    link: str


class PersonNew(Shape):
    """Whom to add."""

    name: UserName
    email: Annotated[str, StringConstraints(max_length=254)] = ""
    role: RoleWord = "reader"


class PersonChange(Shape):
    """What is to be different; what is left out stays."""

    role: RoleWord | None = None
    active: bool | None = None


class TokenShape(Schema):
    """A token, without its secret. It works until `expires_at` or until it is revoked."""

    number: int
    person: str
    name: str
    role: RoleWord
    made_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenShape):
    """A new token. `token` is shown only now."""

    token: str


class TokenNew(Shape):
    """What the token is for."""

    person: UserName
    name: Annotated[Name, Field(min_length=1, description="What it is for.")]
    role: Annotated[RoleWord, Field(description="The most it may do.")] = "reader"
    days: Annotated[
        int | None,
        Field(ge=1, le=tokens.LONGEST_LIFE, strict=True, description="How long it is good; null: until revoked."),
    ] = None


class Me(Schema):
    """Who asks, and what they may do."""

    name: str
    role: RoleWord | None


@router.get("/me", response=Me, summary="Who asks")
@needs(Role.READER)
def get_me(request: HttpRequest) -> dict[str, Any]:
    """The person of the session or the token."""
    caller = caller_of(request)
    return {"name": caller.name, "role": caller.role.word if caller.role else None}


@router.get("/people", response=Items[PersonShape], summary="List people")
@needs(Role.ADMIN)
def list_people(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """All people, by name."""
    rows = User.objects.order_by("username")
    chosen = rows[paging.start : paging.start + paging.per_page]
    return {"items": [_person(row) for row in chosen], "count": rows.count()}


@router.post("/people", response={201: PersonAdded}, summary="Add a person")
@needs(Role.ADMIN)
def add_person(request: HttpRequest, body: PersonNew) -> Status[dict[str, Any]]:  # noqa: ARG001
    """Add a person, and get the link by which they pick a password."""
    person, link = people.add_person(body.name, body.email, body.role)
    return Status(201, _person(person) | {"link": link})


@router.patch("/people/{name}", response=PersonShape, summary="Change a person")
@needs(Role.ADMIN)
def change_person(request: HttpRequest, name: Path[UserName], body: PersonChange) -> dict[str, Any]:  # noqa: ARG001
    """Give a person another role, or let them in or out. The last administrator stays one."""
    return _person(people.change_person(_found(name).pk, role=body.role, active=body.active))


@router.get("/tokens", response=Items[TokenShape], summary="List tokens")
@needs(Role.ADMIN)
def list_tokens(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """All tokens, newest first; revoked ones too. Their secrets are not kept."""
    rows = tokens.tokens()
    chosen = rows[paging.start : paging.start + paging.per_page]
    return {"items": [_token(row) for row in chosen], "count": rows.count()}


@router.post("/tokens", response={201: TokenMade}, summary="Make a token")
@needs(Role.ADMIN)
def add_token(request: HttpRequest, body: TokenNew) -> Status[dict[str, Any]]:  # noqa: ARG001
    """Make a token that acts as a person, with at most its role and theirs."""
    row, secret = tokens.add_token(_found(body.person), body.name, role=body.role, days=body.days)
    return Status(201, _token(row) | {"token": secret})


@router.post("/tokens/{number}/revoke", response=TokenShape, summary="Revoke a token")
@needs(Role.ADMIN)
def revoke_token(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """End a token at once."""
    return _token(tokens.revoke_token(number))


def _found(name: str) -> User:
    person = User.objects.filter(username=name).first()
    if person is None:
        raise NotFound("There is nobody of that name.")
    return person


def _person(row: User) -> dict[str, Any]:
    return {"name": row.username, "email": row.email, "role": row.role, "active": row.is_active}


def _token(row: ApiToken) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in TokenShape.model_fields if name not in ("number", "person")}
    return own | {"number": row.pk, "person": row.user.username}
