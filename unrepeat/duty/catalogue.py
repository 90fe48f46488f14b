"""The catalogue as people write it in TOML, checked. Pure.

[teams.NAME] title, email; [services.NAME] title, team, depends_on, repository, labels.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from unrepeat.support.problems import Invalid

NAME = 120  # characters of a name


class TeamText(msgspec.Struct, forbid_unknown_fields=True):
    """A team as the file tells it."""

    title: str = ""
    email: str = ""


class ServiceText(msgspec.Struct, forbid_unknown_fields=True):
    """A service as the file tells it."""

    title: str = ""
    team: str = ""
    depends_on: list[str] = []
    repository: str = ""
    labels: dict[str, str] = {}


class _File(msgspec.Struct, forbid_unknown_fields=True):
    teams: dict[str, TeamText] = {}
    services: dict[str, ServiceText] = {}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the file says."""

    teams: dict[str, TeamText]
    services: dict[str, ServiceText]


def read(toml_text: str) -> Catalogue:
    """The catalogue that a file says; Invalid names the place where it does not say one."""
    try:
        written: dict[str, Any] = tomllib.loads(toml_text)
        file = msgspec.convert(written, _File)
    except tomllib.TOMLDecodeError as error:
        raise Invalid("The catalogue is not TOML.", f"{error}.", "Mend the file at that place.") from error
    except msgspec.ValidationError as error:
        raise Invalid(
            "The catalogue has a field that does not fit.",
            f"{error}.",
            "Teams have title and email; services have title, team, depends_on, repository and labels.",
        ) from error
    for name in (*file.teams, *file.services):
        _name(name)
    for name, service in file.services.items():
        if name in service.depends_on:
            raise Invalid(f"Service {name} depends on itself.", "That says nothing.", "Take it out of depends_on.")
    return Catalogue(file.teams, file.services)


def check(catalogue: Catalogue, known_teams: set[str], known_services: set[str]) -> None:
    """Invalid when the file names a team or service that neither it nor the catalogue has."""
    teams, services = known_teams | set(catalogue.teams), known_services | set(catalogue.services)
    for name, service in catalogue.services.items():
        if service.team and service.team not in teams:
            raise Invalid(
                f"Service {name} belongs to the team “{service.team}”, which is not there.",
                "Neither the file nor the catalogue has a team by that name.",
                f"Add [teams.{service.team}] to the file.",
            )
        for needed in service.depends_on:
            if needed not in services:
                raise Invalid(
                    f"Service {name} depends on “{needed}”, which is not there.",
                    "Neither the file nor the catalogue has a service by that name.",
                    f"Add [services.{needed}] to the file.",
                )


def _name(name: str) -> None:
    if not name.strip() or len(name) > NAME or name != name.strip():
        raise Invalid(
            f"“{name[:40]}” cannot be a name.",
            f"Names have 1 to {NAME} characters and no space round them.",
            "Choose the name that alerts and changes use.",
        )
