"""What others may ask of the duty room: the catalogue."""

from __future__ import annotations

from unrepeat.duty import store
from unrepeat.duty.models import Service, Team
from unrepeat.support.problems import NotFound


def services() -> list[Service]:
    """All services by name."""
    return store.services()


def service(name: str) -> Service:
    """One service; NotFound."""
    found = store.service(name)
    if found is None:
        raise NotFound(f"There is no service “{name}”.", "The catalogue does not know it.")
    return found


def teams() -> list[Team]:
    """All teams by name."""
    return store.teams()


def team_of(name: str) -> Team | None:
    """The team that owns a service; None when nobody does, or when the service is not in the catalogue."""
    found = store.service(name)
    return found.team if found else None


def address_of(name: str) -> str:
    """Where somebody is reached who is named as an owner: a person, a team (by name or title), or an address as written.

    Empty when nobody knows.
    """
    name = name.strip()
    if "@" in name:
        return name
    if not name:
        return ""
    team = store.team_called(name)
    return store.contact(name) or (team.email if team else "")


def neighbours(name: str) -> set[str]:
    """What the service depends on and what depends on it, one step away; empty when the catalogue does not know it."""
    return graph().get(name, set())


def graph() -> dict[str, set[str]]:
    """Every service's neighbours, by name."""
    near: dict[str, set[str]] = {}
    for one, other in store.edges():
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    return near
