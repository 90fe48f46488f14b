"""What is kept beside a report so that it can be found: its words (`store.SEARCH`), what it is about (`store.RELATED`)."""

from __future__ import annotations

from unrepeat.postmortems import freeze, hurt, store
from unrepeat.postmortems.formats.prose import to_text
from unrepeat.postmortems.report import Report
from unrepeat.support import clock, wakeups

STEP = 100  # reports put in anew in one transaction


def shelve(number: int, report: Report, *, place: int) -> None:
    """Put a published report in, or in anew, within the caller's transaction; `place`: where it stands, the newest highest."""
    store.SEARCH.index(number, {"title": report.headline, "body": searchable(report)}, place=place)
    store.RELATED.index(number, about(report))
    plan_remembering(number)


def plan_remembering(number: int) -> None:
    """Let prevention look at a report when this transaction is done: it keeps the signs by which the failure is known again."""
    now = clock.now()
    wakeups.plan(
        "prevention", "remember", {"postmortem": number}, due_at=now, key=f"remember:{number}:{now.timestamp()}"
    )


def searchable(report: Report) -> str:
    """All words of a report that somebody may look for: prose, timeline, suspects, changes, causes, measures."""
    facts = report.facts
    said = [to_text(prose.text) for section, prose in report.prose.items() if section != "headline"]
    said += [f"{line.key} {line.said} {line.why}" for line in facts.timeline]
    said += [f"{s.name} {s.verdict} {s.reason}" for s in facts.suspects]
    said += [f"{cause.words}: {cause.text}" for cause in facts.causes]
    said += [m.text for m in facts.measures if not m.dropped]
    said += [hurt.short(facts.impact)] if facts.impact else []
    return "\n".join([*said, *facts.services, facts.team, facts.title])


def about(report: Report) -> dict[str, str]:
    """A report in the views by which it is found for another failure: title, summary, what it says of causes, and all words."""
    guilty = [f"{s.name}: {s.reason}" for s in report.facts.guilty]
    causes = [f"{cause.words}: {cause.text}" for cause in report.facts.causes]
    return {
        "title": report.headline,
        "summary": to_text(report.prose["summary"].text),
        "cause": "\n".join([to_text(report.prose["cause"].text), *guilty, *causes]),
        "body": searchable(report),
    }


def reindex(after: int = 0, steps: int = STEP) -> int | None:
    """Put the published reports behind number `after` in anew, at most `steps` of them; the last number, None when none is left."""
    rows = list(store.published().filter(pk__gt=after).order_by("pk")[:steps])
    for row in rows:
        kept = store.revision(row.pk, row.revision)
        shelve(row.pk, freeze.thawed(kept, newest=row.revision), place=kept.pk)
    return rows[-1].pk if rows else None
