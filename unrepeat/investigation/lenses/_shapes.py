"""Shapes over time: steady growth that neither load nor a filling cache explains. Robust against sawtooth, gaps and single jumps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrepeat.investigation.lenses._tables import Floats

Rows = NDArray[np.intp]

BUCKETS = 36
LEAST = 8  # values below which no shape is told
LEFT = 0.1  # share of the growth after which it has begun


@dataclass(frozen=True, slots=True)
class Growth:
    """How a series grows. `trend`: -1 to 1, how surely it rises; `steady`: its latest slope over its earliest;
    `by_load`: share of the growth that load explains; `began`: the row in which the growth left its start;
    `load_start`, `load_most`: the load then, and where it was highest, NaN where it is not known.
    """

    start: float
    end: float
    trend: float
    steady: float
    by_load: float
    began: int
    load_start: float
    load_most: float

    @property
    def amount(self) -> float:
        """What was gained from start to end."""
        return self.end - self.start


def growths_of(values: Floats, load: Floats | None = None) -> list[Growth]:
    """The growth of the lower envelope (what is left after each collection): of all rows, of the last two thirds and half, and since the load rests.

    A leak that began with a release grows only since then, and one under a growing load is seen when that rests. Empty for fewer than eight values.
    """
    rows = np.flatnonzero(np.isfinite(values))
    if len(rows) < LEAST:
        return []
    parts = [rows] if len(rows) < 3 * LEAST else [rows, rows[len(rows) // 3 :], rows[len(rows) // 2 :]]
    if load is not None and len(resting := rows[_rests(load[rows]) :]) >= 2 * LEAST:
        parts.append(resting)
    return [_growth(part, values[part], None if load is None else load[part]) for part in parts]


def _rests(load: Floats) -> int:
    """The row from which the load stays about where it is at the end; none is left when it does not."""
    known = np.isfinite(load)
    if not known.any():
        return len(load)
    end = float(np.median(load[known][-LEAST:]))
    away = np.flatnonzero(known & (np.abs(load - end) > LEFT * 2 * abs(end)))
    return int(away[-1]) + 1 if len(away) else 0


def _growth(rows: Rows, values: Floats, load: Floats | None) -> Growth:
    low, busy = _envelope(values, load)
    earlier, later = np.triu_indices(len(low), 1)
    third, ends = max(3, len(low) // 3), max(1, len(low) // 8)
    first, last = _slope(low[:third]), _slope(low[-third:])
    start, end = float(np.median(low[:ends])), float(np.median(low[-ends:]))
    left = np.flatnonzero(low <= start + LEFT * (end - start))
    began = (int(left[-1]) if len(left) else 0) * len(rows) // len(low)
    return Growth(
        start=start,
        end=end,
        trend=float(np.sign(low[later] - low[earlier]).mean()),
        steady=last / first if first > 0 else float(last > 0),
        by_load=_by_load(low, busy),
        began=int(rows[began]),
        load_start=_level(busy, slice(None, ends)),
        load_most=_highest(busy, ends),
    )


def _level(load: Floats | None, rows: slice) -> float:
    """The typical load; NaN where it is not known, or none."""
    level = math.nan if load is None else float(np.median(load[rows]))
    return level if level > 0 else math.nan


def _highest(load: Floats | None, rows: int) -> float:
    """The highest level that lasted for so many stretches running."""
    if load is None:
        return math.nan
    return float(np.median(np.lib.stride_tricks.sliding_window_view(load, min(rows, len(load))), axis=1).max())


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
