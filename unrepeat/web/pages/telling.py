"""How each entry of a log is told on the incident's page: a shape, a few words in bold, a sentence, and small print. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from unrepeat.incidents import entries as e
from unrepeat.support import shares, words
from unrepeat.web.pages import telling_measures
from unrepeat.web.pages.told import Told, change_name, small

LONGEST_QUERY = 80  # characters shown in the timeline


@dataclass(frozen=True, slots=True)
class Line:
    """A told entry at its time; `day` is set on the first line of each day, `late` says how much later than it happened we learned it."""

    seq: int
    at: datetime
    by: str
    told: Told
    day: str = ""
    late: str = ""


LATE = 120  # seconds between when it happened and when we learned it, from which on the page says so


def lines(log: Iterable[e.Logged], zone: str) -> list[Line]:
    """The lines of a timeline in the order in which things happened; days are those of `zone`.

    When most of a log was written down later (a replay, an import), its lines do not say so one by one: `written_later` does.
    """
    made: list[Line] = []
    day = ""
    ordered = sorted(log, key=lambda one: (one.at, one.seq))
    quiet = written_later(ordered)
    guards = {one.entry.guard: one.entry.name for one in ordered if isinstance(one.entry, e.GuardTied)}
    for logged in ordered:
        told = tell(logged)
        if told.key == f"Guard {(number := getattr(logged.entry, 'guard', 0))}" and number in guards:
            told = replace(told, key=f"Guard {guards[number]}")
        this = words.day(logged.at, zone)
        late = logged.recorded_at - logged.at
        made.append(
            Line(
                logged.seq,
                logged.at,
                logged.by,
                told,
                day=this if this != day else "",
                late=words.span(late) if not quiet and late.total_seconds() > LATE else "",
            )
        )
        day = this
    return made


def written_later(log: Sequence[e.Logged]) -> bool:
    """Whether most of these entries were learned later than they happened."""
    late = sum((one.recorded_at - one.at).total_seconds() > LATE for one in log)
    return len(log) > 5 and late * 2 > len(log)


def tell(logged: e.Logged) -> Told:
    """One entry in words."""
    make = _TELL.get(type(logged.entry))
    if make is None:
        return Told("note", logged.entry.kind.replace("_", " "), why=f"by {logged.by}")
    return make(logged.by, logged.entry)


SHIPPED = {
    "deploy": "deployed",
    "release": "released",
    "config": "configuration changed",
    "flag": "flag changed",
    "migration": "migrated",
    "infrastructure": "infrastructure changed",
    "push": "pushed",
}


def _opened(_: str, entry: e.IncidentOpened) -> Told:
    rule = "" if entry.rule in ("", "by_hand") else f"grouping: {entry.rule.replace('_', ' ')}"
    return Told(
        "alert", "Incident opened", why=small(entry.title, f"severity {entry.severity}" if entry.severity else "", rule)
    )


def _fired(_: str, entry: e.AlertFired) -> Told:
    on = f"fired on {entry.service}" if entry.service else "fired"
    return Told("alert", entry.name, on, small(entry.summary, entry.source, entry.why), entry.url)


def _change(_: str, entry: e.ChangeNoticed) -> Told:
    key = change_name(entry.service, entry.version, entry.summary, entry.change)
    done = SHIPPED.get(entry.change_kind, entry.change_kind)
    said = done if entry.status in ("", "succeeded") else f"{entry.change_kind} {entry.status}"
    summary = entry.summary if entry.summary != key else ""
    return Told(
        "change",
        key,
        said,
        small(
            summary, f"before: {entry.previous}" if entry.previous else "", f"by {entry.author}" if entry.author else ""
        ),
        entry.url,
    )


def _role(by: str, entry: e.RoleHanded) -> Told:
    if not entry.to:
        return Told("page", f"No {entry.role} any more", why=f"by {by}")
    doing = {"lead": "leads", "scribe": "is the scribe", "communicator": "is the communicator"}[entry.role]
    return Told(
        "page",
        entry.to,
        doing,
        small(f"before: {entry.before}" if entry.before else "", "" if by == entry.to else f"by {by}"),
    )


def _suspect(shape: str, said: str) -> Callable[[str, Any], Told]:
    def make(by: str, entry: Any) -> Told:
        count = len(entry.evidence)
        evidence = f"{count} stored result{'s' if count > 1 else ''}" if count else ""
        return Told(shape, entry.suspect, said, small(entry.reason, evidence, f"by {by}"))

    return make


def _mitigated(by: str, entry: e.Mitigated) -> Told:
    return Told(
        "cleared", "Harm stopped", why=small(entry.how, f"change {entry.change}" if entry.change else "", f"by {by}")
    )


def _resolved(by: str, entry: e.Resolved) -> Told:
    how = entry.how or ("the quiet time after the last alert has passed" if entry.by_itself else "")
    return Told(
        "verified",
        "Resolved",
        "by itself" if entry.by_itself else "",
        small(how, "" if entry.by_itself else f"by {by}"),
    )


def _impact(_: str, entry: e.ImpactMeasured) -> Told:
    counted = ", ".join(
        f"{one.name} {shares.percent(one.numerator, one.denominator)} ({shares.number(one.numerator)} of {shares.number(one.denominator)})"
        for one in entry.shares
    )
    left_out = f"{shares.number(entry.unreadable)} unreadable lines left out" if entry.unreadable else ""
    slow = f"slow is over {entry.slow_seconds:g} s ({entry.slow_source})"
    return Told("note", "Impact measured:", counted or "nobody was counted", small(slow, entry.source, left_out))


def _short(query: str) -> str:
    """A query at a glance; the evidence's own page has the whole of it."""
    return query if len(query) <= LONGEST_QUERY else f"{query[: LONGEST_QUERY - 1]}…"


