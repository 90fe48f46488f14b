"""Logs as this room sees them: what a service said, cut at the beginning of the harm."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from unrepeat.investigation.lenses._scene import Scene

BAD = frozenset({"ERROR", "FATAL", "CRITICAL", "PANIC", "EMERG", "EMERGENCY", "ALERT"})
_CHANGING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+(?:[.:,\-]\d+)*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Counted:
    """Lines and error lines of one service. `usual` is None where its quiet time was not recorded; it is scaled to the harm's length."""

    service: str
    lines: float
    errors: float
    usual: float | None


def window(scene: Scene) -> tuple[float, float]:
    """The harm's first and last moment, unix seconds."""
    times = scene.tables.times[scene.contrast.during]
    return (float(times[0]), float(times[-1])) if len(times) else (scene.tables.alert, scene.tables.alert)


def counted(scene: Scene) -> list[Counted]:
    """Error lines of every service that logged during the harm."""
    start, end = window(scene)
    rows = list(_rows(scene))
    first = min((at for _, at, _, _ in rows), default=start)
    quiet_known = first < start
    lines: dict[str, float] = defaultdict(float)
    errors: dict[str, float] = defaultdict(float)
    before: dict[str, float] = defaultdict(float)
    for service, at, count, bad in rows:
        if start <= at <= end:
            lines[service] += count
            errors[service] += bad
        elif at < start:
            before[service] += bad * (end - start) / (start - first)
    return [Counted(name, lines[name], errors[name], before[name] if quiet_known else None) for name in lines]


def _rows(scene: Scene) -> Iterator[tuple[str, float, float, float]]:
    """Service, moment, lines, error lines."""
    counts = scene.tables.log_counts
    if counts is not None:
        yield from zip(counts.service, counts.at.tolist(), counts.lines.tolist(), counts.errors.tolist(), strict=True)
    for line in scene.tables.log_lines:
        yield line.service, line.at, 1.0, float(line.severity.upper() in BAD)


def template(text: str) -> str:
    """A message without what changes from one to the next: numbers, addresses, identifiers."""
    return _CHANGING.sub("#", text)
