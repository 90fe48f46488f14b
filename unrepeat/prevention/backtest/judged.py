"""What a rule's firing in a recording means: in time, too late, for nothing. Words and figures for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from unrepeat.prevention.backtest import promtool
from unrepeat.prevention.backtest.harmed import moments
from unrepeat.prevention.backtest.recorded import METRICS, Folder, Unreadable
from unrepeat.prevention.backtest.replayed import Fired, Rules, replayed, stretched
from unrepeat.prevention.kind import OUTPUT, SAID, Outcome

Before = Literal["harm", "detected", "alert"]
WORDS: dict[Before, str] = {
    "harm": "the first users were hurt",
    "detected": "people knew",
    "alert": "the alert of then fired",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule's day in one recording. `caught`: it fired early enough in a failure. `lead`: minutes before what it must precede."""

    recording: str
    fired: Fired
    failure: bool  # whether the recording is of a failure; otherwise any firing is for nothing
    caught: bool
    lead: float | None
    said: str
    figures: dict[str, float]
    environment: dict[str, str]

    def as_proof(self) -> Outcome:
        """The outcome of a trial: red when the failure shows in time; in health, when it fires at all."""
        shows = self.caught if self.failure else self.fired.first is not None
        output = self.fired.output[-OUTPUT:]
        return Outcome("red" if shows else "green", self.said[:SAID], "", output, self.figures, self.environment)


def judge(
    rules: Rules, recording: Folder, *, before: Before, at_least: timedelta, seconds: float, failure: bool
) -> Judged:
    """Run a rule over a recording and say what came of it.

    A recording that is healthy, or in which nothing is known to have gone wrong, is no failure, whatever was expected of it.
    """
    known = moments(recording)
    is_failure = failure and not recording.healthy and any((known.harm, known.detected, known.alert))
    moment: datetime | None = getattr(known, before)
    if is_failure and moment is None:
        raise Unreadable(
            f"The recording {recording.name} does not tell when {WORDS[before]}.",
            "Neither its manifest nor its data say so.",
            "Let `before` be another moment, or write it into `moments` of the manifest.",
        )
    fired = replayed(rules, recording, seconds=seconds)
    lead = (moment - fired.first).total_seconds() / 60 if is_failure and moment and fired.first else None
    wanted = at_least.total_seconds() / 60
    caught = lead is not None and lead >= wanted
    said = _of_failure(recording, fired, before, moment, lead, wanted) if is_failure else _of_health(recording, fired)
    figures = {f"{recording.name}: firing_minutes": round(fired.minutes, 2)}
    figures |= fired.moments()
    if lead is not None:
        figures |= {"minutes_before": round(lead, 2), "minutes_wanted": wanted}
    environment = {
        "promtool": promtool.version(promtool.program()),
        f"metrics of {recording.name}": str((recording.manifest.get("files") or {}).get(METRICS, "")),
    }
    said += stretched(recording, rules.expressions)
    return Judged(recording.name, fired, is_failure, caught, lead, said, figures, environment)


def _of_failure(
    recording: Folder, fired: Fired, before: Before, moment: datetime | None, lead: float | None, wanted: float
) -> str:
    if fired.first is None or lead is None or moment is None:
        return f"In {recording.name} it never fired."
    what = f"In {recording.name} it fired at {fired.first:%H:%M} UTC"
    then = f"{WORDS[before]} ({moment:%H:%M})"
    if lead < 0:
        return f"{what}, {-lead:.3g} min after {then}: too late."
    if lead < wanted:
        return f"{what}, {lead:.3g} min before {then}; {wanted:g} min are wanted: too late."
    return f"{what}, {lead:.3g} min before {then}: in time."


def _of_health(recording: Folder, fired: Fired) -> str:
    if fired.first is None:
        return f"In {recording.name} it was silent."
    return f"In {recording.name}, where nothing was wrong, it fired at {fired.first:%H:%M} UTC, for {fired.minutes:.3g} min."
