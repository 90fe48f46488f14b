"""Span statistics, quiet beside harm, added up an operation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._tables import Bools, Spans, Tables, sides


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a service. Counts are a bucket, times are seconds a call; zero counts where it was not seen."""

    service: str
    name: str
    count: float
    usual_count: float
    own: float
    usual_own: float


def operations_of(tables: Tables) -> list[Operation]:
    """All operations seen in quiet or during the harm; none where either of both was not recorded."""
    spans = tables.spans
    if spans is None:
        return []
    before, during = sides(spans.at, spans.quiet)
    if not before.any() or not during.any():
        return []
    harm, quiet = _added(spans, during), _added(spans, before)
    return [
        Operation(*key, *_both(harm.get(key, (0.0, 0.0)), quiet.get(key, (0.0, 0.0))))
        for key in sorted({*harm, *quiet})
    ]


def _both(harm: tuple[float, float], quiet: tuple[float, float]) -> tuple[float, float, float, float]:
    return harm[0], quiet[0], harm[1], quiet[1]


def _added(spans: Spans, rows: Bools) -> dict[tuple[str, str], tuple[float, float]]:
    buckets = max(1, len(set(spans.at[rows].tolist())))
    own = np.nan_to_num(spans.own, nan=0.0)
    total: dict[tuple[str, str], tuple[float, float]] = {}
    for row in np.flatnonzero(rows):
        key = spans.service[row], spans.operation[row]
        before = total.get(key, (0.0, 0.0))
        count = float(spans.count[row])
        total[key] = before[0] + count, before[1] + count * float(own[row])
    return {key: (number / buckets, time / number) for key, (number, time) in total.items() if number > 0}
