"""The harm beside the quiet: for every series its usual level, its spread, and how far it went. Computed once, read by all lenses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._tables import Bools, Floats, Series, Tables
from unrepeat.investigation.weights import Weights

WORSE = {"up": 1.0, "down": -1.0, "either": 0.0}


@dataclass(frozen=True, slots=True)
class Contrast:
    """Arrays over the series. Levels are in the measure's unit; `far` is in spreads and positive when it got worse."""

    before: Bools  # rows that count as quiet
    during: Bools  # rows in which harm is looked for
    seen_before: Floats  # numbers of values
    seen_during: Floats
    usual: Floats  # median before
    spread: Floats
    level: Floats  # typical of the worst part of the harm
    far: Floats
    onset: Floats  # unix seconds; NaN when the series never left its usual band
    lasting: Floats  # share of the rows after the onset that stay outside the band


def contrast(tables: Tables, weights: Weights) -> Contrast:
    """Split the rows at the alert and compare. Gaps stay gaps: nothing is filled."""
    before, during = split(tables, weights)
    scale = np.array([series.measure.scale for series in tables.series])
    values = tables.values * scale
    quiet, harm = values[before], values[during]
    low, usual, high = quantiles(quiet, (0.25, 0.5, 0.75))
    tails = quantiles(quiet, (0.05, 0.95))
    sign = np.array([WORSE[series.measure.worse] for series in tables.series])
    spread = _spread(tables.series, usual, high - low, np.maximum(tails[1] - usual, usual - tails[0]), weights)
    up, down = _worst_part(harm, 1.0, weights), _worst_part(harm, -1.0, weights)
    rise, fall = (up - usual) / spread, (usual - down) / spread
    downwards = (sign < 0) | ((sign == 0) & (fall > rise))
    far = np.where(downwards, fall, rise)
    level = np.where(downwards, down, up)
    direction = np.where(downwards, -1.0, 1.0)
    known = before | during
    onset, lasting = _onset(
        (values[known] - usual) / spread * direction, tables.times[known], int(before.sum()), weights
    )
    return Contrast(
        before,
        during,
        np.isfinite(quiet).sum(axis=0).astype(float),
        np.isfinite(harm).sum(axis=0).astype(float),
        usual,
        spread,
        level,
        np.nan_to_num(far, nan=0.0, posinf=0.0, neginf=0.0),
        onset,
        lasting,
    )


def step_of(times: Floats) -> float:
    """The usual distance of two rows in seconds."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 60.0


def split(tables: Tables, weights: Weights) -> tuple[Bools, Bools]:
    """Rows that count as quiet, and rows in which harm is looked for: from a little before the alert, because alerts are late."""
    window = weights.window
    step = step_of(tables.times)
    early = int((tables.times < tables.alert).sum())
    lead_rows = min(window.lead_rows, int(early * window.lead_share))
    lead = min(lead_rows * step, window.lead_seconds)
    horizon = max(window.horizon_seconds, window.horizon_rows * step)
    before = tables.times < tables.alert - lead
    during = ~before & (tables.times <= tables.alert + horizon)
    return before, during


def quantiles(values: Floats, shares: tuple[float, ...]) -> Floats:
    """Quantiles of each column over its finite values, linear between them; NaN for an empty column. Shape (shares, columns)."""
    rows, columns = values.shape
    if rows == 0:
        return np.full((len(shares), columns), np.nan)
    ordered = np.sort(values, axis=0)
    count = np.isfinite(ordered).sum(axis=0)
    last = np.maximum(count - 1, 0)
    picked = np.empty((len(shares), columns))
    column = np.arange(columns)
    for index, share in enumerate(shares):
        place = share * last
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, last)
        part = place - below
        picked[index] = ordered[below, column] * (1 - part) + ordered[above, column] * part
    picked[:, count == 0] = np.nan
    return picked


def _spread(series: tuple[Series, ...], usual: Floats, middle: Floats, tail: Floats, weights: Weights) -> Floats:
    """The largest of: the middle half's width, the tail's reach, the measure's floor and its least change that means anything."""
    least = np.array([one.measure.least for one in series])
    floor = np.array([one.measure.floor for one in series])
    wide = np.fmax(middle / 1.349, tail / 1.645 * weights.window.tail)
    spread: Floats = np.fmax(np.fmax(wide, least), floor * np.abs(usual))
    return spread


def _worst_part(harm: Floats, sign: float, weights: Weights) -> Floats:
    """The mean of the worst values of the window, never of one alone when there are two: a single value is a lottery."""
    rows, columns = harm.shape
    if rows == 0:
        return np.full(columns, np.nan)
    take = min(rows, max(2, round(rows * weights.window.worst_share)))
    ordered = -np.sort(-harm * sign, axis=0)  # worst first, NaN last
    worst = ordered[:take]
    count = np.isfinite(worst).sum(axis=0)
    total = np.where(np.isfinite(worst), worst, 0.0).sum(axis=0)
    return np.where(count > 0, sign * total / np.maximum(count, 1), np.nan)


def _onset(away: Floats, times: Floats, first_row: int, weights: Weights) -> tuple[Floats, Floats]:
    """When each series left its band to stay (two rows running), followed back to before the window; and the share of later rows outside.

    `away` has a row a time up to the window's end, in spreads for the worse; the window begins at `first_row`.
    """
    rows, columns = away.shape
    outside = np.nan_to_num(away, nan=0.0) > weights.window.band
    if rows == 0 or first_row >= rows:
        return np.full(columns, np.nan), np.zeros(columns)
    stays = outside.copy()
    stays[:-1] &= outside[1:]
    found = stays[first_row:].any(axis=0)
    hit = first_row + np.argmax(stays[first_row:], axis=0)
    calm = ~outside & np.isfinite(away)  # a gap says nothing, a calm row ends the walk back
    last_calm = np.maximum.accumulate(np.where(calm, np.arange(rows)[:, None], -1), axis=0)[hit, np.arange(columns)]
    start = np.minimum(last_calm + 1, rows - 1)
    later = np.arange(rows)[:, None] >= hit
    share = (outside & later).sum(axis=0) / np.maximum(later.sum(axis=0), 1)
    return np.where(found, times[start], np.nan), np.where(found, share, 0.0)
