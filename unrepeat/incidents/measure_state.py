"""What the log says of causes, measures, guards and repeats. Pure; part of `state.py`. Records are never changed once made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from unrepeat.incidents.measure_entries import CauseRole, Colour, Effect, MeasureKind

MeasureState = Literal["open", "done", "verified", "failed", "dropped"]
RepeatStanding = Literal["likely", "possible", "confirmed", "rejected"]


@dataclass(slots=True)
class Cause:
    """A trigger, a root cause or a contributing factor that stands. `accepted`: why, and by whom, its risk is borne without a measure."""

    number: int
    role: CauseRole
    value: str
    text: str
    by: str
    at: datetime
    accepted: str = ""
    accepted_by: str = ""


@dataclass(slots=True)
class GuardState:
    """A guard as this log knows it. It is proven while `proven` is the digest of its present text."""

    number: int
    name: str
    kind: str
    digest: str
    proven: str = ""
    proven_at: datetime | None = None
    red: str = ""  # digest of the proof's run on the failure
    green: str = ""  # and of that on the fix
    said: str = ""
    failure: str = ""
    fix: str = ""
    red_said: str = ""
    green_said: str = ""
    red_at: datetime | None = None
    green_at: datetime | None = None
    colour: Colour | Literal[""] = ""  # of its last turn; empty: it has not run on this text
    turned_at: datetime | None = None
    run: str = ""
    run_said: str = ""

    @property
    def is_proven(self) -> bool:
        """Whether it was red on the failure and green on the fix with its present text."""
        return bool(self.digest) and self.proven == self.digest


@dataclass(frozen=True, slots=True)
class Turn:
    """When a measure came into a state, and out of which one; empty: it was proposed."""

    at: datetime
    state: MeasureState
    before: MeasureState | Literal[""]


@dataclass(slots=True)
class Measure:
    """A measure as the log has it now. `state` follows from the rest: `done` without a proven guard is not verified."""

    number: int
    kind: MeasureKind
    text: str
    owner: str
    due: str
    proposed_at: datetime
    dropped: str = ""  # the reason, when it was dropped
    effect: Effect = ""
    answers: tuple[int, ...] = ()
    guards: tuple[int, ...] = ()
    state: MeasureState = "open"
    done_at: datetime | None = None
    done_by: str = ""
    done_how: str = ""
    verified_at: datetime | None = None  # the first time since it was last opened
    failed_at: datetime | None = None  # its guard turned red after that; a person closes it
    failed_guard: int = 0
    tracker: str = ""
    ticket: str = ""
    ticket_url: str = ""
    turns: tuple[Turn, ...] = ()


@dataclass(slots=True)
class Repeat:
    """A past postmortem whose failure this may be."""

    postmortem: int
    incident: int
    headline: str
    standing: RepeatStanding
    score: float
    reasons: tuple[str, ...]
    ended_by: str
    measures_open: int
    began: str
    at: datetime
    decided_by: str = ""
    decided_why: str = ""
    decided_at: datetime | None = None
