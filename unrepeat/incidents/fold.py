"""The fold: an incident's log in, its state out. Pure, total and deterministic.

Entries are taken in the order of `seq`. An entry that makes no sense where it stands (a second resolve, an unknown alert)
changes nothing but `last_seq` and `last_at`; so does one of an unknown kind. What people may do is `decide.py`'s business.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

from unrepeat.incidents import entries as e
from unrepeat.incidents import measures, repeats
from unrepeat.incidents.entries import IMPACT
from unrepeat.incidents.redacted import without_words
from unrepeat.incidents.state import Evidence, NearChange, OpenAlert, State
from unrepeat.incidents.verdicts import judge

_CONTAINERS = tuple(f.name for f in dataclasses.fields(State) if f.default_factory is not dataclasses.MISSING)
MACHINE = "unrepeat"  # the author of what Unrepeat does by itself
_BY_MACHINES = {
    e.AlertFired,
    e.AlertResolved,
    e.ChangeNoticed,
    e.EvidenceGathered,
    e.EvidenceMissing,
    e.GuardTurned,
    e.MergeReceived,
    e.RepeatedBy,
}
BY_HAND = "by_hand"  # the `rule` of an incident that a person opened


def fold(log: Iterable[e.Logged]) -> State:
    """The state that a whole log gives."""
    state = State()
    for logged in log:
        _apply(state, logged)
    return state


def step(state: State, logged: e.Logged) -> State:
    """The state after one more entry; the given state stays as it was."""
    after = copied(state)
    _apply(after, logged)
    return after


def step_all(state: State, log: Iterable[e.Logged]) -> None:
    """Step a state of one's own through more entries, in place."""
    for logged in log:
        _apply(state, logged)


def copied(state: State) -> State:
    """Another state that can be stepped on its own: containers are copied, the records in them are never changed."""
    other = copy.copy(state)
    for name in _CONTAINERS:
        setattr(other, name, getattr(state, name).copy())
    return other


def _apply(state: State, logged: e.Logged) -> None:
    state.last_seq = logged.seq
    if state.last_at is None or logged.at > state.last_at:
        state.last_at = logged.at
    entry = logged.entry
    if type(entry) not in _BY_MACHINES and logged.by != MACHINE and (not state.acted_at or logged.at > state.acted_at):
        state.acted_at = logged.at
    if isinstance(entry, e.Redacted):
        rebuilt = without_words(entry)
        if rebuilt is None:
            return
        entry = rebuilt
    do = _DO.get(type(entry))
    if do is not None:
        do(state, logged, entry)


# --- the course of the incident -------------------------------------------------------------------------------------


def _opened(state: State, logged: e.Logged, entry: e.IncidentOpened) -> None:
    if state.opened_at is not None:
        return
    state.title, state.severity, state.rule = entry.title or "(redacted)", entry.severity, entry.rule
    state.time_zone = entry.time_zone or "UTC"
    state.opened_at = state.detected_at = state.started_at = logged.at
    _touch(state, entry.service)


def _acknowledged(state: State, logged: e.Logged, _: e.Acknowledged) -> None:
    if state.acknowledged_at is None:
        state.acknowledged_at, state.acknowledged_by = logged.at, logged.by
    if state.status in ("detected", "reopened"):
        state.status = "acknowledged"


def _mitigated(state: State, logged: e.Logged, entry: e.Mitigated) -> None:
    if state.is_open and state.status != "mitigated":
        state.status = "mitigated"
        state.mitigated_at, state.mitigation, state.mitigating_change = logged.at, entry.how, entry.change


def _resolved(state: State, logged: e.Logged, entry: e.Resolved) -> None:
    if state.is_open:
        state.status = "resolved"
        state.resolved_at, state.resolution, state.resolved_by_itself = logged.at, entry.how, entry.by_itself


def _reopened(state: State, _: e.Logged, __: e.Reopened) -> None:
    if state.status == "resolved":
        state.status = "reopened"
        state.reopened += 1
        state.resolved_at, state.resolution, state.resolved_by_itself = None, "", False
        state.mitigated_at, state.mitigation, state.mitigating_change = None, "", None


def _merged_into(state: State, _: e.Logged, entry: e.MergedInto) -> None:
    if state.status != "merged":
        state.status, state.merged_into = "merged", entry.incident
        state.alerts.clear()
        state.firing, state.calm_at, state.quiet_since = 0, None, None


def _merge_received(state: State, _: e.Logged, entry: e.MergeReceived) -> None:
    if entry.incident not in state.merged_from:
        state.merged_from.append(entry.incident)


def _start_corrected(state: State, _: e.Logged, entry: e.StartCorrected) -> None:
    state.started_at, state.start_corrected = entry.started_at, True


# --- alerts and changes ---------------------------------------------------------------------------------------------


def _alert_fired(state: State, logged: e.Logged, entry: e.AlertFired) -> None:
    if state.status == "merged":
        return
    before = state.alerts.get(entry.alert)
    fired_at = logged.at if before is None else min(before.fired_at, logged.at)
    if before is None or before.resolved_at is not None:
        state.firing += 1
    state.alerts[entry.alert] = OpenAlert(
        entry.alert, entry.name, entry.service, entry.severity, entry.summary, fired_at, entry.source, entry.url
    )
    state.quiet_since = None
    _touch(state, entry.service)
    if state.start_corrected:
        return
    first = len(state.alerts) == 1 and state.rule != BY_HAND
    if first or state.started_at is None or fired_at < state.started_at:
        state.started_at = fired_at


