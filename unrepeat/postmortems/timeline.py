"""The timeline of a report: the log's entries that a reader needs, in order. Pure.

The rule, which the report states: evidence, roles, headlines, causes, measures, guards and notes about the log itself are left out
(they stand in the incident's log, and in other sections), but for when harm began and ended by the last count. That it was known
again while it lasted is told: the first time a past failure was likely, and what people said of it. Alerts of one name on one service are one line, when they first fired, and one when the last resolved;
a change is one line, with its last status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from unrepeat.incidents import entries as e
from unrepeat.incidents.entries import Logged
from unrepeat.postmortems.plain import clean, web_link
from unrepeat.postmortems.report import Line

Lane = Literal["alerts", "changes", "people", "suspects", "harm"]
ALERT_LINES = 12  # names of alerts that get lines of their own; a storm of others is counted
LONG = 1000  # characters of a note
LEFT_OUT: dict[type[e.Entry], str] = {
    e.EvidenceGathered: "evidence",
    e.EvidenceMissing: "evidence",
    e.ImpactMeasured: "evidence",
    e.RoleHanded: "roles",
    e.Retitled: "headlines",
    e.MeasureProposed: "measures",
    e.MeasureAmended: "measures",
    e.MeasureDropped: "measures",
    e.MeasureDone: "measures",
    e.MeasureReopened: "measures",
    e.RegressionClosed: "measures",
    e.TicketLinked: "measures",
    e.CauseNamed: "causes",
    e.CauseWithdrawn: "causes",
    e.RiskAccepted: "causes",
    e.GuardTied: "guards",
    e.GuardUntied: "guards",
    e.GuardChanged: "guards",
    e.GuardProven: "guards",
    e.GuardNotProven: "guards",
    e.GuardTurned: "guards",
    e.RepeatedBy: "repeats",
    e.EntryRedacted: "redactions",
    e.Redacted: "redactions",
    e.IncidentOpened: "opening",
    e.Unknown: "entries of a newer version",
}
_SHIPPED = {
    "deploy": "deployed",
    "release": "released",
    "config": "configuration changed",
    "flag": "flag switched",
    "migration": "migrated",
    "infrastructure": "infrastructure changed",
    "push": "pushed",
}


def timeline(
    log: Sequence[Logged], trigger: int | None, patch: int | None
) -> tuple[tuple[Line, ...], tuple[tuple[str, int], ...]]:
    """The lines in order of time, and what was left out (words, how many entries)."""
    lines: list[Line] = []
    left_out: Counter[str] = Counter()
    kept = _Repeats(log)
    harm: list[Line] = []
    for logged in log:
        entry = logged.entry
        if isinstance(entry, e.ImpactMeasured):
            harm = _harm(logged, entry)
        if type(entry) in LEFT_OUT and not _opened_by_hand(entry):
            left_out[LEFT_OUT[type(entry)]] += 1
        elif said := kept.repeated(logged):
            left_out[said] += 1
        elif make := _LINES.get(type(entry)):
            lines.append(_with_role(make(logged, entry, kept), entry, trigger, patch))
        else:
            left_out["other entries"] += 1
    return tuple(sorted([*lines, *harm], key=lambda line: (line.at, line.seq))), tuple(sorted(left_out.items()))


def _harm(logged: Logged, entry: e.ImpactMeasured) -> list[Line]:
    """When harm began and ended, as found in the data: facts that no alert and nobody said."""
    said = (
        (
            entry.harm_from,
            "Harm began",
            "from then on clearly more users were slowed, or lost what they tried, than before",
        ),
        (entry.harm_to, "Harm ended", "from then on no more users were slowed than before"),
    )
    return [
        Line(at, "note", key, "", clean(f"{why} · found from {entry.source}"), "unrepeat", logged.seq, "harm")
        for at, key, why in said
        if at is not None
    ]


def _opened_by_hand(entry: e.Entry) -> bool:
    """An incident that a person opened began with that person; one that an alert opened, with the alert."""
    return isinstance(entry, e.IncidentOpened) and entry.rule == "by_hand"


class _Repeats:
    """Which entries of a log only repeat another one: alerts of one name, earlier statuses of a change."""

    def __init__(self, log: Sequence[Logged]) -> None:
        self.fired: dict[tuple[str, str], int] = {}  # name, service -> seq of the first
        self.count: Counter[tuple[str, str]] = Counter()
        self.of: dict[int, tuple[str, str]] = {}  # alert -> name, service
        self.resolved: dict[tuple[str, str], int] = {}  # name, service -> seq of the last
        self.change: dict[int, int] = {}  # change -> seq of the last
        self.likely: dict[int, int] = {}  # postmortem -> seq of the first time that it was likely this failure
        self.over: datetime | None = None  # when it was last resolved
        for logged in log:
            entry = logged.entry
            if isinstance(entry, e.AlertFired):
                self.of[entry.alert] = (entry.name, entry.service)
                self.fired.setdefault((entry.name, entry.service), logged.seq)
                self.count[entry.name, entry.service] += 1
            elif isinstance(entry, e.AlertResolved):
                self.resolved[self.of.get(entry.alert, (entry.name, ""))] = logged.seq
            elif isinstance(entry, e.ChangeNoticed):
                self.change[entry.change] = logged.seq
            elif isinstance(entry, e.RepeatSuspected) and entry.standing == "likely":
                self.likely.setdefault(entry.postmortem, logged.seq)
            elif isinstance(entry, e.Resolved):
                self.over = logged.at
        self.shown = set(list(self.fired)[:ALERT_LINES])

    def repeated(self, logged: Logged) -> str:
        """What a repeating entry is called among what was left out; empty for one that has a line."""
        entry = logged.entry
        if isinstance(entry, e.AlertFired):
            key = (entry.name, entry.service)
            return "" if key in self.shown and self.fired[key] == logged.seq else "further alerts"
        if isinstance(entry, e.AlertResolved):
            key = self.of.get(entry.alert, (entry.name, ""))
            shown = key in self.shown or key not in self.fired
            return "" if shown and self.resolved[key] == logged.seq else "further alerts"
        if isinstance(entry, e.ChangeNoticed):
            return "" if self.change[entry.change] == logged.seq else "earlier statuses of a change"
        if isinstance(entry, e.RepeatSuspected | e.RepeatConfirmed | e.RepeatRejected):
            return "" if self._told_in_time(logged) else "repeats"
        return ""

    def _told_in_time(self, logged: Logged) -> bool:
        """Whether that a failure was known again, or was not, was said while the outage lasted; a likeness counts once."""
        entry, lasted = logged.entry, self.over is None or logged.at <= self.over
        if isinstance(entry, e.RepeatSuspected):
            return lasted and self.likely.get(entry.postmortem) == logged.seq
        return lasted


def _with_role(line: Line, entry: e.Entry, trigger: int | None, patch: int | None) -> Line:
    if isinstance(entry, e.ChangeNoticed) and entry.change == trigger:
        return replace(line, role="trigger")
    if isinstance(entry, e.ChangeNoticed) and entry.change == patch:
        return replace(line, role="patch")
    return line


def _line(
    logged: Logged, mark: str, key: str, said: str, *, why: str = "", lane: Lane = "people", url: str = ""
) -> Line:
    return Line(
        logged.at,
        mark,
        clean(key, 200),
        clean(said, LONG),
        clean(why, LONG),
        clean(logged.by, 120),
        logged.seq,
        lane,
        url=web_link(url),
    )


def _why(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _alert_fired(logged: Logged, entry: Any, kept: _Repeats) -> Line:
    count = kept.count[entry.name, entry.service]
    on = f"fired on {entry.service}" if entry.service else "fired"
    more = f"{count - 1} more of it until the end" if count > 1 else ""
    return _line(
        logged,
        "alert",
        entry.name,
        on,
        why=_why(entry.summary if entry.summary != entry.name else "", entry.source, more),
        lane="alerts",
        url=entry.url,
    )


def _alert_resolved(logged: Logged, entry: Any, kept: _Repeats) -> Line:
    service = kept.of.get(entry.alert, ("", ""))[1]
    return _line(logged, "verified", entry.name, f"resolved on {service}" if service else "resolved", lane="alerts")


def _change(logged: Logged, entry: Any, _: _Repeats) -> Line:
    key = " ".join(part for part in (entry.service, entry.version) if part) or entry.summary or f"change {entry.change}"
    shipped = _SHIPPED.get(entry.change_kind, entry.change_kind)
    said = shipped if entry.status in ("", "succeeded") else f"{entry.change_kind} {entry.status}"
    summary = entry.summary if entry.summary != key else ""
    before = f"before: {entry.previous}" if entry.previous else ""
    author = f"by {entry.author}" if entry.author else ""
    return _line(logged, "change", key, said, why=_why(summary, before, author), lane="changes", url=entry.url)


def _known_again(logged: Logged, entry: Any, _: _Repeats) -> Line:
    said = f"likely the failure of PM-{entry.postmortem} come back"
    ended = f"ended then by {entry.ended_by}" if entry.ended_by else ""
    why = _why(f"“{entry.headline}”" if entry.headline else "", ", ".join(entry.reasons), ended, f"by {logged.by}")
    return _line(logged, "note", "Seen before:", said, why=why)


def _suspect(mark: str, said: str) -> Callable[[Logged, Any, _Repeats], Line]:
    def make(logged: Logged, entry: Any, _: _Repeats) -> Line:
        return _line(logged, mark, entry.suspect, said, why=_why(entry.reason, f"by {logged.by}"), lane="suspects")

    return make


def _said(mark: str, key: str, said: str, why: str = "") -> Callable[[Logged, Any, _Repeats], Line]:
    """A line from templates that name the entry's fields, and `by`."""

    def make(logged: Logged, entry: Any, _: _Repeats) -> Line:
        fields = {name: getattr(entry, name) for name in entry.__dataclass_fields__} | {"by": logged.by}
        key_, said_, why_ = (_fill(template, fields) for template in (key, said, why))
        return _line(logged, mark, key_, said_, why=why_)

    return make


