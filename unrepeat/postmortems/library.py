"""The library: reports in lists, newest first, or searched, best first; and what each is like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from unrepeat.postmortems import finding, store
from unrepeat.postmortems.models import Postmortem
from unrepeat.support.config import config
from unrepeat.support.search_rank import Scored
from unrepeat.support.search_shown import Piece, Shown, spots

PAGE = 20  # reports on a page of the library
CAUSES = 300  # newest reports whose causes are offered as filters


@dataclass(frozen=True, slots=True)
class Row:
    """A report in a list. `title` and `excerpt` come in pieces, with what was searched for marked."""

    number: int
    incident: int
    headline: str
    title: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]
    service: str
    team: str
    cause: str
    impact: str  # who was hurt, in words; empty: not measured
    zone: str
    started_at: datetime | None
    resolved_at: datetime | None
    published_at: datetime | None
    drafted_at: datetime
    revision: int
    other_words: tuple[tuple[str, str], ...] = ()
    """What a search found in other words than were asked: the asked ones, the found ones."""

    @property
    def duration(self) -> timedelta | None:
        """From start to resolved."""
        return self.resolved_at - self.started_at if self.started_at and self.resolved_at else None


@dataclass(frozen=True, slots=True)
class Shelf:
    """One page of the library: newest first, or, searched by meaning, best first. `more`: there are others than these `total`.

    `nearest`: nothing was found that is like it, and these come nearest. `sure`: how likely (0 to 1) the first is what was meant.
    """

    rows: list[Row]
    page: int
    pages: int
    total: int
    more: bool = False
    sure: float = 0.0
    nearest: list[Row] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


def shelf(
    text: str = "",
    service: str = "",
    team: str = "",
    cause: str = "",
    since: date | datetime | None = None,
    until: date | datetime | None = None,
    page: int = 1,
    *,
    size: int = PAGE,
) -> Shelf:
    """Published reports, newest first. `text`: search, best first; `cause`: part of a guilty suspect's name; `since`, `until`: when it was
    (a date includes its whole day in the server's zone).
    """
    rows = _filtered(service, team, cause, since, until)
    text = text.strip()
    if text:
        narrowed = bool(service or team or cause or since or until)
        return _searched(text, rows if narrowed else None, page, size)
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    found = list(rows[(page - 1) * size : page * size])
    return Shelf([_row(row, None) for row in found], page, pages, total)


def _searched(text: str, among: QuerySet[Postmortem] | None, page: int, size: int) -> Shelf:
    found = finding.find(text, among)
    total = len(found.docs)
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    docs = found.docs[(page - 1) * size : page * size]
    told, rows = finding.shown(text, found, docs), store.published().in_bulk(docs)
    shown = [_row(rows[doc], told.get(doc)) for doc in docs if doc in rows]
    if found.unlike:
        return Shelf([], 1, 1, 0, sure=found.sure, nearest=shown)
    return Shelf(shown, page, pages, total, found.more, found.sure)


@dataclass(frozen=True, slots=True)
class RelatedReport:
    """A published report about the same as another; `words`: what they share, in the words of the found one."""

    number: int
    incident: int
    headline: str
    service: str
    zone: str
    started_at: datetime | None
    words: tuple[str, ...]


def related(number: int, limit: int = 4) -> list[RelatedReport]:
    """Published reports about the same as this one, best first; NotFound."""
    row = store.row(number)
    found = finding.related(f"{row.headline}\n{row.excerpt[:200]}", without=(number,), limit=limit)
    rows = store.published().in_bulk([hit.doc for hit in found])
    return [
        RelatedReport(
            hit.doc,
            rows[hit.doc].incident_id,
            rows[hit.doc].headline,
            rows[hit.doc].service,
            rows[hit.doc].zone,
            rows[hit.doc].started_at,
            shared_words(rows[hit.doc], hit),
        )
        for hit in found
        if hit.doc in rows
    ]


def shared_words(row: Postmortem, hit: Scored, most: int = 5) -> tuple[str, ...]:
    """The words of a report's headline and summary in which something else was found again, what says most first."""
    said: dict[tuple[str, ...], str] = {}
    for text in (row.headline, row.excerpt):
        for spot in spots(text, hit.why):
            said.setdefault(spot.form, text[spot.start : spot.stop])
    return tuple(dict.fromkeys(said[form].casefold() for _, form in hit.why if form in said))[:most]


def began_between(first: date, last: date) -> list[Row]:
    """Published reports of outages that began on one of these days, in the server's zone."""
    rows = store.published().filter(started_at__gte=_moment(first), started_at__lt=_moment(last, after=True))
    return [_row(row, None) for row in rows]


def drafts(limit: int = 50) -> list[Row]:
    """Reports that were never published, newest first."""
    return [_row(row, None) for row in store.drafts()[:limit]]


def all_reports(page: int = 1, *, size: int = 50) -> Shelf:
    """Drafts and published reports, newest outage first."""
    rows = Postmortem.objects.order_by("-pk")
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    return Shelf([_row(row, None) for row in rows[(page - 1) * size : page * size]], page, pages, total)


def choices() -> dict[str, list[str]]:
    """What the library can be filtered by: all services and teams of published reports, and the causes of the newest ones."""
    rows = store.published()
    found = {
        name: [value for value in rows.order_by(name).values_list(name, flat=True).distinct() if value]
        for name in ("service", "team")
    }
    causes = dict.fromkeys(rows.values_list("cause", flat=True)[:CAUSES])
    return {**found, "cause": sorted(cause for cause in causes if cause)}


def _filtered(
    service: str, team: str, cause: str, since: date | datetime | None, until: date | datetime | None
) -> QuerySet[Postmortem]:
    rows = store.published()
    if service:
        rows = rows.filter(service=service)
    if team:
        rows = rows.filter(team=team)
    if cause:
        rows = rows.filter(cause__icontains=cause)
    if since:
        rows = rows.filter(Q(resolved_at__gte=_moment(since)) | Q(resolved_at=None))
    if until:
        rows = rows.filter(started_at__lt=_moment(until, after=True))
    return rows


def _moment(given: date | datetime, *, after: bool = False) -> datetime:
    """A date as the moment it begins (or, `after`, ends) in the server's zone."""
    if isinstance(given, datetime):
        return given
    day = given + timedelta(days=1) if after else given
    return datetime.combine(day, time(), ZoneInfo(config().time_zone))


def _row(row: Postmortem, hit: Shown | None) -> Row:
    return Row(
        row.pk,
        row.incident_id,
        row.headline,
        hit.title if hit else ((row.headline, False),),
        hit.excerpt if hit else ((row.excerpt, False),),
        row.service,
        row.team,
        row.cause,
        row.impact,
        row.zone,
        row.started_at,
        row.resolved_at,
        row.published_at,
        row.drafted_at,
        row.revision,
        hit.other_words if hit else (),
    )
