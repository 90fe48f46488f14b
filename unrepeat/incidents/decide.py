"""What an act leads to: entries, or a Problem that says why not. Pure: the state, the act and the moment come in from outside.

`Conflict`: the incident's state forbids it. `Invalid`: what was sent is empty, too long or makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from unrepeat.incidents import acts as a
from unrepeat.incidents import checks, measure_decide
from unrepeat.incidents import entries as e
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.moves import merge, split
from unrepeat.incidents.state import State, Verdict
from unrepeat.support.problems import Conflict, Invalid

SEVERITIES = ("critical", "major", "minor", "info")
ROLES = ("lead", "scribe", "communicator")
SUSPECT_KINDS = ("service", "indicator", "change")


def decide(
    state: State, act: a.Act, *, number: int, at: datetime, into: State | None = None, new: int = 0
) -> list[e.Entry]:
    """The entries that `act`, done at `at` to incident `number` in `state`, leads to.

    A merge needs the other incident's state as `into`; a split the number of the new incident as `new`.
    """
    if state.opened_at is None:
        raise Conflict(f"Incident {number} cannot be acted on.", "Its log does not begin with an opening.")
    if state.status == "merged":
        raise Conflict(
            f"Incident {number} goes on as incident {state.merged_into}.",
            "It was found to be the same outage and merged.",
            f"Do it at incident {state.merged_into}.",
        )
    if at.tzinfo is None:
        raise Invalid("The time has no zone.", "Without one nobody knows which moment is meant.", "Add an offset or Z.")
    if isinstance(act, a.Merge):
        return merge(state, act, number, into)
    if isinstance(act, a.Split):
        return split(state, act, number, new)
    return _DECIDE[type(act)](state, act, number, at)


def open_by_hand(title: str, service: str, severity: str, time_zone: str) -> e.IncidentOpened:
    """The first entry of an incident that a person opens."""
    return e.IncidentOpened(
        checks.text("title", title, checks.TITLE),
        checks.one_of("severity", severity, SEVERITIES),
        checks.optional("service", service, checks.NAME),
        time_zone,
        "by_hand",
    )


# --- the course of the incident -------------------------------------------------------------------------------------


def _acknowledge(state: State, _: a.Acknowledge, number: int, __: datetime) -> list[e.Entry]:
    if state.status not in ("detected", "reopened"):
        who = f"{state.acknowledged_by} was first." if state.acknowledged_by else "It went on without that."
        raise Conflict(
            f"Incident {number} is already {state.status}.",
            who,
            "Write a note, or take a role, to say that you are on it too.",
        )
    return [e.Acknowledged()]


def _mitigate(state: State, act: a.Mitigate, number: int, at: datetime) -> list[e.Entry]:
    checks.needs_open(state, number)
    if state.status == "mitigated":
        raise Conflict(
            f"Incident {number} is already mitigated.",
            f"It was declared so: {checks.shortened(state.mitigation, 120)}",
            "Write a note, or resolve it when all is well.",
        )
    checks.not_before_start(state, number, at)
    if act.change is not None and act.change not in state.changes:
        raise Invalid(
            f"Change {act.change} is not among the changes of incident {number}.",
            "What stopped the harm must be one of the changes near the incident.",
            checks.choices("Name one of these", state.changes),
        )
    return [e.Mitigated(checks.text("account of what stopped the harm", act.how, checks.REASON), act.change)]


def _resolve(state: State, act: a.Resolve, number: int, at: datetime) -> list[e.Entry]:
    checks.needs_open(state, number)
    checks.not_before_start(state, number, at)
    return [e.Resolved(checks.text("account of how you know", act.how, checks.REASON))]


def _reopen(state: State, act: a.Reopen, number: int, _: datetime) -> list[e.Entry]:
    if state.status != "resolved":
        raise Conflict(
            f"Incident {number} is still open.",
            f"It is {state.status}, not resolved.",
            "Write a note about what you see.",
        )
    return [e.Reopened(checks.text("reason", act.reason, checks.REASON))]


def _correct_start(state: State, act: a.CorrectStart, number: int, _: datetime) -> list[e.Entry]:
    if act.started_at.tzinfo is None:
        raise Invalid(
            "The start has no time zone.", "Without one nobody knows which moment is meant.", "Add an offset or Z."
        )
    checks.not_too_old(act.started_at)
    if state.detected_at and act.started_at > state.detected_at:
        raise Invalid(
            f"Incident {number} cannot have begun after it was detected.",
            f"It was detected at {state.detected_at:%Y-%m-%d %H:%M} UTC.",
            "Give a moment that is not later than that.",
        )
    if state.started_at == act.started_at:
        raise Conflict(
            f"Incident {number} already begins at that moment.", "Nothing would change.", "Give another one."
        )
    return [e.StartCorrected(act.started_at, checks.optional("reason", act.reason, checks.REASON))]


# --- what people say ------------------------------------------------------------------------------------------------


def _note(_: State, act: a.Note, __: int, ___: datetime) -> list[e.Entry]:
    return [e.NoteWritten(checks.text("text", act.text, checks.TEXT))]


def _hand_role(state: State, act: a.HandRole, number: int, _: datetime) -> list[e.Entry]:
    to, role = checks.text("person's name", act.to, checks.NAME), checks.one_of("role", act.role, ROLES)
    before = state.roles.get(act.role, "")
    if before == to:
        raise Conflict(f"{to} already is {role} of incident {number}.", "Nothing would change.", "Name somebody else.")
    return [e.RoleHanded(act.role, to, before)]


def _escalate(state: State, act: a.Escalate, number: int, _: datetime) -> list[e.Entry]:
    checks.needs_open(state, number)
    return [
        e.Escalated(checks.text("team", act.team, checks.NAME), checks.optional("reason", act.reason, checks.REASON))
    ]


def _set_severity(state: State, act: a.SetSeverity, number: int, _: datetime) -> list[e.Entry]:
    severity = checks.one_of("severity", act.severity, SEVERITIES)
    if state.severity == severity and state.severity_by_hand:
        raise Conflict(f"Incident {number} already is {severity}.", "Nothing would change.", "Choose another severity.")
    return [e.SeverityChanged(severity, checks.optional("reason", act.reason, checks.REASON))]


def _retitle(state: State, act: a.Retitle, number: int, _: datetime) -> list[e.Entry]:
    title = checks.text("title", act.title, checks.TITLE)
    if state.title == title:
        raise Conflict(f"Incident {number} already has that title.", "Nothing would change.", "Give another title.")
    return [e.Retitled(title)]


# --- suspects -------------------------------------------------------------------------------------------------------


def _suspect(verdict: Verdict) -> Callable[[State, Any, int, datetime], list[e.Entry]]:
    made = {"suspect": e.SuspectRaised, "cleared": e.SuspectCleared, "guilty": e.SuspectConvicted}[verdict]
    said = {"suspect": "under suspicion", "cleared": "cleared", "guilty": "found guilty"}[verdict]

    def decided(
        state: State, act: a.RaiseSuspect | a.ClearSuspect | a.ConvictSuspect, number: int, _: datetime
    ) -> list[e.Entry]:
        name = checks.text("suspect", act.suspect, checks.NAME)
        checks.one_of("kind", act.kind, SUSPECT_KINDS)
        reason, evidence = checks.text("reason", act.reason, checks.REASON), checks.evidence(act.evidence)
        before = state.suspects.get((act.kind, name))
        if (
            before is not None and before.verdict == verdict and before.by != MACHINE
        ):  # a person may confirm the machine
            raise Conflict(
                f"The {act.kind} {name} is already {said} at incident {number}.",
                f"{before.by} said so: {checks.shortened(before.reason, 120)}",
                "Write a note to add to it, or come to another verdict.",
            )
        entry = made(name, act.kind, reason, evidence)
        if before is None and verdict != "suspect":
            return [e.SuspectRaised(name, act.kind, ""), entry]
        return [entry]

    return decided


_DECIDE: dict[type[a.Act], Callable[[State, Any, int, datetime], list[e.Entry]]] = {
    a.Acknowledge: _acknowledge,
    a.Note: _note,
    a.RaiseSuspect: _suspect("suspect"),
    a.ClearSuspect: _suspect("cleared"),
    a.ConvictSuspect: _suspect("guilty"),
    a.HandRole: _hand_role,
    a.Escalate: _escalate,
    a.SetSeverity: _set_severity,
    a.Retitle: _retitle,
    a.CorrectStart: _correct_start,
    a.Mitigate: _mitigate,
    a.Resolve: _resolve,
    a.Reopen: _reopen,
    **measure_decide.DECIDE,
}
