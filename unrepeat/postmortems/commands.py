"""What people and machines can do to a report: check, then append, in one transaction."""

from __future__ import annotations

from django.db import transaction

from unrepeat.incidents import queries as incidents
from unrepeat.postmortems import freeze, hurt, shelving, store
from unrepeat.postmortems.draft import draft_of
from unrepeat.postmortems.formats.prose import to_text
from unrepeat.postmortems.plain import clean, clean_prose
from unrepeat.postmortems.report import SECTIONS, Report
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid, NotFound

LONGEST = 50_000  # characters of a section
LONGEST_HEADLINE = 200


def draft(incident: int) -> tuple[int, bool]:
    """The draft on an incident: made when there is none, brought up to date otherwise. Its number, and whether it is new."""
    with transaction.atomic():
        row, new = store.make(incident, clock.now())
        if not row.revision:
            store.save(row, **_columns(draft_of(row)))
            shelving.plan_remembering(row.pk)
        return row.pk, new


def write(number: int, section: str, text: str, *, by: str, expected: int | None = None) -> int:
    """Write a section's prose (Markdown); returns the number of the edit. Nothing is appended when nothing changed.

    `expected`: the edit that the writer started from; Conflict when somebody has written meanwhile. Empty text gives the
    section back to the sentences made from the facts.
    """
    said = _checked(section, text)
    with transaction.atomic():
        store.row(number, hold=True)
        standing = store.newest_edits(number).get(section)
        seq = standing.seq if standing else 0
        if expected is not None and expected != seq:
            raise Conflict(
                f"The section “{SECTIONS[section]}” was changed while you wrote.",
                f"{standing.by if standing else 'Somebody'} saved another version of it.",
                "Compare with the newest version, put in what is yours, and save again.",
            )
        if said == (standing.text if standing else ""):
            return seq
        store.add_edit(number, section, seq + 1, said, by=by, at=clock.now())
        return seq + 1


def publish(number: int, *, by: str) -> int:
    """Freeze the report as it is now into the next revision, and put it on the library's shelf; returns the revision's number."""
    with transaction.atomic():
        row = store.row(number, hold=True)
        if incidents.incident(row.incident_id).status != "resolved":
            raise Conflict(
                f"Postmortem {number} cannot be published yet.",
                f"Incident {row.incident_id} is not resolved, so its facts are not complete.",
                "Resolve the incident first.",
            )
        report, revision, at = draft_of(row), row.revision + 1, clock.now()
        facts, prose, figures = freeze.frozen(report)
        sealed = freeze.digest(number, revision, facts, prose, figures)
        kept = store.add_revision(
            number, revision, at=at, by=by, facts=facts, prose=prose, figures=figures, digest=sealed
        )
        store.save(row, revision=revision, published_at=at, **_columns(report))
        shelving.shelve(number, report, place=kept.pk)
        return revision


def _columns(report: Report) -> dict[str, object]:
    """What the library copies from a report."""
    facts = report.facts
    service = next(
        (s.name for s in facts.guilty if s.kind == "service"), facts.trigger.service if facts.trigger else ""
    )
    return {
        "headline": clean(report.headline, LONGEST_HEADLINE),
        "service": service or (facts.services[0] if facts.services else ""),
        "team": facts.team,
        "cause": clean(", ".join(s.name for s in facts.guilty), 300),
        "excerpt": clean(to_text(report.prose["summary"].text), 400),
        "impact": clean(hurt.short(facts.impact), 300) if facts.impact else "",
        "started_at": facts.started_at,
        "resolved_at": facts.resolved_at,
        "zone": facts.zone[:60],
    }


def _checked(section: str, text: str) -> str:
    if section not in SECTIONS:
        raise NotFound(f"There is no section “{section}”.", remedy=f"The sections are: {', '.join(SECTIONS)}.")
    said = " ".join(clean_prose(text).split()) if section == "headline" else clean_prose(text).rstrip()
    longest = LONGEST_HEADLINE if section == "headline" else LONGEST
    if len(said) > longest:
        raise Invalid(
            f"The section “{SECTIONS[section]}” is too long.",
            f"It has {len(said)} characters, and {longest} are read with pleasure.",
            "Shorten it, or put the details into a note of the incident.",
        )
    return said
