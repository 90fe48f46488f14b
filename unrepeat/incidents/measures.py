"""The fold of causes, measures and guards. Pure; part of `fold.py`.

A measure is **verified** only while its work is done, a guard tied to it is proven on the guard's present text, and none of its
guards is red or broken. Once verified, a proven guard that turns red makes it **failed** until a person closes that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from unrepeat.incidents import entries as e
from unrepeat.incidents.measure_state import Cause, GuardState, Measure, MeasureState, Turn
from unrepeat.incidents.state import State


def standing(measure: Measure, guards: Iterable[GuardState]) -> MeasureState:
    """The state that follows for a measure from what is recorded of it and of its guards."""
    if measure.dropped:
        return "dropped"
    if measure.failed_at is not None:
        return "failed"
    if measure.done_at is None:
        return "open"
    own = list(guards)
    holds = any(g.is_proven for g in own) and all(g.colour not in ("red", "broken") for g in own)
    return "verified" if holds else "done"


def guards_of(state: State, measure: Measure) -> list[GuardState]:
    """The guards tied to a measure."""
    return [state.guards[number] for number in measure.guards if number in state.guards]


def cannot_tell(state: State, measure: Measure) -> list[GuardState]:
    """The broken guards of a measure that had been verified and is only done now; empty when it is not so."""
    if measure.state != "done" or measure.verified_at is None:
        return []
    return [guard for guard in guards_of(state, measure) if guard.colour == "broken"]


# --- causes ---------------------------------------------------------------------------------------------------------


def cause_named(state: State, logged: e.Logged, entry: e.CauseNamed) -> None:
    """A cause stands; the same number again says it anew and keeps an accepted risk."""
    before = state.causes.get(entry.cause)
    state.last_cause = max(state.last_cause, entry.cause)
    state.causes[entry.cause] = Cause(
        entry.cause,
        entry.role,
        entry.value,
        entry.text,
        logged.by,
        before.at if before else logged.at,
        before.accepted if before else "",
        before.accepted_by if before else "",
    )


def cause_withdrawn(state: State, _: e.Logged, entry: e.CauseWithdrawn) -> None:
    """It was none."""
    state.causes.pop(entry.cause, None)


def risk_accepted(state: State, logged: e.Logged, entry: e.RiskAccepted) -> None:
    """Somebody bears it."""
    before = state.causes.get(entry.cause)
    if before is not None:
        state.causes[entry.cause] = replace(before, accepted=entry.reason or "(redacted)", accepted_by=logged.by)


# --- measures -------------------------------------------------------------------------------------------------------


def proposed(state: State, logged: e.Logged, entry: e.MeasureProposed | e.MeasureAmended) -> None:
    """A measure is there, or is worded anew."""
    before = state.measures.get(entry.measure)
    if before is None:
        if isinstance(entry, e.MeasureAmended):
            return
        born = (Turn(logged.at, "open", ""),)
        before = Measure(entry.measure, entry.measure_kind, "", "", "", logged.at, turns=born)
    state.measures[entry.measure] = replace(
        before,
        kind=entry.measure_kind,
        text=entry.text,
        owner=entry.owner,
        due=entry.due,
        effect=entry.effect,
        answers=entry.answers,
    )


def dropped(state: State, logged: e.Logged, entry: e.MeasureDropped) -> None:
    """It will not be done."""
    _put(state, logged.at, entry.measure, dropped=entry.reason or "(redacted)")


def done(state: State, logged: e.Logged, entry: e.MeasureDone) -> None:
    """The work is done; a second time changes nothing."""
    before = state.measures.get(entry.measure)
    if before is not None and before.done_at is None:
        _put(state, logged.at, entry.measure, done_at=logged.at, done_by=logged.by, done_how=entry.how)


def reopened(state: State, logged: e.Logged, entry: e.MeasureReopened) -> None:
    """The work was not done after all: all that was won is lost, but for the guards."""
    _put(
        state,
        logged.at,
        entry.measure,
        done_at=None,
        done_by="",
        done_how="",
        verified_at=None,
        failed_at=None,
        failed_guard=0,
    )


def ticket_linked(state: State, logged: e.Logged, entry: e.TicketLinked) -> None:
    """It has a ticket."""
    _put(state, logged.at, entry.measure, tracker=entry.tracker, ticket=entry.ticket, ticket_url=entry.url)


def regression_closed(state: State, logged: e.Logged, entry: e.RegressionClosed) -> None:
    """A failed measure holds again; not while one of its guards is red or broken."""
    measure = state.measures.get(entry.measure)
    if measure is None or any(g.colour in ("red", "broken") for g in guards_of(state, measure)):
        return
    _put(state, logged.at, entry.measure, failed_at=None, failed_guard=0, verified_at=None)


# --- guards ---------------------------------------------------------------------------------------------------------


def tied(state: State, logged: e.Logged, entry: e.GuardTied) -> None:
    """A guard watches over a measure. What this log knew of an older text of it is kept, but proves nothing."""
    before = state.guards.get(entry.guard)
    if before is None:
        state.guards[entry.guard] = GuardState(entry.guard, entry.name, entry.guard_kind, entry.digest)
    else:
        state.guards[entry.guard] = replace(
            _with_text(before, entry.digest), name=entry.name or before.name, kind=entry.guard_kind or before.kind
        )
    measure = state.measures.get(entry.measure)
    if measure is not None and entry.guard not in measure.guards:
        state.measures[entry.measure] = replace(measure, guards=(*measure.guards, entry.guard))
    _judge(state, logged.at, entry.guard)


def untied(state: State, logged: e.Logged, entry: e.GuardUntied) -> None:
    """It watches over it no more."""
    measure = state.measures.get(entry.measure)
    if measure is not None:
        _put(state, logged.at, entry.measure, guards=tuple(g for g in measure.guards if g != entry.guard))


def changed(state: State, logged: e.Logged, entry: e.GuardChanged) -> None:
    """Its text became another: it is unproven, and has not run yet."""
    before = state.guards.get(entry.guard)
    if before is not None:
        state.guards[entry.guard] = _with_text(before, entry.digest)
        _judge(state, logged.at, entry.guard)


def proven(state: State, logged: e.Logged, entry: e.GuardProven) -> None:
    """Red on the failure, green on the fix: two runs, of the present text, or it proves nothing."""
    before = state.guards.get(entry.guard)
    if before is None or entry.digest != before.digest or not (entry.red and entry.green) or entry.red == entry.green:
        return
    state.guards[entry.guard] = replace(
        before,
        proven=entry.digest,
        proven_at=logged.at,
        red=entry.red,
        green=entry.green,
        said=entry.said,
        failure=entry.failure,
        fix=entry.fix,
        red_said=entry.red_said,
        green_said=entry.green_said,
        red_at=entry.red_at,
        green_at=entry.green_at,
    )
    _judge(state, logged.at, entry.guard)


def not_proven(state: State, logged: e.Logged, entry: e.GuardNotProven) -> None:
    """A later trial of the same text that tells nothing apart takes an earlier proof away."""
    before = state.guards.get(entry.guard)
    if before is not None and entry.digest == before.digest:
        state.guards[entry.guard] = replace(before, proven="", proven_at=None, red="", green="", said=entry.said)
        _judge(state, logged.at, entry.guard)


def turned(state: State, logged: e.Logged, entry: e.GuardTurned) -> None:
    """It took another colour. A proven one that turns red makes the measures that were verified fail."""
    before = state.guards.get(entry.guard)
    if before is None or entry.digest != before.digest:
        return
    after = replace(before, colour=entry.colour, turned_at=logged.at, run=entry.run, run_said=entry.said)
    state.guards[entry.guard] = after
    if entry.colour == "red" and after.is_proven:
        for number, measure in list(state.measures.items()):
            if entry.guard in measure.guards and measure.verified_at and not measure.failed_at:
                state.measures[number] = replace(measure, failed_at=logged.at, failed_guard=entry.guard)
    _judge(state, logged.at, entry.guard)


def _with_text(guard: GuardState, digest: str) -> GuardState:
    if guard.digest == digest:
        return guard
    return replace(guard, digest=digest, colour="", turned_at=None, run="", run_said="")


def _put(state: State, at: datetime, number: int, **fields: object) -> None:
    measure = state.measures.get(number)
    if measure is not None:
        state.measures[number] = _judged(state, at, replace(measure, **fields))  # type: ignore[arg-type]


def _judge(state: State, at: datetime, guard: int) -> None:
    for number, measure in list(state.measures.items()):
        if guard in measure.guards:
            state.measures[number] = _judged(state, at, measure)


def _judged(state: State, at: datetime, measure: Measure) -> Measure:
    now = standing(measure, guards_of(state, measure))
    first = at if now == "verified" and measure.verified_at is None else measure.verified_at
    if now == measure.state:
        return replace(measure, verified_at=first)
    return replace(measure, state=now, verified_at=first, turns=(*measure.turns, Turn(at, now, measure.state)))
