"""What a ticket says of its measure: text, comments, and the news that a webhook is told. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from unrepeat.incidents.measure_state import GuardState, Measure
from unrepeat.prevention.telling.reminding import Where, shortened
from unrepeat.prevention.tickets.tracking import Draft, TicketState

TITLE = 200  # characters
_HOW = (
    "When this ticket is closed, the measure is *done* in Unrepeat. It is *verified* once a guard of it was red on the failure "
    "and green on the fix; should that guard turn red later, this ticket is reopened."
)
EFFECTS = {"prevent": "prevents it", "detect": "shows it sooner", "mitigate": "softens it"}


def news_key(measure: Measure, told: Sequence[str]) -> str:
    """A name for where a measure stands, another one each time that it gets there anew; `told` are the names before."""
    moments: dict[str, datetime | None] = {
        "done": measure.done_at,
        "verified": measure.verified_at,
        "failed": measure.failed_at,
    }
    at = moments.get(measure.state)
    if at is not None:
        return f"{measure.state}@{at.isoformat()}"
    last = told[-1] if told else ""
    if measure.state != "open" or not last:
        return measure.state
    return last if last.startswith("open") else f"open after {last}"


def wanted(measure: Measure) -> TicketState:
    """Whether the ticket of such a measure is open or closed."""
    return "open" if measure.state in ("open", "failed") else "closed"


def mark(marker: str, key: str) -> str:
    """The marker of the comment that tells this news."""
    return f"{marker}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"


def draft(measure: Measure, where: Where, causes: Sequence[str], marker: str) -> Draft:
    """The ticket's title and text."""
    facts = [
        f"Kind: {measure.kind}" + (f", {EFFECTS[measure.effect]}" if measure.effect in EFFECTS else ""),
        f"Owner: {_quiet(measure.owner) or 'nobody yet'}",
        f"Due: {measure.due or 'no date yet'}",
        *(f"Answers: {_quiet(cause)}" for cause in causes),
        f"Incident {where.incident}, “{_quiet(where.title)}”: {where.link}",
        *([f"Report: {where.report}"] if where.report else []),
    ]
    lines = [
        _quiet(measure.text),
        "\n".join(f"- {fact}" for fact in facts),
        _HOW,
        f"<!-- unrepeat: {marker} -->",
    ]
    return Draft(shortened(measure.text, TITLE), "\n\n".join(lines))


def comment(measure: Measure, guards: Sequence[GuardState], where: Where, marker: str) -> str:
    """What is said when a measure has got somewhere."""
    said = _standing(measure, guards)
    return f"{said}\n\n{where.link}\n\n<!-- unrepeat: {marker} -->"


def told(measure: Measure, guards: Sequence[GuardState], where: Where, key: str) -> dict[str, Any]:
    """The news as JSON, for a webhook."""
    failed = next((g for g in guards if g.number == measure.failed_guard), None)
    return {
        "type": f"measure.{measure.state}",
        "news": key,
        "incident": where.incident,
        "title": where.title,
        "url": where.link,
        "report": where.report,
        "measure": {
            "number": measure.number,
            "kind": measure.kind,
            "text": measure.text,
            "owner": measure.owner,
            "due": measure.due,
            "effect": measure.effect,
            "state": measure.state,
            "how": measure.done_how,
            "dropped": measure.dropped,
        },
        "proofs": [
            {"guard": g.name, "kind": g.kind, "red_on": g.failure, "green_on": g.fix, "red": g.red, "green": g.green}
            for g in guards
            if g.is_proven
        ],
        "failure": {"guard": failed.name, "said": failed.run_said, "run": failed.run} if failed else None,
    }


def _standing(measure: Measure, guards: Sequence[GuardState]) -> str:
    if measure.state == "verified":
        return _verified(guards)
    if measure.state == "failed":
        return _failed(measure, guards)
    if measure.state == "done":
        return _done(measure)
    if measure.state == "dropped":
        return f"Dropped: {_quiet(measure.dropped)}"
    return "Open again: the work was not done after all."


def _done(measure: Measure) -> str:
    how = f": {_quiet(measure.done_how)}" if measure.done_how else ""
    return f"Done, says {_quiet(measure.done_by)}{how}. Not verified yet: that needs a guard that was red on the failure and green on the fix."


def _verified(guards: Sequence[GuardState]) -> str:
    proofs = [
        f"- Guard `{g.name}` ({g.kind}): red on {_quiet(g.failure) or 'the failure'} (run `{g.red[:12]}`), "
        f"green on {_quiet(g.fix) or 'the fix'} (run `{g.green[:12]}`). {_quiet(g.said)}"
        for g in guards
        if g.is_proven
    ]
    return "\n".join(["**Verified.** It is proven to work:", *proofs])


def _failed(measure: Measure, guards: Sequence[GuardState]) -> str:
    guard = next((g for g in guards if g.number == measure.failed_guard), None)
    if guard is None:
        return "**It does not hold any more**: one of its guards has turned red."
    ran = f" (run `{guard.run[:12]}`)" if guard.run else ""
    return f"**It does not hold any more**: guard `{guard.name}` has turned red{ran}: {_quiet(guard.run_said)}"


def _quiet(text: str) -> str:
    """Text of people that calls nobody by name there and hides nothing: no mention, no HTML comment."""
    return text.replace("@", "@\u200b").replace("<!--", "<\u200b!--")
