"""What acts about causes, measures and repeats lead to. Pure; part of `decide.py`, and raises what it raises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from unrepeat.incidents import acts as a
from unrepeat.incidents import causes, checks
from unrepeat.incidents import entries as e
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.state import State
from unrepeat.support.problems import Conflict, Invalid

MEASURE_KINDS = ("improvement", "task")
EFFECTS = ("", "prevent", "detect", "mitigate")


# --- causes ---------------------------------------------------------------------------------------------------------


def _name_cause(state: State, act: a.NameCause, number: int, _: datetime) -> list[e.Entry]:
    role, value = act.role, act.value
    checks.one_of("role", role, tuple(causes.ROLES))
    checks.one_of(f"word for a {causes.ROLES[role].lower()}", value, tuple(causes.WORDS[role]))
    text = checks.optional("text", act.text, checks.REASON)
    if causes.ends_with_a_person(text):
        raise Invalid(
            "“Human error” is no end of an investigation.",
            "A person's action belongs to the trigger; what let it do harm is the cause.",
            "Ask what let a reasonable person do this, and name that: a missing check, a tool that accepted it, a stale runbook.",
        )
    if role == "trigger" and (before := [c for c in state.causes.values() if c.role == "trigger"]):
        raise Conflict(
            f"Incident {number} already has a trigger.",
            f"It is {causes.TRIGGERS.get(before[0].value, before[0].value)}.",
            f"Withdraw cause {before[0].number} first.",
        )
    return [e.CauseNamed(state.last_cause + 1, role, value, text)]


def _withdraw_cause(state: State, act: a.WithdrawCause, number: int, _: datetime) -> list[e.Entry]:
    _needs_cause(state, act.cause, number)
    return [e.CauseWithdrawn(act.cause, checks.text("reason", act.reason, checks.REASON))]


def _accept_risk(state: State, act: a.AcceptRisk, number: int, _: datetime) -> list[e.Entry]:
    _needs_cause(state, act.cause, number)
    return [e.RiskAccepted(act.cause, checks.text("reason", act.reason, checks.REASON))]


def _needs_cause(state: State, cause: int, number: int) -> None:
    if cause not in state.causes:
        raise Invalid(
            f"Incident {number} has no cause {cause}.",
            "Causes are counted from 1 at each incident, and one that was withdrawn is gone.",
            checks.choices("Name one of these", state.causes),
        )


# --- measures -------------------------------------------------------------------------------------------------------


def _propose(state: State, act: a.ProposeMeasure, number: int, __: datetime) -> list[e.Entry]:
    return [e.MeasureProposed(max(state.measures, default=0) + 1, act.kind, *_wording(state, act, number))]


def _amend(state: State, act: a.AmendMeasure, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_measure(state, act.measure, number)
    return [e.MeasureAmended(act.measure, act.kind, *_wording(state, act, number))]


def _wording(
    state: State, act: a.ProposeMeasure | a.AmendMeasure, number: int
) -> tuple[str, str, str, e.Effect, tuple[int, ...]]:
    checks.one_of("kind", act.kind, MEASURE_KINDS)
    checks.one_of("effect", act.effect, EFFECTS)
    for cause in act.answers:
        _needs_cause(state, cause, number)
    text, owner = checks.text("text", act.text, checks.REASON), checks.optional("owner", act.owner, checks.NAME)
    return text, owner, act.due.isoformat() if act.due else "", act.effect, tuple(dict.fromkeys(act.answers))


def _drop(state: State, act: a.DropMeasure, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_measure(state, act.measure, number)
    return [e.MeasureDropped(act.measure, checks.text("reason", act.reason, checks.REASON))]


def _finish(state: State, act: a.FinishMeasure, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_measure(state, act.measure, number)
    if state.measures[act.measure].done_at is not None:
        raise Conflict(
            f"Measure {act.measure} of incident {number} is already done.",
            f"{state.measures[act.measure].done_by} said so.",
            "Prove a guard of it to see it verified.",
        )
    return [e.MeasureDone(act.measure, checks.optional("how", act.how, checks.REASON))]


def _reopen_measure(state: State, act: a.ReopenMeasure, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_measure(state, act.measure, number)
    if state.measures[act.measure].done_at is None:
        raise Conflict(f"Measure {act.measure} of incident {number} is open.", "Nothing would change.", "Write a note.")
    return [e.MeasureReopened(act.measure, checks.text("reason", act.reason, checks.REASON))]


def _close_regression(state: State, act: a.CloseRegression, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_measure(state, act.measure, number)
    measure = state.measures[act.measure]
    if measure.failed_at is None:
        raise Conflict(
            f"Measure {act.measure} of incident {number} has not failed.",
            f"It is {measure.state}.",
            "Only a regression is closed; write a note, or drop the measure.",
        )
    for guard in guards_of(state, measure):
        if guard.colour in ("red", "broken"):
            raise Conflict(
                f"Measure {act.measure} of incident {number} still fails.",
                f"Its guard {guard.name} is {guard.colour}: {checks.shortened(guard.run_said, 120)}",
                "Mend what it shows and run it again; when it is green, close this.",
            )
    return [e.RegressionClosed(act.measure, checks.text("account of how you know", act.how, checks.REASON))]


# --- repeats --------------------------------------------------------------------------------------------------------


def _confirm_repeat(state: State, act: a.ConfirmRepeat, number: int, _: datetime) -> list[e.Entry]:
    found = _named(state, act.postmortem, number)
    if found == "confirmed":
        raise Conflict(f"Incident {number} already is a repeat of PM-{act.postmortem}.", "It was confirmed before.", "")
    past = state.repeats[act.postmortem].incident
    return [e.RepeatConfirmed(act.postmortem, past, checks.optional("reason", act.reason, checks.REASON))]


def _reject_repeat(state: State, act: a.RejectRepeat, number: int, _: datetime) -> list[e.Entry]:
    if _named(state, act.postmortem, number) == "rejected":
        raise Conflict(f"Incident {number} is already said to be no repeat of PM-{act.postmortem}.", "It was.", "")
    return [e.RepeatRejected(act.postmortem, checks.optional("reason", act.reason, checks.REASON))]


def _named(state: State, postmortem: int, number: int) -> str:
    if postmortem not in state.repeats:
        raise Invalid(
            f"PM-{postmortem} is not named at incident {number}.",
            "Only a past postmortem that was found to be like it can be confirmed or rejected in one click.",
            checks.choices("Name one of these", state.repeats),
        )
    return state.repeats[postmortem].standing


DECIDE: dict[type[a.Act], Callable[[State, Any, int, datetime], list[e.Entry]]] = {
    a.NameCause: _name_cause,
    a.WithdrawCause: _withdraw_cause,
    a.AcceptRisk: _accept_risk,
    a.ProposeMeasure: _propose,
    a.AmendMeasure: _amend,
    a.DropMeasure: _drop,
    a.FinishMeasure: _finish,
    a.ReopenMeasure: _reopen_measure,
    a.CloseRegression: _close_regression,
    a.ConfirmRepeat: _confirm_repeat,
    a.RejectRepeat: _reject_repeat,
}
