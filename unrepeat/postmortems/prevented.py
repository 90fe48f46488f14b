"""What a report knows of causes, measures, guards and repeats. Pure data; part of `report.py`.

Every field beyond those of the first version has a default, so that revisions frozen by it can still be read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

MeasureState = Literal["open", "done", "verified", "failed", "dropped"]
Colour = Literal["", "red", "green", "broken"]


@dataclass(frozen=True, slots=True)
class CauseFact:
    """The trigger, a root cause or a contributing factor. `words` says its class in plain words, `text` the thing itself.

    `measures`: the numbers of those that answer it; `accepted`: why, and by whom, its risk is borne without a measure.
    """

    number: int
    role: Literal["trigger", "cause", "factor"]
    value: str
    words: str
    text: str
    measures: tuple[int, ...] = ()
    accepted: str = ""
    accepted_by: str = ""

    @property
    def is_gap(self) -> bool:
        """Whether nothing answers it: a trigger need not be answered, what let it do harm must be."""
        return self.role != "trigger" and not self.measures and not self.accepted


@dataclass(frozen=True, slots=True)
class RegressionFact:
    """A verified measure failed: which guard turned red, when, what the run said, and the run's digest."""

    guard: int
    name: str
    at: datetime
    said: str
    run: str


@dataclass(frozen=True, slots=True)
class MeasureFact:
    """An improvement or a task. `due` is YYYY-MM-DD or empty; `dropped` is the reason when it will not be done."""

    number: int
    kind: Literal["improvement", "task"]
    text: str
    owner: str
    due: str
    dropped: str = ""
    effect: Literal["", "prevent", "detect", "mitigate"] = ""
    answers: tuple[int, ...] = ()  # numbers of causes
    guards: tuple[int, ...] = ()
    state: MeasureState = "open"
    done_at: datetime | None = None
    done_by: str = ""
    done_how: str = ""
    verified_at: datetime | None = None
    tracker: str = ""
    ticket: str = ""
    ticket_url: str = ""
    regression: RegressionFact | None = None


@dataclass(frozen=True, slots=True)
class GuardFact:
    """A guard that watches over measures. `red`, `green`: digests of the proof's runs; `said`: what the newest trial came to."""

    number: int
    name: str
    kind: str
    digest: str
    proven: bool = False
    proven_at: datetime | None = None
    said: str = ""
    failure: str = ""
    fix: str = ""
    red: str = ""
    green: str = ""
    red_said: str = ""
    green_said: str = ""
    red_at: datetime | None = None
    green_at: datetime | None = None
    colour: Colour = ""  # of its last run in regular service; empty: none on its present text
    turned_at: datetime | None = None
    run: str = ""
    run_said: str = ""


@dataclass(frozen=True, slots=True)
class RepeatFact:
    """A past postmortem whose failure this is (confirmed by a person), or likely is. `began`: YYYY-MM-DD or empty."""

    postmortem: int
    incident: int
    headline: str
    standing: Literal["likely", "confirmed"]
    began: str = ""
    ended_by: str = ""
    measures_open: int = 0
    reasons: tuple[str, ...] = ()
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReturnFact:
    """A later incident in which this failure came back."""

    incident: int
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Today:
    """How the measures stand at `at`, by the log as it is then. A published report keeps what it said beside it, and is never changed by it."""

    at: datetime
    measures: tuple[MeasureFact, ...] = ()
    guards: tuple[GuardFact, ...] = ()
    returned: tuple[ReturnFact, ...] = ()

    @property
    def standing(self) -> tuple[MeasureFact, ...]:
        """Measures that were not dropped."""
        return tuple(m for m in self.measures if not m.dropped)

    @property
    def regressed(self) -> tuple[MeasureFact, ...]:
        """Measures that had been verified and failed."""
        return tuple(m for m in self.standing if m.state == "failed")

    @property
    def silent(self) -> tuple[tuple[MeasureFact, GuardFact], ...]:
        """Measures that had been verified and are only done now, each with a guard of it that is broken and cannot tell."""
        broken = {g.number: g for g in self.guards if g.colour == "broken"}
        lost = (m for m in self.standing if m.state == "done" and m.verified_at is not None)
        return tuple((m, broken[number]) for m in lost for number in m.guards if number in broken)

    @property
    def all_verified(self) -> bool:
        """Whether every measure is verified."""
        return bool(self.standing) and all(m.state == "verified" for m in self.standing)

    def count(self, state: MeasureState) -> int:
        """How many measures are in that state."""
        return Counter(m.state for m in self.standing)[state]
