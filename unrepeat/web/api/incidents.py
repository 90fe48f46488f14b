"""Incidents: the list, one with its state, its log, and opening one by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import Field

from unrepeat.incidents import commands, queries
from unrepeat.incidents.models import Incident
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api.fields import Items, Line, Moment, Name, Nth, Paging, Seq, Shape, Text
from unrepeat.web.api.generated import LoggedShape, logged_plain
from unrepeat.web.api.state import StateShape, state_plain

router = Router(tags=["incidents"])
StatusWord = Literal["open", "detected", "acknowledged", "mitigated", "resolved", "reopened", "merged"]
SeverityWord = Literal["critical", "major", "minor", "info"]


class IncidentRow(Schema):
    """An incident in a list."""

    number: int
    title: str
    status: str
    severity: str
    service: str
    services: list[str]
    lead: str
    guilty: list[str]
    is_open: bool
    open_alerts: int
    opened_at: datetime
    started_at: datetime | None
    detected_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    last_seq: int
    last_at: datetime


class IncidentFull(IncidentRow):
    """An incident with the state that its log gives."""

    state: StateShape


class Log(Schema):
    """A piece of an incident's log, oldest first; `last_seq` is where the whole log ends."""

    items: list[LoggedShape]
    last_seq: int


class Piece(Schema):
    """Which entries of a log."""

    after: Annotated[Seq, Field(description="Only entries behind this seq.")] = 0
    limit: Annotated[int, Field(ge=1, le=10_000, description="At most so many.")] = 1_000


class Opening(Shape):
    """What is known when an incident is opened by hand."""

    title: Annotated[Line, Field(min_length=1, description="A headline that a manager understands.")]
    severity: SeverityWord
    service: Annotated[Name, Field(description="The first service that suffers.")] = ""
    at: Annotated[Moment | None, Field(description="When it began to be handled, if not now.")] = None


class Redacting(Shape):
    """Why words must not be kept."""

    reason: Annotated[Text, Field(min_length=1)]


class Chosen(Paging):
    """Which incidents."""

    status: Annotated[StatusWord | None, Field(description="`open` stands for all that are not over.")] = None
    service: Annotated[Name, Field(description="One of the incident's services.")] = ""


def row_plain(row: Incident) -> dict[str, Any]:
    """A summary row as JSON has it."""
    return {name: getattr(row, name) for name in IncidentRow.model_fields if name != "number"} | {"number": row.pk}


@router.get("/incidents", response=Items[IncidentRow], summary="List incidents")
@needs(Role.READER)
def list_incidents(request: HttpRequest, chosen: Query[Chosen]) -> dict[str, Any]:  # noqa: ARG001
    """All incidents, newest first."""
    found = queries.incidents(
        status=chosen.status or "", service=chosen.service, page=chosen.page, size=chosen.per_page
    )
    rows = found.rows if chosen.page <= found.pages else []
    return {"items": [row_plain(row) for row in rows], "count": found.total}


@router.post("/incidents", response={201: IncidentFull}, summary="Open an incident by hand")
@needs(Role.READER, write=Role.RESPONDER)
def open_incident(request: HttpRequest, body: Opening) -> Status[dict[str, Any]]:
    """Open an incident that no alert has told of."""
    number = commands.open_incident(
        body.title, service=body.service, severity=body.severity, by=caller_of(request).name, at=body.at
    )
    return Status(201, full(number))


@router.get("/incidents/{number}", response=IncidentFull, summary="One incident")
@needs(Role.READER)
def get_incident(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """One incident, with the state that its log gives now."""
    return full(number)


@router.get("/incidents/{number}/log", response=Log, summary="An incident's log")
@needs(Role.READER)
def get_log(
    request: HttpRequest,  # noqa: ARG001
    number: Path[Nth],
    wanted: Query[Piece],
) -> dict[str, Any]:
    """The entries of the log in order. To go on, give the last seq you have as `after`; `/stream` tells new ones at once."""
    row = queries.incident(number)
    log = queries.log_of(number, wanted.after)
    return {"items": [logged_plain(logged) for logged in log[: wanted.limit]], "last_seq": row.last_seq}


@router.post("/incidents/{number}/log/{seq}/redact", response=Log, summary="Blank an entry's words")
@needs(Role.READER, write=Role.ADMIN)
def redact_entry(request: HttpRequest, number: Path[Nth], seq: Path[Seq], body: Redacting) -> dict[str, Any]:
    """Blank the words of an entry for ever (a secret, personal data); who did it and why stays."""
    log = commands.redact(number, seq, by=caller_of(request).name, reason=body.reason)
    return {"items": [logged_plain(logged) for logged in log], "last_seq": queries.incident(number).last_seq}


def full(number: int) -> dict[str, Any]:
    """An incident with its state, as JSON has it."""
    return row_plain(queries.incident(number)) | {"state": state_plain(queries.state_of(number))}
