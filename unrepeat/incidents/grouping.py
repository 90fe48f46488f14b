"""Which incident an alert belongs to. Pure: what is near comes in, a choice goes out.

The rules, tried in this order:

| rule           | when                                                                        | then                    |
|----------------|-----------------------------------------------------------------------------|-------------------------|
| same_service   | an open incident of the alert's service is alive                            | joins it                |
| neighbour      | an open incident of a service one step away in the dependency graph is alive | joins it, unless `info` |
| looking_back   | it had ended when we learned of it, and lies within a past incident of its service | is added there  |
| came_back      | an incident of the alert's service resolved by itself, within the window    | reopens it, unless `info` |
| nothing_near   | none of these                                                               | opens one, unless `info` |

Before them all: an occurrence that has an incident stays with it. An incident is alive while one of its alerts fires, and
for the window after its last sign of life (an alert, or what people did). An alert that names no service goes by its own
name in place of a service. Of several incidents that fit, the one opened last is taken. `info` is recorded, and opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

RULES = ("same_service", "neighbour", "looking_back", "came_back", "nothing_near")


@dataclass(slots=True)
class Near:
    """An incident that an alert may belong to. `since`: its start; `last_sign`: its last sign of life; `firing`: how many alerts."""

    number: int
    opened_at: datetime
    since: datetime
    last_sign: datetime
    firing: int = 0
    services: set[str] = field(default_factory=set)
    nameless: set[str] = field(default_factory=set)  # names of its alerts that name no service
    is_open: bool = True
    resolved_at: datetime | None = None
    by_itself: bool = False  # it resolved by itself


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert to be grouped."""

    service: str
    name: str
    severity: str
    fired_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """The rule that decided, the incident (None: a new one, or none at all for `info`), and why, in a sentence for people."""

    rule: str
    incident: Near | None
    why: str


def choose(seen: Seen, near: Iterable[Near], graph: Mapping[str, set[str]], window: timedelta) -> Choice:
    """The incident that an alert joins, reopens, or has opened for it."""
    reach = sorted(
        (one for one in near if _alive(one, seen.fired_at, window)),
        key=lambda one: (one.opened_at, one.number),
        reverse=True,
    )
    for one in reach:
        if one.is_open and _same(seen, one):
            return Choice("same_service", one, _why_same(seen))
    loud = seen.severity != "info"
    around = graph.get(seen.service, set())
    for one in reach:
        if loud and one.is_open and (met := sorted(around & one.services)):
            return Choice("neighbour", one, f"{seen.service} is a neighbour of {met[0]}.")
    for one in reach:
        if one.resolved_at and seen.ended_at and seen.ended_at <= one.resolved_at and _same(seen, one):
            return Choice(
                "looking_back", one, f"It lies within this outage, and was learned of later. {_why_same(seen)}"
            )
    for one in reach:
        if loud and one.by_itself and not one.is_open and _same(seen, one):
            return Choice("came_back", one, f"It fired again soon after all was quiet. {_why_same(seen)}")
    return Choice("nothing_near", None, "Nothing else near was going on.")


def _alive(one: Near, at: datetime, window: timedelta) -> bool:
    return one.since - window <= at and (one.firing > 0 or at <= one.last_sign + window)


def _same(seen: Seen, one: Near) -> bool:
    return seen.service in one.services if seen.service else seen.name in one.nameless


def _why_same(seen: Seen) -> str:
    return f"The same service, {seen.service}." if seen.service else "The same alert; it names no service."
