"""What a stored result says in a few numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from unrepeat.postmortems.report import MemoryFact

Data = Mapping[str, Any]  # {"step": seconds, "series": [{"labels": {...}, "points": [[unix seconds, value], ...]}]}
Results = Mapping[str, Data]  # by digest


def largest(data: Data) -> list[tuple[float, float]]:
    """The largest of the series at each moment: a service's largest process. Moments without any sample are absent."""
    top: dict[float, float] = {}
    for line in lines(data):
        for at, value in line:
            top[at] = max(value, top.get(at, value))
    return sorted(top.items())


def lines(data: Data) -> list[list[tuple[float, float]]]:
    """The points of each series, the one with the highest value first."""
    found = [sorted((at, value) for at, value in series["points"]) for series in data.get("series", [])]
    return sorted((line for line in found if line), key=lambda line: -max(value for _, value in line))


def step_of(data: Data) -> float:
    """Seconds from one point to the next."""
    if data.get("step"):
        return float(data["step"])
    points = largest(data)
    gaps = sorted(b[0] - a[0] for a, b in pairwise(points))
    return gaps[len(gaps) // 2] if gaps else 0.0


def memory(data: Data, *, service: str, digest: str, started_at: datetime) -> MemoryFact | None:
    """Resident memory when the outage began (the sample nearest to it), at its highest, and at the end; None without samples."""
    points = largest(data)
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
            return f"{scaled:.1f}\u00a0{unit}" if scaled < 10 else f"{scaled:.0f}\u00a0{unit}"
    return f"{value:.0f}\u00a0B"
