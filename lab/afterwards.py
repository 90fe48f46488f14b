"""What people did when the outage was over: why it happened, and in the following days their guards, proofs and finished measures.

These are people's acts, written here by hand; nothing in them was measured, so they hold no number that a run would have to show.
The causes are named in the live lab and in a recording alike. `LATER` belongs to recordings only: it is told on days after the outage.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from lab.people import Tell

RECORDING, HEALTHY = "2024-08-12-memory-leak", "2024-08-12-after-the-patch"
"""The recording of the outage, and the healthy stretch of it after the patch, by the names that guards know them by."""

CAUSES: tuple[tuple[str, str, str], ...] = (
    ("trigger", "deploy", "sessions 2.0, which brought session tracking."),
    (
        "cause",
        "software_defect",
        "When a session ends, only the newest of its tracked visits is released; all the others stay for ever.",
    ),
    (
        "cause",
        "design_gap",
        "Each checkpoint writes out all that is kept while callers wait, and a checkout that timed out cannot be repeated.",
    ),
    (
        "factor",
        "late_detection",
        "The only alert on memory speaks when most of the budget is used; nothing watched for memory that keeps growing.",
    ),
    (
        "factor",
        "missing_validation",
        "No load test runs long enough to show memory that grows, and no release is held back by one.",
    ),
    ("factor", "no_staged_rollout", "The release took over all live sessions at once."),
)
"""Role, class and words; the number of a cause is its place here, counted from 1."""

ACCEPTED = 6
"""The cause that gets no measure."""
ACCEPTED_BECAUSE = (
    "All live sessions are kept by one process, so there is nothing to ship by halves. The load test stands before every "
    "release instead."
)


def causes() -> list[Tell]:
    """Who names the causes, and who bears the one that nothing answers."""
    told: list[Tell] = [
        ("Ada", "name_cause", {"role": role, "value": value, "text": text}) for role, value, text in CAUSES
    ]
    return [*told, ("Ada", "accept_risk", {"cause": ACCEPTED, "reason": ACCEPTED_BECAUSE})]


@dataclass(frozen=True, slots=True)
class Later:
    """An act on a day after the outage, `days` later, at `clock` (UTC)."""

    days: int
    clock: time
    by: str
    act: str
    args: dict[str, Any]

    def line(self, outage: date) -> dict[str, Any]:
        """The act as a line of a recording's `acts.jsonl`."""
        at = datetime.combine(outage + timedelta(days=self.days), self.clock)
        return {"at": f"{at.isoformat(timespec='milliseconds')}Z", "by": self.by, "act": self.act, "args": self.args}


def _proof(guard: str) -> dict[str, Any]:
    return {"guard": guard, "failure": f"recording:{RECORDING}", "fix": f"recording:{HEALTHY}"}


BACKTEST, LOAD, LIVE = "sessions-memory-grows-alert", "sessions-load-test", "sessions-visits-per-session"
LATER = (
    Later(1, time(9, 30), "Ben", "declare_guard", {"guard": BACKTEST}),
    Later(1, time(9, 31), "Ben", "prove_guard", _proof(BACKTEST)),
    Later(1, time(9, 35), "Ben", "run_guard", {"guard": BACKTEST}),
    Later(
        1,
        time(10, 0),
        "Ben",
        "finish_measure",
        {"measure": 2, "how": "The rule and its test are in the rule repository."},
    ),
    Later(1, time(14, 0), "Ben", "declare_guard", {"guard": LIVE}),
    Later(1, time(14, 1), "Ben", "prove_guard", _proof(LIVE)),
    Later(
        1,
        time(15, 0),
        "Ben",
        "finish_measure",
        {"measure": 5, "how": "Both are on the dashboards, with the budget drawn in."},
    ),
    Later(3, time(13, 0), "Dana", "declare_guard", {"guard": LOAD}),
    Later(
        3,
        time(13, 30),
        "Dana",
        "finish_measure",
        {"measure": 1, "how": "It is in the review list; the test ends sessions and counts what is left."},
    ),
    Later(
        3,
        time(13, 31),
        "Dana",
        "finish_measure",
        {"measure": 3, "how": "The load test stands in the pipeline before every release of the session service."},
    ),
    Later(4, time(9, 0), "Ada", "publish", {}),
)
"""In order. `declare_guard`, `prove_guard`, `run_guard` and `publish` are acts of a replay; the guards stand in `guards.toml`."""

SAYS = (
    "Causes, and all acts after the end of `window`, are what people did when the outage was over. They are written by hand "
    "(lab/afterwards.py), not taken from the run. Guards are in guards.toml. Those that look at numbers are really run when this is "
    "replayed, on this recording and on its healthy stretch. A load test needs the releases themselves: results.jsonl holds what a runner "
    "really found and sent, its moments moved into the story; `made_at` in the environment of its runs is the real time."
)
