"""Calls between services, quiet beside harm, added up a pair; the time between two spans is the only sign of a slow network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._tables import Bools, Calls, Floats, Tables, sides
from unrepeat.investigation.weights import Weights

Added = dict[tuple[str, str], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Pair:
    """One caller and callee. Counts are a bucket; `usual` is the gap in quiet, or that of the other pairs where it tells more."""

    caller: str
    callee: str
    count: float
    usual_count: float
    gap: float
    usual: float
    far: float
    against: str  # what `usual` is: "in quiet", "before", "between other services"

    @property
    def extra(self) -> float:
        """Extra seconds a call."""
        return max(0.0, self.gap - self.usual)


def pairs_of(tables: Tables, weights: Weights) -> list[Pair]:
    """All pairs that were called during the harm and can be compared with anything."""
    calls = tables.calls
    if calls is None:
        return []
    quiet, harm = sides(calls.at, calls.quiet)
    now, usual = _added(calls, harm), _added(calls, quiet)
    recorded = bool(calls.quiet.any())
    enough = len(now) >= weights.edges.peers
    others = float(np.median([gap for _, gap in now.values()])) if enough and not recorded else None
    found = []
    for (caller, callee), seen in now.items():
        known = [
            _pair(weights, (caller, callee), seen, usual[caller, callee], "in quiet" if recorded else "before")
        ] if (caller, callee) in usual else []  # fmt: skip
        if others is not None:
            known.append(_pair(weights, (caller, callee), seen, (seen[0], others), "between other services"))
        if known and caller != callee:
            found.append(max(known, key=lambda pair: pair.far))
    return found


def _pair(
    weights: Weights, names: tuple[str, str], now: tuple[float, float], usual: tuple[float, float], against: str
) -> Pair:
    tuning = weights.edges
    peer = tuning.peer_spread if against == "between other services" else 0.0
    spread = max(tuning.least_seconds, tuning.floor * abs(usual[1]), peer)
    few = min(now[0], usual[0])
    far = (now[1] - usual[1]) / spread * few / (few + tuning.few_calls)
    return Pair(*names, now[0], usual[0], now[1], usual[1], far, against)


def _added(calls: Calls, rows: Bools) -> Added:
    """Calls a bucket and their mean gap in seconds, by pair."""
    buckets = max(1, len(set(calls.at[rows].tolist())))
    total: Added = {}
    count, gap = _known(calls.count), _known(calls.gap)
    for row in np.flatnonzero(rows):
        key = calls.caller[row], calls.callee[row]
        before = total.get(key, (0.0, 0.0))
        total[key] = before[0] + float(count[row]), before[1] + float(count[row] * gap[row])
    return {key: (number / buckets, time / number) for key, (number, time) in total.items() if number > 0}


def _known(values: Floats) -> Floats:
    return np.nan_to_num(values, nan=0.0)
