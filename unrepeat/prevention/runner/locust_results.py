"""Reads what Locust leaves (`--json-file`, `--csv`): the totals, and how many requests had been made at which moment."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

TOTAL = "Aggregated"


@dataclass(frozen=True, slots=True)
class Load:
    """What the visitors met. `history`: (epoch seconds, requests so far), in order."""

    requests: int
    failures: int
    p95_ms: float
    history: tuple[tuple[float, int], ...]

    @property
    def began_at(self) -> float:
        """When the first look was taken (epoch seconds)."""
        return self.history[0][0] if self.history else 0.0

    @property
    def ended_at(self) -> float:
        """When the last look was taken (epoch seconds)."""
        return self.history[-1][0] if self.history else 0.0

    def requests_at(self, moment: float) -> int:
        """How many requests had been made by then."""
        return max((count for at, count in self.history if at <= moment), default=0)


def read(results: Path, ended_at: float) -> Load | None:
    """The results under this prefix of a load that ended then (epoch seconds); None when Locust left none that can be read.

    The totals are those that Locust counted at its very end; its table of moments lags a second behind, and may be empty.
    """
    try:
        rows = json.loads(results.with_name(f"{results.name}.json").read_text(encoding="utf-8"))
        requests = sum(int(row["num_requests"]) for row in rows)
        failures = sum(int(row["num_failures"]) for row in rows)
        times: Counter[float] = Counter()
        for row in rows:
            times.update({float(time): int(count) for time, count in row["response_times"].items()})
    except (OSError, KeyError, ValueError, TypeError, AttributeError):
        return None
    history = [*_history(results), (ended_at, requests)]
    return Load(requests, failures, _percentile(times, 0.95), tuple(sorted(history)))


def table(results: Path) -> str:
    """Which requests failed and why, for people."""
    try:
        return "\n".join(", ".join(row.values()) for row in _rows(results, "failures"))[:8000]
    except (OSError, ValueError, TypeError):
        return ""


def _history(results: Path) -> list[tuple[float, int]]:
    try:
        return [
            (float(row["Timestamp"]), int(row["Total Request Count"]))
            for row in _rows(results, "stats_history")
            if row["Name"] == TOTAL
        ]
    except (OSError, KeyError, ValueError, TypeError):
        return []


def _percentile(times: Counter[float], share: float) -> float:
    """The time within which this share of requests was answered (milliseconds)."""
    left = share * times.total()
    for time in sorted(times):
        left -= times[time]
        if left <= 0:
            return time
    return 0.0


def _rows(results: Path, which: str) -> list[dict[str, str]]:
    with results.with_name(f"{results.name}_{which}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
