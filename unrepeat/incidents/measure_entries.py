"""The entries about why it happened, what is done about it, and whether it came back. Pure; read them through `entries.py`.

A guard's colours are `red` (the failure would come back), `green` and `broken` (it could not say). Digests are SHA-256 in hex.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from unrepeat.incidents.entry import Entry

__all__ = [
    "CauseNamed",
    "CauseRole",
    "CauseWithdrawn",
    "Colour",
    "Effect",
    "GuardChanged",
    "GuardNotProven",
    "GuardProven",
    "GuardTied",
    "GuardTurned",
    "GuardUntied",
    "MeasureAmended",
    "MeasureDone",
    "MeasureDropped",
    "MeasureKind",
    "MeasureProposed",
    "MeasureReopened",
    "RegressionClosed",
    "RepeatConfirmed",
    "RepeatRejected",
    "RepeatSuspected",
    "RepeatedBy",
    "RiskAccepted",
    "TicketLinked",
]

MeasureKind = Literal["improvement", "task"]
Effect = Literal["", "prevent", "detect", "mitigate"]
CauseRole = Literal["trigger", "cause", "factor"]
Colour = Literal["red", "green", "broken"]


# --- why ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CauseNamed(Entry):
    """The trigger, a root cause or a contributing factor was named: `value` is a word of the taxonomy, `text` says it in full."""

    kind: ClassVar[str] = "cause_named"
    cause: int
    role: CauseRole
    value: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class CauseWithdrawn(Entry):
    """A cause turned out to be none."""

    kind: ClassVar[str] = "cause_withdrawn"
    cause: int
    reason: str


@dataclass(frozen=True, slots=True)
class RiskAccepted(Entry):
    """A cause gets no measure: the author accepts that it may strike again, and says why."""

    kind: ClassVar[str] = "risk_accepted"
    cause: int
    reason: str


# --- measures -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MeasureProposed(Entry):
    """What we will do about it: an improvement (how we work) or a task (one piece of work). `due` is a date, YYYY-MM-DD, or empty.

    `effect`: whether it prevents, detects or mitigates; `answers`: the numbers of the causes that it answers.
    """

    kind: ClassVar[str] = "measure_proposed"
    measure: int
    measure_kind: MeasureKind
    text: str
    owner: str = ""
    due: str = ""
    effect: Effect = ""
    answers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureAmended(Entry):
    """A measure's kind, wording, owner, due date, effect or causes became others; all are given anew."""

    kind: ClassVar[str] = "measure_amended"
    measure: int
    measure_kind: MeasureKind
    text: str
    owner: str = ""
    due: str = ""
    effect: Effect = ""
    answers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasureDropped(Entry):
    """A measure will not be done, and why."""

    kind: ClassVar[str] = "measure_dropped"
    measure: int
    reason: str


@dataclass(frozen=True, slots=True)
class MeasureDone(Entry):
    """The work of a measure is done. Whether it works is another question: that needs a proven guard."""

    kind: ClassVar[str] = "measure_done"
    measure: int
    how: str = ""


@dataclass(frozen=True, slots=True)
class MeasureReopened(Entry):
    """The work of a measure was not done after all."""

    kind: ClassVar[str] = "measure_reopened"
    measure: int
    reason: str


@dataclass(frozen=True, slots=True)
class TicketLinked(Entry):
    """A measure has a ticket in an issue tracker. `tracker` is the tracker's name here, `ticket` the ticket's name there."""

    kind: ClassVar[str] = "ticket_linked"
    measure: int
    tracker: str
    ticket: str
    url: str = ""


# --- guards ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GuardTied(Entry):
    """A guard now watches over a measure. `digest` is that of the guard's present text."""

    kind: ClassVar[str] = "guard_tied"
    measure: int
    guard: int
    name: str
    guard_kind: str
    digest: str


@dataclass(frozen=True, slots=True)
class GuardUntied(Entry):
    """A guard watches over a measure no more."""

    kind: ClassVar[str] = "guard_untied"
    measure: int
    guard: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class GuardChanged(Entry):
    """A guard's text became another; what was proven of the old one says nothing about it."""

    kind: ClassVar[str] = "guard_changed"
    guard: int
    digest: str


@dataclass(frozen=True, slots=True)
class GuardProven(Entry):
    """A guard was red on the failure and green on the fix. `red`, `green`: digests of the two kept runs; `failure`, `fix`: what they ran on."""

    kind: ClassVar[str] = "guard_proven"
    guard: int
    digest: str
    red: str
    green: str
    said: str = ""
    failure: str = ""
    fix: str = ""
    red_said: str = ""  # what the two runs said, and when they began: a report tells the proof from the log alone
    green_said: str = ""
    red_at: datetime | None = None
    green_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class GuardNotProven(Entry):
    """A guard was tried on the failure and on the fix and did not tell them apart; `said` says what happened."""

    kind: ClassVar[str] = "guard_not_proven"
    guard: int
    digest: str
    said: str


@dataclass(frozen=True, slots=True)
class GuardTurned(Entry):
    """A guard in regular service took another colour. `run`: digest of the kept run."""

    kind: ClassVar[str] = "guard_turned"
    guard: int
    digest: str
    colour: Colour
    run: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class RegressionClosed(Entry):
    """A measure that had failed holds again: its guards are green, and a person says why."""

    kind: ClassVar[str] = "regression_closed"
    measure: int
    how: str


# --- repeats --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RepeatSuspected(Entry):
    """This looks like a past failure come back. `score` is between 0 and 1; `ended_by` and `measures_open` are as they stood then."""

    kind: ClassVar[str] = "repeat_suspected"
    postmortem: int
    incident: int
    headline: str
    standing: Literal["likely", "possible"]
    score: float
    reasons: tuple[str, ...] = ()
    ended_by: str = ""
    measures_open: int = 0
    began: str = ""  # the day on which the past outage began, YYYY-MM-DD


@dataclass(frozen=True, slots=True)
class RepeatConfirmed(Entry):
    """A person says that this is the failure of that postmortem come back."""

    kind: ClassVar[str] = "repeat_confirmed"
    postmortem: int
    incident: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RepeatRejected(Entry):
    """A person says that this is not the failure of that postmortem."""

    kind: ClassVar[str] = "repeat_rejected"
    postmortem: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RepeatedBy(Entry):
    """The failure of this incident came back in another one."""

    kind: ClassVar[str] = "repeated_by"
    incident: int
    title: str = ""
