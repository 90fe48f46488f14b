"""What pages, API and terminal may ask of all incidents' measures: counts, a board, a list. Read from the summary rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import OrderBy

from unrepeat.incidents.models import MeasureRow, MeasureTurn

PAGE = 50  # rows of a list
CARDS = 20  # measures in a column of the board; the list has the rest
COLUMNS = ("open", "done", "verified", "failed")
STATES = (*COLUMNS, "dropped")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which measures. `owners`: any of these names (None: whoever's); `services`: or of one of these services, when owners are asked."""

    owners: frozenset[str] | None = None
    services: frozenset[str] = frozenset()
    owner: str = ""
    service: str = ""
    state: str = ""  # one of STATES, `overdue`, or empty: all but the dropped ones


@dataclass(frozen=True, slots=True)
class MeasureList:
    """One page of a list."""

    rows: list[MeasureRow]
    page: int
    pages: int
    total: int

    def __iter__(self) -> Iterator[MeasureRow]:
        return iter(self.rows)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the board: the first of its measures, and how many there are."""

    state: str
    rows: list[MeasureRow]
    total: int


def counts(wanted: Wanted, today: date) -> dict[str, int]:
    """How many measures are in each state, and under `overdue` how many open ones are late."""
    rows = _chosen(Wanted(wanted.owners, wanted.services, wanted.owner, wanted.service), today)
    found = {row["state"]: row["n"] for row in rows.values("state").annotate(n=Count("id"))}
    late = rows.filter(state="open", due__lt=today).count()
    return {state: found.get(state, 0) for state in COLUMNS} | {"overdue": late}


def board(wanted: Wanted, today: date, number: dict[str, int]) -> list[Column]:
    """The columns; those that need somebody first come first in each. `number` as `counts` gives it."""
    states = (wanted.state,) if wanted.state in COLUMNS else ("open",) if wanted.state == "overdue" else COLUMNS
    made = []
    for state in states:
        asked = "overdue" if wanted.state == "overdue" else state
        rows = _chosen(Wanted(wanted.owners, wanted.services, wanted.owner, wanted.service, asked), today)
        shown = rows.order_by(*_order(state))[:CARDS]
        made.append(Column(state, list(shown), number["overdue"] if asked == "overdue" else number[state]))
    return made


def measures(wanted: Wanted, today: date, *, page: int = 1, size: int = PAGE) -> MeasureList:
    """One page of the list, the soonest due first."""
    rows = _chosen(wanted, today)
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    shown = rows.order_by(F("due").asc(nulls_last=True), "-pk")
    return MeasureList(list(shown[(page - 1) * size : page * size]), page, pages, total)


def every(wanted: Wanted, today: date) -> Iterator[MeasureRow]:
    """All of the list, a few hundred rows at a time."""
    rows = _chosen(wanted, today).order_by(F("due").asc(nulls_last=True), "-pk")
    return rows.iterator(chunk_size=500)


def turns() -> list[tuple[str, str, str, int]]:
    """How many measures came into a state (out of which one; empty: proposed) in each month, as (month, state, before, count)."""
    rows = MeasureTurn.objects.values_list("month", "state", "before").order_by("month")
    return list(rows.annotate(n=Count("id")))


def owners() -> list[str]:
    """Who owns measures, by name."""
    return list(MeasureRow.objects.exclude(owner="").order_by("owner").values_list("owner", flat=True).distinct()[:200])


def some(pairs: list[tuple[int, int]]) -> dict[tuple[int, int], MeasureRow]:
    """The rows of these measures (incident, number)."""
    rows = MeasureRow.objects.filter(incident_id__in={incident for incident, _ in pairs})
    found = {(one.incident_id, one.number): one for one in rows}
    return {pair: found[pair] for pair in pairs if pair in found}


def _order(state: str) -> tuple[str | OrderBy, ...]:
    newest = {"done": "-done_at", "verified": "-verified_at", "failed": "-failed_at"}.get(state)
    return (newest, "-pk") if newest else (F("due").asc(nulls_last=True), "-pk")


def _chosen(wanted: Wanted, today: date) -> QuerySet[MeasureRow]:
    rows = MeasureRow.objects.all()
    if wanted.state == "overdue":
        rows = rows.filter(state="open", due__lt=today)
    elif wanted.state in STATES:
        rows = rows.filter(state=wanted.state)
    else:
        rows = rows.exclude(state="dropped")
    if wanted.owners is not None:
        theirs = Q(owner__in=wanted.owners)
        rows = rows.filter(theirs | Q(service__in=wanted.services) if wanted.services else theirs)
    if wanted.owner:
        rows = rows.filter(owner__iexact=wanted.owner)
    if wanted.service:
        rows = rows.filter(service=wanted.service)
    return rows