def _alert_resolved(state: State, logged: e.Logged, entry: e.AlertResolved) -> None:
    alert = state.alerts.get(entry.alert)
    if alert is None or alert.resolved_at is not None:
        return
    at = max(logged.at, alert.fired_at)
    state.alerts[entry.alert] = OpenAlert(
        alert.alert,
        alert.name,
        alert.service,
        alert.severity,
        alert.summary,
        alert.fired_at,
        alert.source,
        alert.url,
        at,
    )
    state.firing -= 1
    state.calm_at = at if state.calm_at is None else max(state.calm_at, at)
    state.quiet_since = None if state.firing else state.calm_at


def _split_off(state: State, _: e.Logged, entry: e.AlertsSplitOff) -> None:
    for number in entry.alerts:
        gone = state.alerts.pop(number, None)
        if gone is not None and gone.resolved_at is None:
            state.firing -= 1
    state.calm_at = max((a.resolved_at for a in state.alerts.values() if a.resolved_at), default=None)
    state.quiet_since = None if state.firing else state.calm_at
    first = min((a.fired_at for a in state.alerts.values()), default=None)
    if first and not state.start_corrected:
        state.started_at = min(first, state.opened_at) if state.rule == BY_HAND and state.opened_at else first


def _change_noticed(state: State, logged: e.Logged, entry: e.ChangeNoticed) -> None:
    state.changes[entry.change] = NearChange(
        entry.change,
        entry.change_kind,
        entry.status,
        entry.service,
        entry.version,
        entry.previous,
        entry.summary,
        entry.author,
        entry.url,
        logged.at,
    )


def _touch(state: State, service: str) -> None:
    if service and service not in state.services:
        state.services.append(service)


# --- what people say ------------------------------------------------------------------------------------------------


def _note(state: State, _: e.Logged, __: e.NoteWritten) -> None:
    state.notes += 1


def _role(state: State, _: e.Logged, entry: e.RoleHanded) -> None:
    state.roles[entry.role] = entry.to


def _escalated(state: State, _: e.Logged, entry: e.Escalated) -> None:
    if entry.team and entry.team not in state.escalated_to:
        state.escalated_to.append(entry.team)


def _severity(state: State, logged: e.Logged, entry: e.SeverityChanged) -> None:
    state.severity = entry.severity
    state.severity_by_hand = logged.by != MACHINE


def _retitled(state: State, _: e.Logged, entry: e.Retitled) -> None:
    state.title = entry.title or "(redacted)"


# --- evidence -----------------------------------------------------------------------------------------------------


def _evidence(state: State, logged: e.Logged, entry: e.EvidenceGathered) -> None:
    state.evidence[entry.digest] = Evidence(
        entry.digest,
        entry.title,
        entry.source,
        entry.query,
        entry.window_from,
        entry.window_to,
        entry.service,
        entry.unit,
        logged.at,
    )
    state.missing.pop(entry.title, None)


def _impact(state: State, _: e.Logged, entry: e.ImpactMeasured) -> None:
    state.impact = entry
    state.missing.pop(IMPACT, None)


def _missing(state: State, _: e.Logged, entry: e.EvidenceMissing) -> None:
    state.missing[entry.title] = entry.reason


_DO: dict[type[e.Entry], Callable[[State, e.Logged, Any], None]] = {
    e.IncidentOpened: _opened,
    e.AlertFired: _alert_fired,
    e.AlertResolved: _alert_resolved,
    e.ChangeNoticed: _change_noticed,
    e.Acknowledged: _acknowledged,
    e.NoteWritten: _note,
    e.RoleHanded: _role,
    e.Escalated: _escalated,
    e.SuspectRaised: lambda state, logged, entry: judge(state, logged, entry, "suspect"),
    e.SuspectCleared: lambda state, logged, entry: judge(state, logged, entry, "cleared"),
    e.SuspectConvicted: lambda state, logged, entry: judge(state, logged, entry, "guilty"),
    e.EvidenceGathered: _evidence,
    e.EvidenceMissing: _missing,
    e.ImpactMeasured: _impact,
    e.SeverityChanged: _severity,
    e.Retitled: _retitled,
    e.StartCorrected: _start_corrected,
    e.Mitigated: _mitigated,
    e.Resolved: _resolved,
    e.Reopened: _reopened,
    e.MergedInto: _merged_into,
    e.MergeReceived: _merge_received,
    e.AlertsSplitOff: _split_off,
    e.CauseNamed: measures.cause_named,
    e.CauseWithdrawn: measures.cause_withdrawn,
    e.RiskAccepted: measures.risk_accepted,
    e.MeasureProposed: measures.proposed,
    e.MeasureAmended: measures.proposed,
    e.MeasureDropped: measures.dropped,
    e.MeasureDone: measures.done,
    e.MeasureReopened: measures.reopened,
    e.TicketLinked: measures.ticket_linked,
    e.RegressionClosed: measures.regression_closed,
    e.GuardTied: measures.tied,
    e.GuardUntied: measures.untied,
    e.GuardChanged: measures.changed,
    e.GuardProven: measures.proven,
    e.GuardNotProven: measures.not_proven,
    e.GuardTurned: measures.turned,
    e.RepeatSuspected: repeats.suspected,
    e.RepeatConfirmed: repeats.confirmed,
    e.RepeatRejected: repeats.rejected,
    e.RepeatedBy: repeats.repeated_by,
}
