"""The matrix of past incidents and today's guards and alert rules, as pages and the terminal show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db.models import Count, Max, Q

from unrepeat.prevention.coverage import coverage_store
from unrepeat.prevention.coverage.asking import Result
from unrepeat.prevention.models import Coverage

MOST_COLUMNS = 40  # of a page: those that catch something come first


@dataclass(frozen=True, slots=True)
class Cell:
    """What one guard or rule says to one past outage. `since`: the first night of that answer, `at` the last one (UTC).

    `lead`: minutes before people knew, negative after. `lost`: it caught this on an earlier night, and does not now.
    """

    result: Result
    since: datetime
    at: datetime
    first_fired_at: datetime | None
    lead: float | None
    said: str
    remedy: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Column:
    """A guard (its number) or an alert rule. `caught`: how many of the shown outages it would catch."""

    subject: str
    name: str
    guard: int | None
    caught: int


@dataclass(frozen=True, slots=True)
class Line:
    """One past outage and what would catch it. `lost`: something caught it on an earlier night, and nothing does now."""

    postmortem: int
    incident: int
    headline: str
    service: str
    started_at: datetime | None
    zone: str
    recordings: tuple[str, ...]
    cells: Mapping[str, Cell]  # by the column's subject
    caught: int  # how many guards and rules would catch it, shown or not
    earliest: float | None  # the most minutes before people knew
    lost: bool


@dataclass(frozen=True, slots=True)
class Matrix:
    """A page of it. `at`: when the newest answer was given; None before the first night. Newest outage first."""

    at: datetime | None
    columns: Sequence[Column]
    lines: Sequence[Line]
    page: int
    pages: int
    total: int  # outages
    covered: int  # of them caught by something
    lost: Sequence[int]  # reports that something caught before, and nothing does now
    more_columns: int  # guards and rules that are not shown


def matrix(page: int = 1, *, size: int = 25, most_columns: int = MOST_COLUMNS) -> Matrix:
    """The present answers: outages as lines, guards and rules as columns."""
    lines = list(_counted())
    pages = max(1, -(-len(lines) // size))
    page = min(max(page, 1), pages)
    shown = lines[(page - 1) * size : page * size]
    numbers = [number for number, *_ in shown]
    columns, more = _columns(numbers, most_columns)
    cells = _cells(numbers, [one.subject for one in columns])
    reports = coverage_store.reports(numbers)
    told = [
        Line(
            number,
            reports[number].incident_id,
            reports[number].headline,
            reports[number].service,
            reports[number].started_at,
            reports[number].zone,
            tuple(sorted({row.recording for row in cells.get(number, [])})),
            _by_subject(cells.get(number, [])),
            caught,
            _earliest(cells.get(number, [])),
            not caught and before > 0,
        )
        for number, caught, before in shown
    ]
    return Matrix(
        coverage_store.last_night(),
        columns,
        told,
        page,
        pages,
        len(lines),
        sum(1 for _, caught, _ in lines if caught),
        [number for number, caught, before in lines if before and not caught],
        more,
    )


def history(postmortem: int, subject: str) -> list[Cell]:
    """What a guard or rule said to one past outage over the nights, newest first."""
    return [_cell(row) for row in coverage_store.history(postmortem, subject)]


def lost() -> list[int]:
    """Reports whose failure something caught on an earlier night, and nothing does now."""
    return [number for number, caught, before in _counted() if before and not caught]


def _counted() -> list[tuple[int, int, int]]:
    """By report, newest first: how many would catch it, and how many did on an earlier night and do not now."""
    caught = Count("pk", filter=Q(outcome="caught"))
    before = Count("pk", filter=Q(caught_before=True) & ~Q(outcome="caught"))
    rows = (
        coverage_store.newest()
        .values("postmortem_id")
        .annotate(caught=caught, before=before)
        .order_by("-postmortem_id")
    )
    return [(row["postmortem_id"], row["caught"], row["before"]) for row in rows]


def _columns(reports: Sequence[int], most: int) -> tuple[list[Column], int]:
    """The guards and rules that were asked about these reports, those that catch most first; and how many more there are."""
    rows = coverage_store.newest(postmortem_id__in=reports).exclude(outcome="gone").values("subject")
    counted = rows.annotate(
        caught=Count("pk", filter=Q(outcome="caught")), called=Max("name"), number=Max("guard_id")
    ).order_by("-caught", "called", "subject")
    found = [Column(row["subject"], row["called"], row["number"], row["caught"]) for row in counted[:most]]
    more = rows.distinct().count() - most if len(found) == most else 0
    return found, more


def _cells(reports: Sequence[int], subjects: Sequence[str]) -> dict[int, list[Coverage]]:
    found: dict[int, list[Coverage]] = {}
    for row in coverage_store.newest(postmortem_id__in=reports, subject__in=subjects).order_by("-at", "pk"):
        found.setdefault(row.postmortem_id, []).append(row)
    return found


def _by_subject(rows: Sequence[Coverage]) -> dict[str, Cell]:
    """A cell a subject; of several recordings of one outage, the best answer."""
    order = ("caught", "late", "missed", "broken", "gone")
    best: dict[str, Coverage] = {}
    for row in rows:
        if row.subject not in best or order.index(row.outcome) < order.index(best[row.subject].outcome):
            best[row.subject] = row
    return {subject: _cell(row) for subject, row in best.items()}


def _earliest(rows: Sequence[Coverage]) -> float | None:
    leads = [row.lead_minutes for row in rows if row.outcome == "caught" and row.lead_minutes is not None]
    return max(leads, default=None)


def _cell(row: Coverage) -> Cell:
    return Cell(
        cast("Result", row.outcome),
        row.since,
        row.at,
        row.first_fired_at,
        row.lead_minutes,
        row.said,
        row.remedy,
        row.caught_before and row.outcome != "caught",
    )
