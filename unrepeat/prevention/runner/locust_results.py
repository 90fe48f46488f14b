"""Reads what Locust leaves (`--csv`): the totals, and how many requests had been made at which moment."""

from __future__ import annotations

import csv
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


def read(results: Path) -> Load | None:
    """The results under this prefix; None when Locust left none that can be read."""
    try:
        total = next(row for row in _rows(results, "stats") if row["Name"] == TOTAL)
        history = [
            (float(row["Timestamp"]), int(row["Total Request Count"]))
            for row in _rows(results, "stats_history")
            if row["Name"] == TOTAL
        ]
        return Load(
            int(total["Request Count"]), int(total["Failure Count"]), float(total["95%"] or 0), tuple(sorted(history))
        )
    except (OSError, StopIteration, KeyError, ValueError):
        return None


def _rows(results: Path, which: str) -> list[dict[str, str]]:
    with results.with_name(f"{results.name}_{which}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
