"""The catalogue as people write it in TOML, checked. Pure.

[teams.NAME] title, email; [services.NAME] title, team, depends_on, repository, labels, slow_over (seconds: its objective);
[[services.NAME.steps]] name, attempt, success, method: a business step of its users, by patterns of paths.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import Any

import msgspec

from unrepeat.support.problems import Invalid

NAME = 120  # characters of a name
TITLE = 200
REPOSITORY = 300
SLOWEST = 3600  # seconds
LABEL = 1000  # of a label's name and value together


class TeamText(msgspec.Struct, forbid_unknown_fields=True):
    """A team as the file tells it."""

    title: str = ""
    email: str = ""


class StepText(msgspec.Struct, forbid_unknown_fields=True):
    """A business step: a request to one of `attempt` tries it, an answer below 400 to one of `success` is it done (SQL LIKE patterns)."""

    name: str
    attempt: list[str]
    success: list[str]
    method: str = ""


class ServiceText(msgspec.Struct, forbid_unknown_fields=True):
    """A service as the file tells it."""

    title: str = ""
    team: str = ""
    depends_on: list[str] = []
    repository: str = ""
    labels: dict[str, str] = {}
    slow_over: float | None = None
    steps: list[StepText] = []


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
            "Teams have title and email; services have title, team, depends_on, repository, labels, slow_over and steps.",
        ) from error
    for name, team in file.teams.items():
        _name(name)
        _team(name, team)
    for name, service in file.services.items():
        _name(name)
        _short(f"The title of service {name}", service.title, TITLE)
        _short(f"The repository of service {name}", service.repository, REPOSITORY)
        for label, value in service.labels.items():
            _short(f"The label {label} of service {name}", f"{label}{value}", LABEL)
        _users(name, service)
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


def _team(name: str, team: TeamText) -> None:
    if not re.fullmatch(r"[-\w]+", name, re.ASCII):
        raise Invalid(
            f"“{name[:40]}” cannot be a team's name.",
            "Teams stand in addresses, so their names have letters, digits, - and _ only.",
            "Choose such a name, and put the words into title.",
        )
    _short(f"The title of team {name}", team.title, TITLE)
    if team.email and not re.fullmatch(r"[^@\s\x00]+@[^@\s\x00]+", team.email[:254]):
        raise Invalid(f"“{team.email[:60]}” is no e-mail address.", f"Team {name} has it.", "Mend it or leave it out.")


def _users(name: str, service: ServiceText) -> None:
    if service.slow_over is not None and not 0 < service.slow_over < SLOWEST:
        raise Invalid(
            f"The objective of service {name} makes no sense.",
            f"slow_over is {service.slow_over:g} seconds.",
            "Give the seconds over which a request is slow, for example 0.5.",
        )
    for step in service.steps:
        _short(f"A step of service {name}", f"{step.name}{step.method}{''.join(step.attempt + step.success)}", LABEL)
        if not (step.name and step.attempt and step.success):
            raise Invalid(
                f"A step of service {name} is not whole.",
                "A step has a name, paths that try it and paths whose success ends it.",
                'Write for example name = "checkout", attempt = ["/checkout"], success = ["/pay"].',
            )


def _short(what: str, value: str, limit: int) -> None:
    if len(value) > limit or "\x00" in value:
        raise Invalid(
            f"{what} is too long or holds NUL.", f"At most {limit} characters of text can be kept.", "Shorten it."
        )


def _name(name: str) -> None:
    if not name.strip() or len(name) > NAME or name != name.strip() or "\x00" in name:
        raise Invalid(
            f"“{name[:40]}” cannot be a name.",
            f"Names have 1 to {NAME} characters and no space round them.",
            "Choose the name that alerts and changes use.",
        )
