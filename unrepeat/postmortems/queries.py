"""What pages, API and terminal may ask of the postmortems room."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from unrepeat.incidents.state import State
from unrepeat.postmortems import freeze, store
from unrepeat.postmortems.draft import Folded, draft_of, with_today
from unrepeat.postmortems.models import Postmortem
from unrepeat.postmortems.report import SECTIONS, Prose, Report
from unrepeat.support.problems import NotFound


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


def of_past_incidents(numbers: Iterable[int], *, incidents: Iterable[int] = ()) -> dict[int, Postmortem]:
    """These reports, drafts too, and those of these incidents, if their incidents are resolved; with their incidents."""
    return {row.pk: row for row in store.of_resolved(numbers, incidents)}


def row_of(number: int) -> Postmortem:
    """The summary row of a report; NotFound."""
    return store.row(number)


def published(numbers: Iterable[int]) -> set[int]:
    """Which of these postmortems are published."""
    return set(store.published().filter(pk__in=list(numbers)).values_list("pk", flat=True))


def _diff(before: str, after: str) -> tuple[tuple[Literal["+", "-", " ", "@"], str], ...]:
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    signs: dict[str, Literal["+", "-", " ", "@"]] = {"+": "+", "-": "-", " ": " ", "@": "@"}
    return tuple((signs.get(line[:1], " "), line if line.startswith("@") else line[1:]) for line in lines)


def _known(section: str) -> None:
    if section not in SECTIONS:
        raise NotFound(f"There is no section “{section}”.", remedy=f"The sections are: {', '.join(SECTIONS)}.")
