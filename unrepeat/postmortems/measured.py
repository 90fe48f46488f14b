"""What a stored result says in a few numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from unrepeat.postmortems.report import MemoryFact

Data = Mapping[str, Any]  # {"step": seconds, "series": [{"labels": {...}, "points": [[unix seconds, value], ...]}]}
Results = Mapping[str, Data]  # by digest


def summed(data: Data) -> list[tuple[float, float]]:
    """The series of a result added up, moment by moment: a service's processes together. Moments without any sample are absent."""
    total: dict[float, float] = {}
    for series in data.get("series", []):
        for at, value in series["points"]:
            total[at] = total.get(at, 0.0) + value
    return sorted(total.items())


def step_of(data: Data) -> float:
    """Seconds from one point to the next."""
    if data.get("step"):
        return float(data["step"])
    points = summed(data)
    gaps = sorted(b[0] - a[0] for a, b in pairwise(points))
    return gaps[len(gaps) // 2] if gaps else 0.0


def memory(data: Data, *, service: str, digest: str, started_at: datetime) -> MemoryFact | None:
    """Resident memory when the outage began (the sample nearest to it), at its highest, and at the end; None without samples."""
    points = summed(data)
    if not points:
        return None
    start = started_at.timestamp()
    first = min(points, key=lambda point: abs(point[0] - start))
    peak = max(points, key=lambda point: (point[1], -point[0]))
    last = points[-1]
    return MemoryFact(
        service,
        round(first[1]),
        _moment(first[0]),
        round(peak[1]),
        _moment(peak[0]),
        round(last[1]),
        _moment(last[0]),
        len(data.get("series", [])),
        round(step_of(data)),
        digest,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def size(value: float) -> str:
    """Bytes as people read them, decimal: `431 MB`, `2.1 GB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            scaled = value / factor
            return f"{scaled:.1f} {unit}" if scaled < 10 else f"{scaled:.0f} {unit}"
    return f"{value:.0f} B"
