"""What people can do to the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from django.db import transaction

from unrepeat.duty import catalogue, store


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `elsewhere`: services that were there and that the file does not mention; they stay."""

    teams_new: int
    teams_known: int
    services_new: int
    services_known: int
    dependencies: int
    elsewhere: tuple[str, ...]


def load_catalogue(toml_text: str) -> Loaded:
    """Take teams, services and dependencies over from TOML; a second load of the same text changes nothing. Invalid.

    What the file does not mention stays as it is.
    """
    told = catalogue.read(toml_text)
    with transaction.atomic():
        known_teams, known_services = store.names()
        catalogue.check(told, known_teams, known_services)
        for name, team in told.teams.items():
            store.keep_team(name, {"title": team.title, "email": team.email})
        teams = {team.name: team for team in store.teams()}
        for name, service in told.services.items():
            store.keep_service(
                name,
                {
                    "title": service.title,
                    "team": teams.get(service.team),
                    "repository": service.repository,
                    "labels": service.labels,
                    "slow_over": service.slow_over,
                    "steps": [msgspec.to_builtins(step) for step in service.steps],
                },
            )
        needs = {name: list(dict.fromkeys(service.depends_on)) for name, service in told.services.items()}
        store.keep_needs(needs)
    return Loaded(
        teams_new=len(told.teams.keys() - known_teams),
        teams_known=len(told.teams.keys() & known_teams),
        services_new=len(told.services.keys() - known_services),
        services_known=len(told.services.keys() & known_services),
        dependencies=sum(map(len, needs.values())),
        elsewhere=tuple(sorted(known_services - told.services.keys())),
    )


def reach(name: str, email: str) -> None:
    """A person is reached at this address from now on; empty: nobody knows where."""
    store.keep_contact(name, email.strip())
