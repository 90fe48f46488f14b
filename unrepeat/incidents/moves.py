"""Alerts that move from one incident to another: merge and split. Pure; part of `decide.py`."""

from __future__ import annotations

from datetime import datetime

from unrepeat.incidents import acts as a
from unrepeat.incidents import checks
from unrepeat.incidents import entries as e
from unrepeat.incidents.state import NearChange, OpenAlert, State
from unrepeat.support.problems import Conflict, Invalid

ALERTS = 10_000  # alerts split off at once


def merge(state: State, act: a.Merge, number: int, into: State | None) -> list[e.Entry]:
    """What the log of the merged incident gets; `into` is the state of the one it goes on in."""
    if act.into == number:
        raise Invalid(
            "An incident cannot be merged into itself.",
            f"Both are incident {number}.",
            "Name the incident it goes on in.",
        )
    if into is None:
        raise Invalid(
            f"There is no incident {act.into}.", "Nothing can go on there.", "Name an incident from the list."
        )
    if into.status == "merged":
        raise Conflict(
            f"Incident {act.into} goes on as incident {into.merged_into}.",
            "It was merged itself.",
            f"Merge into incident {into.merged_into}.",
        )
    if state.is_open and not into.is_open:
        raise Conflict(
            f"Incident {act.into} is resolved, and incident {number} is not.",
            "An outage that goes on cannot continue in one that is over.",
            f"Reopen incident {act.into} first, or resolve incident {number}.",
        )
    return [e.MergedInto(act.into, checks.optional("reason", act.reason, checks.REASON))]


def split(state: State, act: a.Split, number: int, new: int) -> list[e.Entry]:
    """What the log of the incident gets that some alerts leave for incident `new`."""
    alerts = tuple(dict.fromkeys(act.alerts))
    strangers = [alert for alert in alerts if alert not in state.alerts]
    if not alerts or len(alerts) > ALERTS:
        raise Invalid(
            "No alerts were named." if not alerts else "Too many alerts were named.",
            "A split takes some alerts along to the new incident.",
            checks.choices("Name some of these", state.alerts),
        )
    if strangers:
        raise Invalid(
            f"Alert {strangers[0]} does not belong to incident {number}.",
            "Only its own alerts can be split off.",
            checks.choices("Name some of these", state.alerts),
        )
    if len(alerts) == len(state.alerts):
        raise Conflict(
            f"Incident {number} would be left without an alert.",
            "A split leaves some of the alerts behind.",
            "Name fewer alerts, or give the incident another title.",
        )
    checks.optional("title", act.title, checks.TITLE)
    return [e.AlertsSplitOff(new, alerts, checks.optional("reason", act.reason, checks.REASON))]


def receive_merge(source: State, number: int, target: State, reason: str, at: datetime) -> list[e.Happened]:
    """What the log of `target` gets when incident `number` (in state `source`) is merged into it: all its alerts and changes."""
    came = [
        e.Happened(_change(change), change.at)
        for change in source.changes.values()
        if change.change not in target.changes
    ]
    for alert in source.alerts.values():
        if alert.alert in target.alerts:
            continue
        came.append(e.Happened(_alert(alert, f"Merged from incident {number}."), alert.fired_at))
        if alert.resolved_at:
            came.append(e.Happened(e.AlertResolved(alert.alert, alert.name), alert.resolved_at))
    return [e.Happened(e.MergeReceived(number, source.title, reason), at), *came]


def begin_split(state: State, act: a.Split, number: int, time_zone: str) -> list[e.Happened]:
    """The first entries of the new incident that the split-off alerts of incident `number` go to."""
    alerts = sorted((state.alerts[n] for n in act.alerts), key=lambda alert: (alert.fired_at, alert.alert))
    first = alerts[0]
    title = act.title.strip() or checks.shortened(
        first.summary or f"{first.name} on {first.service or 'an unnamed service'}"
    )
    opened = e.IncidentOpened(title, state.severity, first.service, time_zone, "split")
    begun = [e.Happened(opened, first.fired_at)]
    for alert in alerts:
        begun.append(e.Happened(_alert(alert, f"Split off from incident {number}."), alert.fired_at))
        if alert.resolved_at:
            begun.append(e.Happened(e.AlertResolved(alert.alert, alert.name), alert.resolved_at))
    return begun


def _alert(alert: OpenAlert, why: str) -> e.AlertFired:
    return e.AlertFired(
        alert.alert, alert.name, alert.service, alert.severity, alert.summary, alert.source, alert.url, why
    )


def _change(change: NearChange) -> e.ChangeNoticed:
    return e.ChangeNoticed(
        change.change,
        change.kind,
        change.status,
        change.service,
        change.version,
        change.previous,
        change.summary,
        change.author,
        change.url,
    )
