"""Numbers that only follow their service's load: a flash sale fills memory too, and that is no leak. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from unrepeat.investigation.columns import Column
from unrepeat.investigation.lenses import Floats
from unrepeat.investigation.lenses._units import OTHER
from unrepeat.investigation.weights import weights

FILLED = ("memory", "queue or pool", "fullness")


def without_followers(columns: Sequence[Column]) -> list[Column]:
    """The columns; those that grew no more than the load did, over all rows and over the later half, are no sign of a leak any more.

    A leak under a load that stays the same grows in the later half all the same; one that hides under growing load shows when the load rests.
    """
    loads: dict[str, Floats] = {}
    for column in columns:
        if column.described.measure.name == "traffic":
            loads.setdefault(column.described.service, column.values)
    all_loads = list(loads.values())
    everywhere = np.nansum(np.array(all_loads), axis=0) if all_loads else None
    return [_judged(column, loads.get(column.described.service, everywhere)) for column in columns]


def _judged(column: Column, load: Floats | None) -> Column:
    if load is None or column.described.measure.name not in FILLED or not _follows(column.values, load):
        return column
    return replace(column, described=replace(column.described, measure=OTHER))


def _follows(values: Floats, load: Floats) -> bool:
    known = np.isfinite(values) & np.isfinite(load)
    if int(known.sum()) < weights().following.rows:
        return False
    both = values[known], load[known]
    half = len(both[0]) // 2
    return all(_within(mine, busy) for mine, busy in (both, (both[0][half:], both[1][half:])))


def _within(values: Floats, load: Floats) -> bool:
    busier, tuning = _ratio(load), weights().following
    return busier >= tuning.busier and _ratio(values) <= busier * tuning.slack


def _ratio(values: Floats) -> float:
    """The last quarter over the first."""
    quarter = max(1, len(values) // 4)
    first, last = float(values[:quarter].mean()), float(values[-quarter:].mean())
    return last / first if first > 0 else 1.0
