"""The weekly digest and the anniversary mail, in plain words. Pure. Numbers of work, never a table of people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from unrepeat.prevention.telling.reminding import said_day, shortened

SHOWN = 10  # measures or guards of one heading; the rest is counted
SOON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Item:
    """A measure as a digest shows it."""

    text: str
    state: str
    due: date | None
    link: str
    owner: str = ""
    proven: int = 0


@dataclass(frozen=True, slots=True)
class RedGuard:
    """A guard that is red now."""

    name: str
    said: str
    since: date | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """What everybody is told: repeats of this year and days since the last one (None: there was none)."""

    repeats: int
    days: int | None


def for_owner(name: str, items: Sequence[Item], numbers: Numbers, today: date, board: str) -> tuple[str, str]:
    """Subject and text of an owner's week."""
    failed, late, soon, later, unverified = _sorted(items, today)
    parts = [
        f"Good morning. These are the measures of {name}, as of {said_day(today)}.",
        _listed("Failed: they had been verified, and do not hold any more", failed, today),
        _listed("Overdue", late, today),
        _listed("Due in the next seven days", soon, today),
        _listed("Open", later, today),
        _listed("Done, but not verified: no guard has proven that they work", unverified, today),
        f"All measures: {board}",
        _repeats(numbers),
    ]
    urgent = len(failed) + len(late)
    head = f"{urgent} of your measures need you" if urgent > 1 else "1 of your measures needs you"
    return (head if urgent else f"Your measures: {_count(len(items), 'is', 'are')} waiting"), _joined(parts)


def for_managers(
    items: Sequence[Item], red: Sequence[RedGuard], numbers: Numbers, today: date, board: str, guards: str
) -> tuple[str, str]:
    """Subject and text of everybody's week, for those who lead."""
    failed, late, soon, later, unverified = _sorted(items, today)
    verified = [item for item in items if item.state == "verified"]
    unowned = sum(not item.owner and item.state == "open" for item in items)
    counts = [
        f"- {len(verified)} verified: a guard has shown that they work, and goes on watching",
        f"- {len(unverified)} done, but not verified",
        f"- {len(late) + len(soon) + len(later)} open, {len(late)} of them overdue"
        + (f", {unowned} without an owner" if unowned else ""),
        f"- {len(failed)} failed: they had been verified, and do not hold any more",
    ]
    reds = [f"- {g.name}{f', since {said_day(g.since)}' if g.since else ''}: {shortened(g.said, 140)}" for g in red]
    parts = [
        _repeats(numbers),
        "\n".join(["What we do so that our outages do not come back:", *counts]),
        _listed("Failed", failed, today),
        _listed("Overdue the longest", sorted(late, key=lambda item: item.due or today), today),
        "\n".join([f"Guards that are red now ({len(red)}):", *reds[:SHOWN], *_more(len(reds))])
        if red
        else "No guard is red.",
        f"All measures: {board}\nAll guards: {guards}",
    ]
    return f"Never twice: {_short(numbers)}, {_count(len(late), 'measure overdue', 'measures overdue')}", _joined(parts)


def for_anniversary(
    headline: str, began: date, report: str, items: Sequence[Item], guards: Sequence[tuple[str, str, bool]]
) -> tuple[str, str]:
    """Subject and text a year after an outage. `guards`: name, colour and whether it is proven."""
    stand = {
        "verified": "verified",
        "done": "done, not verified",
        "failed": "failed: it does not hold any more",
        "open": "still open",
        "dropped": "dropped",
    }
    measures = [f"- {shortened(item.text)}: {stand.get(item.state, item.state)}" for item in items]
    watching = [
        f"- {name}: {colour or 'has not run yet'}, {'proven' if proven else 'not proven'}"
        for name, colour, proven in guards
    ]
    parts = [
        f"A year ago, on {said_day(began)}, this happened to us:",
        headline,
        f"What we learned from it: {report}",
        "\n".join(["Its measures today:", *measures]) if measures else "It has no measures.",
        "\n".join(["Its guards today:", *watching])
        if watching
        else "No guard watches over it: nothing would tell us if it came back.",
    ]
    return f"A year ago: {shortened(headline)}", _joined(parts)


def _sorted(items: Sequence[Item], today: date) -> tuple[list[Item], list[Item], list[Item], list[Item], list[Item]]:
    """Failed, overdue, due soon, open otherwise, and done without proof; each in order of its due date."""
    ordered = sorted(items, key=lambda item: (item.due or date.max, item.text))
    waiting = [item for item in ordered if item.state == "open"]
    late = [item for item in waiting if item.due and item.due < today]
    soon = [item for item in waiting if item.due and today <= item.due <= today + SOON]
    later = [item for item in waiting if not item.due or item.due > today + SOON]
    failed = [item for item in ordered if item.state == "failed"]
    return failed, late, soon, later, [item for item in ordered if item.state == "done"]


def _listed(head: str, items: Sequence[Item], today: date) -> str:
    if not items:
        return ""
    lines = [f"- {shortened(item.text)}{_when(item, today)}: {item.link}" for item in items[:SHOWN]]
    return "\n".join([f"{head} ({len(items)}):", *lines, *_more(len(items))])


def _when(item: Item, today: date) -> str:
    if item.due is None or item.state != "open":
        return ""
    return (
        f" (was due on {item.due.day} {item.due:%B})" if item.due < today else f" (due on {item.due.day} {item.due:%B})"
    )


def _more(count: int) -> list[str]:
    return [f"- and {count - SHOWN} more"] if count > SHOWN else []


def _repeats(numbers: Numbers) -> str:
    this = {0: "No outage has come back this year."}.get(
        numbers.repeats, f"{_count(numbers.repeats, 'outage', 'outages')} came back this year."
    )
    last = f" The last repeat was {_count(numbers.days, 'day', 'days')} ago." if numbers.days is not None else ""
    return this + last


def _short(numbers: Numbers) -> str:
    return (
        _count(numbers.repeats, "repeat this year", "repeats this year") if numbers.repeats else "no repeat this year"
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)
