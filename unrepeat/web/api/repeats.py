"""Repeats: an incident beside a past failure, a repeat that a person names, the number, and related reports."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Router, Schema
from pydantic import Field

from unrepeat.incidents import queries as incidents
from unrepeat.incidents.state import Repeat
from unrepeat.postmortems import library
from unrepeat.prevention.repeats import comparing
from unrepeat.prevention.repeats import matching as repeats
from unrepeat.prevention.repeats.counted import repeat_number
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.api.fields import Items, Nth, Number, Shape, Text
from unrepeat.web.api.state import StateShape, state_plain

router = Router(tags=["repeats"])


class AspectShape(Schema):
    """One thing compared, in words."""

    what: str
    then: list[str]
    now: list[str]
    agrees: Literal["same", "other", "unknown"] = Field(description="`unknown`: one of the two has nothing to say yet.")


class GuardingShape(Schema):
    """A measure of then: its state now, and its guards as name and colour."""

    number: int
    text: str
    state: str
    owner: str
    guards: list[tuple[str, str]]


class PastShape(Schema):
    """A past failure."""

    postmortem: int
    incident: int
    headline: str
    began: str = Field(description="The day, YYYY-MM-DD, in its own zone.")
    ended_by: str = Field(description="What ended it; empty: nobody wrote it down.")
    measures_open: int = Field(description="Measures that do not stop it yet: open, failed, or done and not verified.")
    draft: bool = Field(description="Its report is not published.")


class ComparisonShape(Schema):
    """An incident beside a past failure."""

    incident: int
    title: str
    started_at: datetime | None
    past: PastShape
    past_started_at: datetime | None
    repeat: Repeat | None = Field(description="What the incident's log says of the likeness; null: nothing.")
    aspects: list[AspectShape]
    measures: list[GuardingShape]


class NumberShape(Schema):
    """How many outages of this year were repeats, and for how long there has been none."""

    this_year: int
    ever: int
    days: int | None = Field(description="Whole days since the last repeat began; null: there was none.")
    watched: int | None = Field(description="Whole days since the first incident.")
    incident: int | None = Field(description="The last repeat.")
    postmortem: int | None = Field(description="The report of the failure that came back then.")


class RelatedShape(Schema):
    """A published report about the same; `words`: what it shares, in its own words."""

    number: int
    incident: int
    headline: str
    service: str
    started_at: datetime | None
    words: list[str]


class Naming(Shape):
    """Which past report it is."""

    postmortem: Number
    reason: Annotated[Text, Field(description="How you know.")] = ""


class Named(Schema):
    """The state after it."""

    state: StateShape


@router.get("/repeats", response=NumberShape, summary="Repeats this year, and days since the last")
@needs(Role.READER)
def get_number(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001
    """The number on the front page. Only what a person has confirmed counts."""
    return asdict(repeat_number(clock.now(), config().time_zone))


@router.get("/incidents/{number}/repeats/{postmortem}", response=ComparisonShape, summary="Then and now, side by side")
@needs(Role.READER)
def get_comparison(request: HttpRequest, number: Path[Nth], postmortem: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """An incident beside a past failure, whether or not anybody has said that they are alike."""
    return asdict(comparing.compare(number, postmortem))


@router.post("/incidents/{number}/repeats", response=Named, summary="Name a repeat")
@needs(Role.READER, write=Role.RESPONDER)
def name_repeat(request: HttpRequest, number: Path[Nth], body: Naming) -> dict[str, Any]:
    """Say that this is the failure of a past report come back, also when nothing has named it. Confirm and reject are acts."""
    repeats.name_repeat(number, body.postmortem, by=caller_of(request).name, reason=body.reason)
    return {"state": state_plain(incidents.state_of(number))}


@router.get("/postmortems/{number}/related", response=Items[RelatedShape], summary="Related reports")
@needs(Role.READER)
def get_related(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """Published reports about the same, best first; few or none."""
    found = [asdict(one) for one in library.related(number)]
    return {"items": found, "count": len(found)}
