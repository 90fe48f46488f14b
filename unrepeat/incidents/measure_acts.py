"""What people can do about causes, measures and repeats, as data. Pure; read them through `acts.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from unrepeat.incidents.act import Act
from unrepeat.incidents.measure_entries import CauseRole, Effect, MeasureKind

__all__ = [
    "AcceptRisk",
    "AmendMeasure",
    "CloseRegression",
    "ConfirmRepeat",
    "DropMeasure",
    "FinishMeasure",
    "NameCause",
    "ProposeMeasure",
    "RejectRepeat",
    "ReopenMeasure",
    "WithdrawCause",
]


@dataclass(frozen=True, slots=True)
class NameCause(Act):
    """Name the trigger (what changed just before), a root cause (what made it possible) or a contributing factor (what made it worse)."""

    name: ClassVar[str] = "name_cause"
    role: CauseRole
    value: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class WithdrawCause(Act):
    """Say that a cause is none, and why."""

    name: ClassVar[str] = "withdraw_cause"
    cause: int
    reason: str


@dataclass(frozen=True, slots=True)
class AcceptRisk(Act):
    """Accept, in your own name and with a reason, that a cause gets no measure."""

    name: ClassVar[str] = "accept_risk"
    cause: int
    reason: str


@dataclass(frozen=True, slots=True)
class ProposeMeasure(Act):
    """Propose what to do about it: an improvement (how we work) or a task (one piece of work), with owner and due date."""

    name: ClassVar[str] = "propose_measure"
    kind: MeasureKind
    text: str
    owner: str = ""
    due: date | None = None
    effect: Effect = ""
    answers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class AmendMeasure(Act):
    """Change a measure's kind, wording, owner, due date, effect or the causes that it answers."""

    name: ClassVar[str] = "amend_measure"
    measure: int
    kind: MeasureKind
    text: str
    owner: str = ""
    due: date | None = None
    effect: Effect = ""
    answers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DropMeasure(Act):
    """Say that a measure will not be done, and why."""

    name: ClassVar[str] = "drop_measure"
    measure: int
    reason: str


@dataclass(frozen=True, slots=True)
class FinishMeasure(Act):
    """Say that the work of a measure is done. It stays "done, not verified" until a guard tied to it is proven."""

    name: ClassVar[str] = "finish_measure"
    measure: int
    how: str = ""


@dataclass(frozen=True, slots=True)
class ReopenMeasure(Act):
    """Say that the work of a measure is not done after all."""

    name: ClassVar[str] = "reopen_measure"
    measure: int
    reason: str


@dataclass(frozen=True, slots=True)
class CloseRegression(Act):
    """Say that a failed measure holds again, and how you know. Its guards must be green."""

    name: ClassVar[str] = "close_regression"
    measure: int
    how: str


@dataclass(frozen=True, slots=True)
class ConfirmRepeat(Act):
    """Say that this is the failure of a past postmortem come back."""

    name: ClassVar[str] = "confirm_repeat"
    postmortem: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RejectRepeat(Act):
    """Say that this is not the failure of a past postmortem that was named."""

    name: ClassVar[str] = "reject_repeat"
    postmortem: int
    reason: str = ""
