"""`unrepeat user`: the people who may use this server, and their API tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from unrepeat.support.problems import NotFound
from unrepeat.terminal._console import console, records

if TYPE_CHECKING:
    from unrepeat.web.models import ApiToken, User

app = App(name="user", help="Add people, give them roles, and make API tokens.")
token = App(name="token", help="API tokens: each acts as its person, with at most its own role.")
app.command(token)

RoleWord = Literal["reader", "responder", "admin"]
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]


@app.command
def add(
    name: str,
    *,
    role: Annotated[RoleWord, Parameter(help="Readers read, responders act, admins also configure.")] = "reader",
    email: Annotated[str, Parameter(help="Address, by which they may also sign in.")] = "",
    token: Annotated[bool, Parameter(negative="", help="Also make an API token and print it, once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add the person NAME; prints a link by which they pick a password: it works once, for three days."""
    from unrepeat.web.people import add_person
    from unrepeat.web.tokens import add_token

    person, link = add_person(name, email, role)
    made: dict[str, Any] = {"name": person.username, "role": person.role, "email": person.email, "link": link}
    if token:
        made["token"] = add_token(person, "made with the account", role=role)[1]
    if as_json:
        _print_json(made)
        return
    print(f"Added {person.username} as {person.role}.")
    print(f"To pick a password (works once, for three days): {link}")
    if token:
        print(f"API token (shown only now): {made['token']}")


@app.command(name="list")
def list_people(*, as_json: AsJson = False) -> None:
    """List the people and their roles."""
    from unrepeat.web.models import User

    people = User.objects.order_by("username")
    if as_json:
        _print_json([_person(one) for one in people])
        return
    table = records("name", "role", "e-mail", "may sign in", "last signed in (UTC)", wraps=("name", "e-mail"))
    for one in people:
        last = f"{one.last_login:%Y-%m-%d %H:%M}" if one.last_login else "never"
        table.add_row(one.username, one.role, one.email, "yes" if one.is_active else "no", last)
    console().print(table)


@app.command(name="role")
def give_role(name: str, role: RoleWord) -> None:
    """Give the person NAME the role ROLE."""
    from unrepeat.web.people import change_person

    person = change_person(_find(name).pk, role=role)
    print(f"{person.username} is {person.role} now.")


@app.command
def disable(name: str) -> None:
    """Keep the person NAME out, and their tokens with them. What they did stays in the logs."""
    from unrepeat.web.people import change_person

    print(f"{change_person(_find(name).pk, active=False).username} is kept out now.")


@app.command
def enable(name: str) -> None:
    """Let the person NAME in again."""
    from unrepeat.web.people import change_person

    print(f"{change_person(_find(name).pk, active=True).username} may sign in again.")


@app.command
def link(name: str) -> None:
    """Print a fresh link by which the person NAME picks a new password."""
    from unrepeat.web.people import join_link

    print(join_link(_find(name)))


@token.command(name="add")
def add_token_for(
    name: str,
    *,
    called: Annotated[str, Parameter(name="--for", help="What the token is for.")] = "made in the terminal",
    role: Annotated[RoleWord | None, Parameter(help="The most it may do; default: the person's own role.")] = None,
    days: Annotated[int | None, Parameter(help="How long it is good; default: until it is revoked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token that acts as the person NAME; printed once."""
    from unrepeat.web.tokens import add_token

    person = _find(name)
    row, secret = add_token(person, called, role=role or person.role, days=days)
    if as_json:
        _print_json(_token(row) | {"token": secret})
        return
    print(f"Token {row.pk} of {person.username}, {row.role} (shown only now): {secret}")


@token.command(name="list")
def list_tokens(name: str | None = None, *, as_json: AsJson = False) -> None:
    """List all tokens, or those of the person NAME."""
    from unrepeat.web.tokens import tokens

    rows = tokens(_find(name) if name else None)
    if as_json:
        _print_json([_token(one) for one in rows])
        return
    table = records("nr", "person", "for", "role", "made (UTC)", "ends (UTC)", "revoked (UTC)", wraps=("person", "for"))
    for one in rows:
        moments = [f"{at:%Y-%m-%d %H:%M}" if at else "–" for at in (one.made_at, one.expires_at, one.revoked_at)]
        table.add_row(str(one.pk), one.user.username, one.name, one.role, *moments)
    console().print(table)


@token.command
def revoke(number: int) -> None:
    """End the token NUMBER at once."""
    from unrepeat.web.tokens import revoke_token

    row = revoke_token(number)
    print(f"Token {row.pk} of {row.user.username} works no more.")


def _find(name: str) -> User:
    from unrepeat.web.models import User

    person = User.objects.filter(username=name).first()
    if person is None:
        raise NotFound(f"There is nobody called {name}.", remedy="`unrepeat user list` shows the people there are.")
    return person


def _person(one: User) -> dict[str, Any]:
    return {"name": one.username, "role": one.role, "email": one.email, "active": one.is_active}


def _token(one: ApiToken) -> dict[str, Any]:
    return {
        "number": one.pk,
        "person": one.user.username,
        "for": one.name,
        "role": one.role,
        "made_at": one.made_at.isoformat(),
        "expires_at": one.expires_at.isoformat() if one.expires_at else None,
        "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
    }


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False))
