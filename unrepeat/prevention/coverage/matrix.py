"""The matrix of past incidents and today's guards and alert rules, as pages and the terminal show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from django.db.models import Count, Exists, Max, OuterRef, Q

from unrepeat.postmortems.models import Postmortem
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
    earliest: float | None  # the most minutes before people knew, of those
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
    lines = _counted()
    pages = max(1, -(-len(lines) // size))
    page = min(max(page, 1), pages)
    shown = lines[(page - 1) * size : page * size]
    numbers = [number for number, *_ in shown]
    columns, more = _columns(numbers, most_columns)
    cells = _cells(numbers, [one.subject for one in columns])
    reports, catching, played = coverage_store.reports(numbers), _catching(numbers), _played(numbers)
    told = [
        Line(
            number,
            reports[number].incident_id,
            reports[number].headline,
            reports[number].service,
            reports[number].started_at,
            reports[number].zone,
            tuple(played[number]),
            _by_subject(cells.get(number, [])),
            catching.get(number, 0),
            max((lead for lead in played[number].values() if lead is not None), default=None),
            lost=before and not caught,
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


def answers() -> Iterator[tuple[Postmortem, str, str, Cell]]:
    """All answers that stand, as (report, recording, guard or rule, answer): newest outage first, a few hundred rows at a time."""
    rows = coverage_store.newest().select_related("postmortem").order_by("-postmortem_id", "name", "recording", "pk")
    for row in rows.iterator(chunk_size=500):
        yield row.postmortem, row.recording, row.name, _cell(row)


def _counted() -> list[tuple[int, bool, bool]]:
    """By report, newest first: whether something would catch it, and whether something that does not now did on an earlier night."""
    own = coverage_store.newest(postmortem=OuterRef("pk"))
    rows = Postmortem.objects.filter(Exists(own)).annotate(
        caught=Exists(own.filter(outcome="caught")),
        before=Exists(own.filter(caught_before=True).exclude(outcome="caught")),
    )
    return list(rows.order_by("-pk").values_list("pk", "caught", "before"))


def _catching(reports: Sequence[int]) -> dict[int, int]:
    """How many guards and rules would catch each of these; one that does so in two recordings of an outage is one."""
    rows = coverage_store.newest(postmortem_id__in=reports, outcome="caught").values_list("postmortem_id").order_by()
    return dict(rows.annotate(n=Count("subject", distinct=True)))


def _played(reports: Sequence[int]) -> dict[int, dict[str, float | None]]:
    """By report and recording: the most minutes before people knew."""
    rows = coverage_store.newest(postmortem_id__in=reports).values_list("postmortem_id", "recording")
    found: dict[int, dict[str, float | None]] = {}
    for number, recording, lead in rows.annotate(lead=Max("lead_minutes", filter=Q(outcome="caught"))).order_by(
        "recording"
    ):
        found.setdefault(number, {})[recording] = lead
    return found


def _columns(reports: Sequence[int], most: int) -> tuple[list[Column], int]:
    """The guards and rules that were asked about these reports, those that catch most first; and how many more there are."""
    rows = coverage_store.newest(postmortem_id__in=reports).exclude(outcome="gone").values("subject")
    counted = rows.annotate(
        caught=Count("postmortem", distinct=True, filter=Q(outcome="caught")),
        called=Max("name"),
        number=Max("guard_id"),
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