_TELL: dict[type[e.Entry], Callable[[str, Any], Told]] = {
    e.IncidentOpened: _opened,
    e.AlertFired: _fired,
    e.AlertResolved: lambda _, x: Told("verified", x.name, "resolved"),
    e.ChangeNoticed: _change,
    e.Acknowledged: lambda by, _: Told("page", by, "is on it"),
    e.NoteWritten: lambda by, x: Told("note", f"{by}:", x.text, quote=True),
    e.RoleHanded: _role,
    e.Escalated: lambda by, x: Told("page", "Escalated", f"to {x.team}", small(x.reason, f"by {by}")),
    e.SuspectRaised: _suspect("suspect", "raised as a suspect"),
    e.SuspectCleared: _suspect("cleared", "cleared"),
    e.SuspectConvicted: _suspect("guilty", "found guilty"),
    e.EvidenceGathered: lambda _, x: Told("note", "Evidence kept:", x.title, small(x.service, _short(x.query))),
    e.ImpactMeasured: _impact,
    e.EvidenceMissing: lambda _, x: Told("note", x.title, "not measured", x.reason),
    e.SeverityChanged: lambda by, x: Told("note", "Severity", f"is now {x.severity}", small(x.reason, f"by {by}")),
    e.Retitled: lambda by, x: Told("note", "Headline:", x.title, f"by {by}"),
    e.StartCorrected: lambda by, x: Told("note", "Start corrected", why=small(x.reason, f"by {by}")),
    e.Mitigated: _mitigated,
    e.Resolved: _resolved,
    e.Reopened: lambda by, x: Told("alert", "Reopened", why=small(x.reason, f"by {by}")),
    e.MergedInto: lambda by, x: Told("note", "Merged", f"into incident {x.incident}", small(x.reason, f"by {by}")),
    e.MergeReceived: lambda by, x: Told(
        "note", "Merged", f"incident {x.incident} is this outage too", small(x.title, x.reason, f"by {by}")
    ),
    e.AlertsSplitOff: lambda by, x: Told(
        "note",
        "Split",
        f"{len(x.alerts)} alert{'s' if len(x.alerts) > 1 else ''} went to incident {x.incident}",
        small(x.reason, f"by {by}"),
    ),
    e.EntryRedacted: lambda by, x: Told("note", f"Entry {x.seq}", "was redacted", small(x.reason, f"by {by}")),
    e.Redacted: lambda _, x: Told("note", "Redacted", x.was.replace("_", " ")),
    **telling_measures.TELL,
    e.Unknown: lambda _, x: Told("note", x.was.replace("_", " "), "written by a newer version", str(x.data)),
}
