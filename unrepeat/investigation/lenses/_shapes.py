"""Shapes over time: steady growth that neither load nor a filling cache explains. Robust against sawtooth, gaps and single jumps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._tables import Floats

BUCKETS = 36


@dataclass(frozen=True, slots=True)
class Growth:
    """How a series grows. `trend`: -1 to 1, how surely it rises; `steady`: its latest slope over its earliest; `by_load`: share of the growth that load explains."""

    start: float
    end: float
    trend: float
    steady: float
    by_load: float

    @property
    def amount(self) -> float:
        """What was gained from start to end."""
        return self.end - self.start


def growth_of(values: Floats, load: Floats | None = None) -> Growth | None:
    """The growth of the lower envelope (what is left after each collection); None for fewer than eight values."""
    known = np.isfinite(values)
    if known.sum() < 8:
        return None
    low, busy = _envelope(values[known], None if load is None else load[known])
    count = len(low)
    later, earlier = np.triu_indices(count, 1)[1], np.triu_indices(count, 1)[0]
    steps = low[later] - low[earlier]
    trend = float(np.sign(steps).mean())
    third = max(3, count // 3)
    first, last = _slope(low[:third]), _slope(low[-third:])
    steady = last / first if first > 0 else (1.0 if last > 0 else 0.0)
    ends = max(1, count // 8)
    start, end = float(np.median(low[:ends])), float(np.median(low[-ends:]))
    return Growth(start, end, trend, steady, _by_load(low, busy))


def _envelope(values: Floats, load: Floats | None) -> tuple[Floats, Floats | None]:
    """The lowest value of each of at most 36 stretches, and the mean load in it."""
    parts = min(BUCKETS, len(values))
    bounds = np.arange(parts) * len(values) // parts
    low: Floats = np.minimum.reduceat(values, bounds)
    if load is None or not np.isfinite(load).any():
        return low, None
    known = np.isfinite(load)
    total = np.add.reduceat(np.where(known, load, 0.0), bounds)
    return low, total / np.maximum(np.add.reduceat(known.astype(float), bounds), 1.0)


def _slope(values: Floats) -> float:
    """The median of all pairwise slopes."""
    first, second = np.triu_indices(len(values), 1)
    return float(np.median((values[second] - values[first]) / (second - first)))


def _by_load(low: Floats, load: Floats | None) -> float:
    """Least squares on load and time together: the share of the explained rise that goes with the load."""
    if load is None or float(np.ptp(load)) <= 0:
        return 0.0
    time = np.linspace(0.0, 1.0, len(low))
    scaled = (load - load.min()) / np.ptp(load)
    (_, with_load, with_time), *_ = np.linalg.lstsq(np.column_stack((np.ones(len(low)), scaled, time)), low, rcond=None)
    rise = float(scaled[-1] - scaled[0]) * float(with_load)
    total = max(rise, 0.0) + max(float(with_time), 0.0)
    return max(rise, 0.0) / total if total > 0 else 0.0