def _fill(template: str, fields: dict[str, Any]) -> str:
    """Puts fields in; parts of small print (between ` · `) whose fields are empty go."""
    parts = template.split(" · ")
    return " · ".join(
        part.format(**fields) for part in parts if all(fields[n] != "" for n in fields if f"{{{n}}}" in part)
    )


def _resolved(logged: Logged, entry: Any, _: _Repeats) -> Line:
    said = "by itself, after a quiet time" if entry.by_itself else ""
    return _line(
        logged, "verified", "Resolved", said, why=_why(entry.how, "" if entry.by_itself else f"by {logged.by}")
    )


_LINES: dict[type[e.Entry], Callable[[Logged, Any, _Repeats], Line]] = {
    e.AlertFired: _alert_fired,
    e.AlertResolved: _alert_resolved,
    e.ChangeNoticed: _change,
    e.SuspectRaised: _suspect("suspect", "raised as a suspect"),
    e.SuspectCleared: _suspect("cleared", "cleared"),
    e.SuspectConvicted: _suspect("guilty", "found guilty"),
    e.RepeatSuspected: _known_again,
    e.RepeatConfirmed: _said("note", "{by}", "says that it is the failure of PM-{postmortem} come back", "{reason}"),
    e.RepeatRejected: _said("note", "{by}", "says that it is not the failure of PM-{postmortem}", "{reason}"),
    e.IncidentOpened: _said("alert", "Incident opened", "by {by}", "{title}"),
    e.Acknowledged: _said("page", "{by}", "is on it"),
    e.NoteWritten: _said("note", "{by}:", "“{text}”"),
    e.Escalated: _said("page", "Escalated", "to {team}", "{reason} · by {by}"),
    e.SeverityChanged: _said("note", "Severity", "is now {severity}", "{reason} · by {by}"),
    e.StartCorrected: _said("note", "Start corrected", "", "{reason} · by {by}"),
    e.Mitigated: _said("verified", "Mitigated", "", "{how} · by {by}"),
    e.Resolved: _resolved,
    e.Reopened: _said("alert", "Reopened", "", "{reason} · by {by}"),
    e.MergedInto: _said("note", "Merged", "into incident {incident}", "{reason} · by {by}"),
    e.MergeReceived: _said("note", "Merged", "incident {incident} ({title}) is this outage too", "{reason} · by {by}"),
    e.AlertsSplitOff: _said(
        "note", "Split", "some alerts are another outage, incident {incident}", "{reason} · by {by}"
    ),
}
