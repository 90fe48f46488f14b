"""When owners are reminded of a measure, and in which words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from unrepeat.incidents.measure_state import GuardState, Measure

BEFORE = (3, 1)  # days before the due date
FIRST, EVERY = 1, 7  # days after it, and then again after so many
HOUR = time(8)  # in the server's zone


@dataclass(frozen=True, slots=True)
class Slot:
    """A moment at which an owner is reminded: so many days after the due date (negative: before it), and when that is (UTC)."""

    days: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Where:
    """What a measure belongs to, in words and addresses."""

    incident: int
    title: str
    link: str
    report: str = ""  # the postmortem's address; empty: there is none


def next_slot(due: date, now: datetime, zone: str) -> Slot:
    """The first moment after `now` at which to remind of something that is due on `due`."""
    passed = (now.astimezone(ZoneInfo(zone)).date() - due).days
    later = max(0, (passed - FIRST) // EVERY)
    offsets = [*(-days for days in BEFORE), *(FIRST + EVERY * (later + n) for n in range(3))]
    return next(slot for slot in (Slot(days, _moment(due, days, zone)) for days in offsets) if slot.at > now)


def _moment(due: date, days: int, zone: str) -> datetime:
    return datetime.combine(due + timedelta(days=days), HOUR, ZoneInfo(zone)).astimezone(UTC)


# --- words ----------------------------------------------------------------------------------------------------------


def reminder(measure: Measure, where: Where, today: date) -> tuple[str, str]:
    """Subject and text that remind the owner of a measure that is still open."""
    due = date.fromisoformat(measure.due)
    lead = f"You own a measure that {'is' if today <= due else 'was'} due {_distance(due, today)}, on {said_day(due)}:"
    head = f"Due {_distance(due, today)}" if today <= due else f"Overdue since {due.day} {due:%B}"
    until = f"Until then you are reminded {_rhythm(today, due)}."
    ask = f"Say there when it is done, give it another date, or drop it with a reason. {until}"
    parts = [lead, measure.text, _belongs(where), ask]
    return f"{head}: {shortened(measure.text)}", "\n\n".join(parts)


def regressed(measure: Measure, guard: GuardState | None, where: Where, *, owner: bool) -> tuple[str, str]:
    """Subject and text that tell somebody that what was verified has failed."""
    verified = f", which was verified on {said_day(measure.verified_at.date())}," if measure.verified_at else ""
    name = f"{guard.name} ({guard.kind})" if guard else "One of its guards"
    ran = f"It said: {guard.run_said}\nThe run is kept as {guard.run[:12]}." if guard and guard.run else ""
    parts = [
        f"A measure{verified} does not hold any more:",
        measure.text,
        f"Its guard {name} has turned red: the failure it watches for would come back." if guard else "",
        ran,
        _belongs(where),
        "See what changed, mend it, and close the regression there once the guard is green.",
        "You get this because you own the measure."
        if owner
        else f"You get this because you worked on incident {where.incident} or follow it.",
    ]
    return f"Regressed: {shortened(measure.text)}", "\n\n".join(part for part in parts if part)


def cannot_tell(
    measure: Measure, guard: GuardState, where: Where, *, remedy: str, zone: str, owner: bool
) -> tuple[str, str]:
    """Subject and text that tell somebody that a guard is broken, so that what was verified is so no more. `remedy`: the run's."""
    when = f" since {said_moment(guard.turned_at, zone)}" if guard.turned_at else ""
    parts = [
        "A measure that was verified is not verified any more, because its guard cannot tell whether it still holds:",
        measure.text,
        f"Its guard {guard.name} ({guard.kind}) cannot tell{when}.",
        f"It said: {guard.run_said}" if guard.run_said else "",
        f"What to do: {remedy}" if remedy else "",
        "The failure has not been seen again, but it would not be seen now either.",
        "The measure counts as done, not verified, until the guard can tell again; when it is green, that is over by itself.",
        _belongs(where),
        "You get this because you own the measure."
        if owner
        else f"You get this because you follow incident {where.incident}.",
    ]
    return f"Not verified any more: {shortened(measure.text)}", "\n\n".join(part for part in parts if part)


def said_moment(at: datetime, zone: str) -> str:
    """A moment as people write it: `15:20 UTC on Thursday 15 August 2024`."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M %Z} on {said_day(local.date())}"


def said_day(day: date) -> str:
    """A day as people write it: `Thursday 15 August 2024`."""
    return f"{day:%A} {day.day} {day:%B %Y}"


def shortened(text: str, limit: int = 90) -> str:
    """The beginning of a text, on one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _belongs(where: Where) -> str:
    said = f"It belongs to incident {where.incident}, “{where.title}”:\n{where.link}"
    return f"{said}\n{where.report}" if where.report else said


def _distance(due: date, today: date) -> str:
    days = (due - today).days
    words = {0: "today", 1: "tomorrow", -1: "yesterday"}
    return words.get(days) or (f"in {days} days" if days > 0 else f"{-days} days ago")


def _rhythm(today: date, due: date) -> str:
    return f"every {EVERY} days" if today > due else f"once more before it is due, and then every {EVERY} days"
