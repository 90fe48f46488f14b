"""Trackers (for administrators), and the tickets of measures (for everybody who acts)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema, Status
from pydantic import Field, StringConstraints

from unrepeat.incidents import queries as incidents
from unrepeat.prevention.tickets import tracker_commands, tracker_queries
from unrepeat.prevention.tickets.tracking import tracker_kinds
from unrepeat.prevention.told_models import Ticket
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api.fields import Items, Line, Nth, Shape

router = Router(tags=["trackers"])
TrackerName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
Address = Annotated[str, StringConstraints(max_length=500)]


class TrackerKindShape(Schema):
    """A kind of tracker, and what to make there."""

    name: str
    title: str
    help: str
    follows: bool = Field(description="Whether it has tickets that are followed; else it is only told the news.")


class TrackerShape(Schema):
    """A tracker in service; its token is never shown."""

    name: str
    kind: str
    url: str
    project: str
    automatic: bool = Field(description="Whether each new measure gets a ticket by itself.")
    tickets: int
    troubled: int = Field(description="How many of its tickets could not be brought level.")
    polled_at: datetime | None = Field(description="When it was last asked for changes.")
    trouble: str = Field(description="What is wrong, why, and what to do; empty: nothing.")


class TrackerNew(Shape):
    """What is known of a new tracker."""

    name: Annotated[TrackerName, Field(description="Small letters, digits, - and _.")]
    kind: Annotated[TrackerName, Field(description="One of /tracker-kinds.")]
    token: Annotated[Token, Field(description="Of a webhook: the secret that signs.")]
    project: Annotated[Line, Field(description="The repository or project there: shop/sessions.")] = ""
    url: Annotated[Address, Field(description="Of its API, or of the webhook; empty: the public one.")] = ""
    automatic: bool = False


class TokenNew(Shape):
    """The token that takes the place of the one before."""

    token: Token


class Removed(Schema):
    """The tracker that is followed no more."""

    name: str


class TicketShape(Schema):
    """A measure in a tracker."""

    tracker: str
    measure: int
    number: str = Field(description="There; empty: it is being made, or the tracker is only told.")
    url: str
    state: Literal["open", "closed", ""] = Field(description="As last known of there.")
    seen_at: datetime | None
    trouble: str = Field(description="Why it is not level with its measure; empty: it is, or will be soon.")


class Making(Shape):
    """In which tracker."""

    tracker: TrackerName


class Linking(Shape):
    """The ticket's address in the browser."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=500)]


@router.get("/tracker-kinds", response=Items[TrackerKindShape], summary="List kinds of trackers")
@needs(Role.READER)
def list_tracker_kinds(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """The kinds of trackers that measures can have tickets in."""
    rows = [
        {"name": name, "title": kind.TITLE, "help": kind.HELP, "follows": kind.FOLLOWS}
        for name, kind in tracker_kinds().items()
    ]
    return {"items": rows, "count": len(rows)}


@router.get("/trackers", response=Items[TrackerShape], summary="List trackers")
@needs(Role.ADMIN)
def list_trackers(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """The trackers in service, by name."""
    rows = [asdict(row) for row in tracker_queries.trackers()]
    return {"items": rows, "count": len(rows)}


@router.post("/trackers", response={201: TrackerShape}, summary="Add a tracker")
@needs(Role.ADMIN)
def add_tracker(request: HttpRequest, body: TrackerNew) -> Status[dict[str, Any]]:
    """Add a tracker. Its token is kept sealed, and shown never."""
    tracker_commands.add(**body.model_dump(), by=caller_of(request).name)
    return Status(201, _tracker(body.name))


@router.put("/trackers/{name}/token", response=TrackerShape, summary="Give a tracker another token")
@needs(Role.ADMIN)
def set_tracker_token(request: HttpRequest, name: Path[TrackerName], body: TokenNew) -> dict[str, Any]:  # noqa: ARG001
    """Another token takes the place of the one before; what failed with that is tried again at once."""
    tracker_commands.set_token(name, body.token)
    return _tracker(name)


@router.delete("/trackers/{name}", response=Removed, summary="Follow a tracker no more")
@needs(Role.ADMIN)
def remove_tracker(request: HttpRequest, name: Path[TrackerName]) -> dict[str, Any]:  # noqa: ARG001
    """Follow a tracker no more; its tickets stay where they are, and in the logs."""
    tracker_commands.remove(name)
    return {"name": name}


@router.get("/incidents/{number}/tickets", response=Items[TicketShape], summary="List the tickets of an incident")
@needs(Role.READER)
def list_tickets(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """The tickets of an incident's measures, in trackers that are in service."""
    incidents.state_of(number)
    rows = [_ticket(row) for row in tracker_queries.tickets(number)]
    return {"items": rows, "count": len(rows)}


@router.post(
    "/incidents/{number}/measures/{measure}/ticket", response={202: TicketShape}, summary="Make a measure's ticket"
)
@needs(Role.READER, write=Role.RESPONDER)
def make_ticket(request: HttpRequest, number: Path[Nth], measure: Path[Nth], body: Making) -> Status[dict[str, Any]]:
    """Have a ticket made for a measure; the list has its number when the tracker has made it."""
    made = tracker_commands.make_ticket(number, measure, body.tracker, by=caller_of(request).name)
    return Status(202, _ticket(made))


@router.post(
    "/incidents/{number}/measures/{measure}/ticket/link", response=TicketShape, summary="Link a measure's ticket"
)
@needs(Role.READER, write=Role.RESPONDER)
def link_ticket(request: HttpRequest, number: Path[Nth], measure: Path[Nth], body: Linking) -> dict[str, Any]:
    """Let a measure follow the ticket at an address; the tracker is asked whether there is one."""
    made = tracker_commands.link_ticket(number, measure, body.url, by=caller_of(request).name)
    return next(_ticket(row) for row in tracker_queries.tickets(number) if row.pk == made.pk)


def _tracker(name: str) -> dict[str, Any]:
    return next(asdict(row) for row in tracker_queries.trackers() if row.name == name)


def _ticket(row: Ticket) -> dict[str, Any]:
    told = {key: getattr(row, key) for key in ("measure", "number", "url", "seen_at", "trouble")}
    return told | {"tracker": row.tracker.name, "state": row.seen}
