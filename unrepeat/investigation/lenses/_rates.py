"""Numbers made fit to compare: counters become rates, and a histogram's last bucket is not taken for a measured value."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from unrepeat.investigation.lenses._tables import Floats, Tables

_COUNTER = re.compile(r"_(total|count|sum)$", re.IGNORECASE)
_SAME_TOP = 3  # so many values that are exactly the highest one are a limit, not a coincidence
_STEPS_UP = 0.9  # a column that falls more often than this leaves room for is no counter


def as_rates(tables: Tables) -> Tables:
    """Ever-growing columns with a counter's name replaced by their growth a row, CPU seconds by cores; a reset is a gap, not a fall."""
    columns = [column for column, series in enumerate(tables.series) if _COUNTER.search(series.indicator)]
    counters = [column for column in columns if _only_grows(tables.values[:, column])]
    if not counters:
        return tables
    values = tables.values.copy()
    apart = np.diff(tables.times, prepend=np.nan)
    for column in counters:
        growth = _growth(tables.values[:, column])
        values[:, column] = growth / apart if tables.series[column].measure.unit == "cores" else growth
    return replace(tables, values=values)


def _only_grows(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    if len(known) < 4 or not np.ptp(known) > 0:
        return False
    steps = np.diff(known)
    falls = steps < 0
    resets = falls & (known[1:] < known[:-1] / 2)
    return bool((~falls | resets).mean() >= _STEPS_UP and resets.mean() <= 1 - _STEPS_UP)


def _growth(values: Floats) -> Floats:
    steps = np.diff(values, prepend=np.nan)
    return np.where(steps >= 0, steps, np.nan)


def without_last_buckets(tables: Tables) -> Tables:
    """Quantiles that stand at the end of their histogram put back to the highest value that was measured in their column."""
    groups: dict[str, list[int]] = {}
    for column, series in enumerate(tables.series):
        if series.quantile is not None and series.measure.unit == "seconds":
            groups.setdefault(series.indicator, []).append(column)
    if not groups or not len(tables.times):
        return tables
    values = tables.values.copy()
    for columns in groups.values():
        part = values[:, columns]
        finite = np.where(np.isfinite(part), part, -np.inf)
        at_end = (finite == finite.max()) & np.isfinite(part)
        if np.isfinite(finite.max()) and at_end.any(axis=0).sum() > 1 and at_end.sum() >= _SAME_TOP:
            below = np.where(at_end, -np.inf, finite).max(axis=0)
            values[:, columns] = np.where(at_end, np.where(np.isfinite(below), below, np.nan), part)
    return replace(tables, values=values)
