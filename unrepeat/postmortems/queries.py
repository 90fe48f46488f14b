"""What pages, API and terminal may ask of the postmortems room."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from unrepeat.incidents.state import State
from unrepeat.postmortems import finding, freeze, store
from unrepeat.postmortems.draft import Folded, draft_of, with_today
from unrepeat.postmortems.models import Postmortem
from unrepeat.postmortems.report import SECTIONS, Prose, Report
from unrepeat.support.config import config
from unrepeat.support.problems import NotFound
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


@dataclass(frozen=True, slots=True)
class Version:
    """One edit of a section, and what it changed: lines of a diff against the version before, with their sign."""

    seq: int
    at: datetime
    by: str
    text: str
    diff: tuple[tuple[Literal["+", "-", " ", "@"], str], ...]


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A published revision in a list."""

    number: int
    at: datetime
    by: str
    digest: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A report as somebody opens it, its incident's state, and for those who write its draft (beside a published one without figures)."""

    report: Report
    state: State
    draft: Report | None


def opened(number: int, *, drafting: bool = False, writes: bool = False) -> Opened:
    """What readers see (or, `drafting`, the draft), all from one reading of the log; NotFound."""
    row = store.row(number)
    folded = Folded.of(row.incident_id)
    if drafting or not row.revision:
        draft = draft_of(row, folded)
        return Opened(draft, folded.state, draft if writes else None)
    published = with_today(freeze.thawed(store.revision(number, row.revision), newest=row.revision), folded)
    return Opened(published, folded.state, draft_of(row, folded, drawn=False) if writes else None)


def report(number: int) -> Report:
    """The draft as the log and the prose have it now; NotFound."""
    return draft_of(store.row(number))


def current(number: int) -> Report:
    """What readers should see: the newest published revision, or the draft before there is one; NotFound."""
    return opened(number).report


def revision(number: int, revision_number: int) -> Report:
    """A published revision, as it was, and how its measures stand today; NotFound."""
    row, kept = store.row(number), store.revision(number, revision_number)
    return with_today(freeze.thawed(kept, newest=row.revision))


def is_intact(number: int, revision_number: int) -> bool:
    """Whether a revision's contents still give the digest it was sealed with; NotFound."""
    kept = store.revision(number, revision_number)
    return freeze.digest(number, kept.number, kept.facts, kept.prose, kept.figures) == kept.digest


def revisions(number: int) -> list[RevisionRow]:
    """All published revisions, newest first; NotFound."""
    store.row(number)
    return [RevisionRow(kept.number, kept.at, kept.by, kept.digest) for kept in store.revisions(number)]


def of_incident(incident: int) -> int | None:
    """The number of an incident's postmortem; None before there is one."""
    return store.of_incident(incident)


def incident_of(number: int) -> int:
    """The number of the incident that a postmortem is about; NotFound."""
    return store.row(number).incident_id


def prose(number: int, section: str) -> Prose:
    """What a section says now, to be edited; NotFound."""
    _known(section)
    return report(number).prose[section]


def history(number: int, section: str) -> list[Version]:
    """All edits of a section, newest first, each with its diff against the one before; NotFound."""
    _known(section)
    store.row(number)
    versions, before = [], ""
    for edit in store.edits(number, section):
        versions.append(Version(edit.seq, edit.at, edit.by, edit.text, _diff(before, edit.text)))
        before = edit.text
    return versions[::-1]


def library(
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


def of_past_incidents(numbers: Iterable[int], *, incidents: Iterable[int] = ()) -> dict[int, Postmortem]:
    """These reports, drafts too, and those of these incidents, if their incidents are resolved; with their incidents."""
    return {row.pk: row for row in store.of_resolved(numbers, incidents)}


def row_of(number: int) -> Postmortem:
    """The summary row of a report; NotFound."""
    return store.row(number)


def published(numbers: Iterable[int]) -> set[int]:
    """Which of these postmortems are published."""
    return set(store.published().filter(pk__in=list(numbers)).values_list("pk", flat=True))


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


def _diff(before: str, after: str) -> tuple[tuple[Literal["+", "-", " ", "@"], str], ...]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    signs: dict[str, Literal["+", "-", " ", "@"]] = {"+": "+", "-": "-", " ": " ", "@": "@"}
    return tuple((signs.get(line[:1], " "), line if line.startswith("@") else line[1:]) for line in lines)


def _known(section: str) -> None:
    if section not in SECTIONS:
        raise NotFound(f"There is no section “{section}”.", remedy=f"The sections are: {', '.join(SECTIONS)}.")
