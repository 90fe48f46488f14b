"""How entries about causes, measures, guards and repeats are told. Pure; part of `telling.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unrepeat.incidents import entries as e
from unrepeat.support import words
from unrepeat.web.pages.told import Told, cause_role, cause_word, small

COLOURS = {
    "red": ("alert", "turned red"),
    "green": ("verified", "turned green"),
    "broken": ("suspect", "could not say"),
}


def _cause(by: str, entry: e.CauseNamed) -> Told:
    word, key = cause_word(entry.role, entry.value), f"{cause_role(entry.role)}:"
    return Told(
        {"trigger": "change", "cause": "guilty"}.get(entry.role, "note"),
        key,
        entry.text or word,
        small(word if entry.text else "", f"by {by}"),
    )


def _measure(said: str) -> Callable[[str, Any], Told]:
    def make(by: str, entry: Any) -> Told:
        due = f"due {words.dated(entry.due)}" if entry.due else ""
        effect = {"prevent": "prevents it", "detect": "shows it sooner", "mitigate": "less harm"}.get(entry.effect, "")
        return Told(
            "note",
            f"Measure {entry.measure}",
            said,
            small(entry.text, entry.measure_kind, effect, entry.owner, due, f"by {by}"),
        )

    return make


def _ticket(by: str, entry: e.TicketLinked) -> Told:
    return Told(
        "note", f"Measure {entry.measure}", f"has ticket {entry.ticket}", small(entry.tracker, f"by {by}"), entry.url
    )


def _tied(by: str, entry: e.GuardTied) -> Told:
    kind = entry.guard_kind.replace("_", " ")
    return Told("note", f"Guard {entry.name}", f"watches over measure {entry.measure}", small(kind, f"by {by}"))


def _untied(by: str, entry: e.GuardUntied) -> Told:
    return Told(
        "note", f"Guard {entry.guard}", f"watches over measure {entry.measure} no more", small(entry.reason, f"by {by}")
    )


def _proven(by: str, entry: e.GuardProven) -> Told:
    on = f"red on {entry.failure}, green on {entry.fix}" if entry.failure and entry.fix else ""
    return Told("verified", f"Guard {entry.guard}", "proven", small(on, entry.said, f"by {by}"))


def _turned(by: str, entry: e.GuardTurned) -> Told:
    shape, said = COLOURS.get(entry.colour, ("note", f"turned {entry.colour}"))
    return Told(shape, f"Guard {entry.guard}", said, small(entry.said, "" if by == "unrepeat" else f"by {by}"))


def _suspected(_: str, entry: e.RepeatSuspected) -> Told:
    likely = "likely the same cause" if entry.standing == "likely" else "possibly related"
    began = f" on {words.dated(entry.began)}" if entry.began else ""
    still = f"{entry.measures_open} of its measures still open" if entry.measures_open else ""
    ended = f"it ended by: {entry.ended_by}" if entry.ended_by else ""
    return Told(
        "suspect",
        f"Seen in PM-{entry.postmortem}{began}:",
        likely,
        small(entry.headline, "; ".join(entry.reasons), ended, still, f"likeness {entry.score:.0%}".replace("%", " %")),
    )


def _repeat(shape: str, said: str) -> Callable[[str, Any], Told]:
    def make(by: str, entry: Any) -> Told:
        return Told(shape, f"PM-{entry.postmortem}:", said, small(entry.reason, f"by {by}"))

    return make


def _of_measure(shape: str, said: str, reason: str) -> Callable[[str, Any], Told]:
    def make(by: str, entry: Any) -> Told:
        return Told(shape, f"Measure {entry.measure}", said, small(getattr(entry, reason), f"by {by}"))

    return make


TELL: dict[type[e.Entry], Callable[[str, Any], Told]] = {
    e.CauseNamed: _cause,
    e.CauseWithdrawn: lambda by, x: Told("cleared", f"Cause {x.cause}", "was none", small(x.reason, f"by {by}")),
    e.RiskAccepted: lambda by, x: Told("page", by, f"accepts the risk of cause {x.cause}", x.reason),
    e.MeasureProposed: _measure("proposed"),
    e.MeasureAmended: _measure("amended"),
    e.MeasureDropped: _of_measure("note", "dropped", "reason"),
    e.MeasureDone: _of_measure("cleared", "done", "how"),
    e.MeasureReopened: _of_measure("alert", "not done after all", "reason"),
    e.RegressionClosed: _of_measure("verified", "holds again", "how"),
    e.TicketLinked: _ticket,
    e.GuardTied: _tied,
    e.GuardUntied: _untied,
    e.GuardChanged: lambda by, x: Told("note", f"Guard {x.guard}", "has another text", f"unproven again · by {by}"),
    e.GuardProven: _proven,
    e.GuardNotProven: lambda by, x: Told("note", f"Guard {x.guard}", "not proven", small(x.said, f"by {by}")),
    e.GuardTurned: _turned,
    e.RepeatSuspected: _suspected,
    e.RepeatConfirmed: _repeat("guilty", "this is its failure come back"),
    e.RepeatRejected: _repeat("cleared", "this is not its failure"),
    e.RepeatedBy: lambda _, x: Told("alert", "It came back", f"in incident {x.incident}", x.title),
}
