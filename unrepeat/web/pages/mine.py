"""Whose measures are mine: those that name me, and those that name a team of mine."""

from __future__ import annotations

from dataclasses import dataclass

from unrepeat.web.access import Caller


@dataclass(frozen=True, slots=True)
class Names:
    """The names under which the caller owns measures: the own one, those of the own teams, and the teams' services."""

    own: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()


def names_of(caller: Caller) -> Names:
    """The caller's names; nobody has none."""
    if caller.person is None:
        return Names()
    teams = list(caller.person.teams.prefetch_related("services"))
    services = {service.name for team in teams for service in team.services.all()}
    called = {name for team in teams for name in (team.name, team.title) if name}
    return Names(frozenset({caller.name}), frozenset(called), frozenset(services))
