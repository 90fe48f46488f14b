"""The catalogue: services and teams."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field, StringConstraints

from unrepeat.duty import commands, queries
from unrepeat.duty.models import Service, Team
from unrepeat.web.access import Role, needs
from unrepeat.web.api.fields import Items, Name, Shape

router = Router(tags=["catalogue"])
Toml = Annotated[str, StringConstraints(min_length=1, max_length=100_000)]


class ServiceShape(Schema):
    """Something that runs. `depends_on` and `neighbours` are names of services."""

    name: str
    title: str
    team: str | None
    repository: str
    labels: dict[str, str] = Field(description="The label values that its series carry in Prometheus.")
    depends_on: list[str]
    neighbours: list[str]
    known_since: datetime


class TeamShape(Schema):
    """People who own services together."""

    name: str
    title: str
    email: str
    services: list[str]


class Catalogue(Shape):
    """Teams, services and dependencies, as `docs/how-to` describes the file."""

    toml: Toml


class LoadedShape(Schema):
    """What a load did. `elsewhere`: services that were there and that the text does not mention; they stay."""

    teams_new: int
    teams_known: int
    services_new: int
    services_known: int
    dependencies: int
    elsewhere: list[str]


@router.get("/services", response=Items[ServiceShape], summary="List services")
@needs(Role.READER)
def list_services(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """All services, by name."""
    near = queries.graph()
    rows = [_service(row, near.get(row.name, set())) for row in queries.services()]
    return {"items": rows, "count": len(rows)}


@router.get("/services/{name}", response=ServiceShape, summary="One service")
@needs(Role.READER)
def get_service(request: HttpRequest, name: Path[Name]) -> dict[str, Any]:  # noqa: ARG001
    """One service, with what it depends on and what depends on it."""
    return _service(queries.service(name), queries.neighbours(name))


@router.get("/teams", response=Items[TeamShape], summary="List teams")
@needs(Role.READER)
def list_teams(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """All teams, by name."""
    rows = [_team(row) for row in queries.teams()]
    return {"items": rows, "count": len(rows)}


@router.post("/catalogue", response=LoadedShape, summary="Load the catalogue")
@needs(Role.READER, write=Role.ADMIN)
def load_catalogue(request: HttpRequest, body: Catalogue) -> dict[str, Any]:  # noqa: ARG001
    """Take teams, services and dependencies over from TOML. The same text twice changes nothing."""
    loaded = commands.load_catalogue(body.toml)
    return {name: getattr(loaded, name) for name in LoadedShape.model_fields}


def _service(row: Service, neighbours: set[str]) -> dict[str, Any]:
    return {
        "name": row.name,
        "title": row.title,
        "team": row.team.name if row.team else None,
        "repository": row.repository,
        "labels": row.labels,
        "depends_on": sorted(edge.needs.name for edge in row.dependencies.all()),
        "neighbours": sorted(neighbours),
        "known_since": row.known_since,
    }


def _team(row: Team) -> dict[str, Any]:
    names = sorted(service.name for service in row.services.all())
    return {"name": row.name, "title": row.title, "email": row.email, "services": names}
