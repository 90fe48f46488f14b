"""Causes, measures, guards and repeats of a report, folded from an incident's state and log. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from unrepeat.incidents import entries as e
from unrepeat.incidents.causes import WORDS
from unrepeat.incidents.entries import Logged
from unrepeat.incidents.measure_state import Cause, GuardState, Measure
from unrepeat.incidents.state import State
from unrepeat.postmortems.plain import clean, web_link
from unrepeat.postmortems.prevented import (
    CauseFact,
    GuardFact,
    MeasureFact,
    RegressionFact,
    RepeatFact,
    ReturnFact,
    Today,
)


def causes(state: State) -> tuple[CauseFact, ...]:
    """Trigger first, then root causes, then contributing factors; each with the measures that answer it."""
    order = ("trigger", "cause", "factor")
    return tuple(
        _cause(cause, state) for cause in sorted(state.causes.values(), key=lambda c: (order.index(c.role), c.number))
    )


def measures(state: State, log: Sequence[Logged]) -> tuple[MeasureFact, ...]:
    """All measures by number, dropped ones too."""
    return tuple(_measure(m, state, log) for m in sorted(state.measures.values(), key=lambda m: m.number))


def guards(state: State) -> tuple[GuardFact, ...]:
    """The guards that watch over a measure that stands, by number."""
    tied = {number for m in state.measures.values() if not m.dropped for number in m.guards}
    return tuple(_guard(state.guards[number]) for number in sorted(tied) if number in state.guards)


def repeats(state: State) -> tuple[RepeatFact, ...]:
    """Confirmed ones first, then those that are likely; what is only possible, or was rejected, is no fact."""
    found = [
        RepeatFact(
            r.postmortem,
            r.incident,
            clean(r.headline, 200),
            "confirmed" if r.standing == "confirmed" else "likely",
            clean(r.began, 20),
            clean(r.ended_by, 300),
            r.measures_open,
            tuple(clean(reason, 200) for reason in r.reasons[:6]),
            clean(r.decided_by, 120),
            clean(r.decided_why, 500),
        )
        for r in state.repeats.values()
        if r.standing in ("confirmed", "likely")
    ]
    return tuple(sorted(found, key=lambda r: (r.standing != "confirmed", -r.postmortem)))


def returned(log: Sequence[Logged]) -> tuple[ReturnFact, ...]:
    """In which later incidents it came back."""
    found: dict[int, ReturnFact] = {}
    for logged in log:
        if isinstance(logged.entry, e.RepeatedBy):
            found.setdefault(
                logged.entry.incident,
                ReturnFact(logged.entry.incident, clean(logged.entry.title, 200), logged.at),
            )
    return tuple(found.values())


def today(state: State, log: Sequence[Logged], at: datetime) -> Today:
    """How the measures stand now; `at` is the present, which the report states."""
    return Today(at, measures(state, log), guards(state), returned(log))


def _cause(cause: Cause, state: State) -> CauseFact:
    answered = tuple(sorted(m.number for m in state.measures.values() if cause.number in m.answers and not m.dropped))
    return CauseFact(
        cause.number,
        cause.role,
        clean(cause.value, 60),
        WORDS[cause.role].get(cause.value, clean(cause.value, 60).replace("_", " ")),
        clean(cause.text, 500),
        answered,
        clean(cause.accepted, 500),
        clean(cause.accepted_by, 120),
    )


def _measure(measure: Measure, state: State, log: Sequence[Logged]) -> MeasureFact:
    return MeasureFact(
        measure.number,
        measure.kind,
        clean(measure.text, 500),
        clean(measure.owner, 120),
        clean(measure.due, 20),
        clean(measure.dropped),
        measure.effect,
        measure.answers,
        tuple(number for number in measure.guards if number in state.guards),
        measure.state,
        measure.done_at,
        clean(measure.done_by, 120),
        clean(measure.done_how, 500),
        measure.verified_at,
        clean(measure.tracker, 120),
        clean(measure.ticket, 120),
        web_link(measure.ticket_url),
        _regression(measure, state, log),
    )


def _regression(measure: Measure, state: State, log: Sequence[Logged]) -> RegressionFact | None:
    """The red run that made it fail: the one that the log has at that moment, whatever the guard says since."""
    if measure.state != "failed" or measure.failed_at is None:
        return None
    guard = state.guards.get(measure.failed_guard)
    name = clean(guard.name, 120) if guard else f"guard {measure.failed_guard}"
    for logged in reversed(log):
        turn = logged.entry
        if not isinstance(turn, e.GuardTurned) or turn.guard != measure.failed_guard or turn.colour != "red":
            continue
        if logged.at <= measure.failed_at:
            return RegressionFact(measure.failed_guard, name, logged.at, clean(turn.said, 500), clean(turn.run, 64))
    return RegressionFact(measure.failed_guard, name, measure.failed_at, "", "")


def _guard(guard: GuardState) -> GuardFact:
    proven = guard.is_proven
    return GuardFact(
        number=guard.number,
        name=clean(guard.name, 120),
        kind=clean(guard.kind, 40),
        digest=clean(guard.digest, 64),
        proven=proven,
        proven_at=guard.proven_at if proven else None,
        said=clean(guard.said, 500),
        failure=clean(guard.failure, 200),
        fix=clean(guard.fix, 200),
        red=clean(guard.red, 64) if proven else "",
        green=clean(guard.green, 64) if proven else "",
        red_said=clean(guard.red_said, 500),
        green_said=clean(guard.green_said, 500),
        red_at=guard.red_at,
        green_at=guard.green_at,
        colour=guard.colour,
        turned_at=guard.turned_at,
        run=clean(guard.run, 64),
        run_said=clean(guard.run_said, 500),
    )
