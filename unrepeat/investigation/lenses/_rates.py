"""Counters become rates before anything is compared: a counter that was reset when its process restarted is a gap, not a fall."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from unrepeat.investigation.lenses._tables import Floats, Tables

_COUNTER = re.compile(r"_(total|count|sum)$", re.IGNORECASE)
_STEPS_UP = 0.9  # a column that falls more often than this leaves room for is no counter


def as_rates(tables: Tables) -> Tables:
    """Tables in which ever-growing columns with a counter's name are replaced by their growth a row."""
    columns = [column for column, series in enumerate(tables.series) if _COUNTER.search(series.indicator)]
    counters = [column for column in columns if _only_grows(tables.values[:, column])]
    if not counters:
        return tables
    values = tables.values.copy()
    for column in counters:
        values[:, column] = _growth(tables.values[:, column])
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
