"""Calls between services, quiet beside harm, added up a pair; the time between two spans is the only sign of a slow network."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Bools, Calls, Floats


@dataclass(frozen=True, slots=True)
class Pair:
    """One caller and callee. Counts are a bucket; `usual` is the gap in quiet, or that of the other pairs where quiet was not recorded."""

    caller: str
    callee: str
    count: float
    usual_count: float
    gap: float
    usual: float
    far: float
    compared_with: str  # quiet, others

    @property
    def extra(self) -> float:
        """Extra seconds a call."""
        return max(0.0, self.gap - self.usual)


def pairs(scene: Scene) -> list[Pair]:
    """All pairs that were called during the harm."""
    calls = scene.tables.calls
    if calls is None or calls.quiet.all():
        return []
    harm = _added(calls, ~calls.quiet)
    quiet = _added(calls, calls.quiet)
    others = float(np.median([gap for _, gap in harm.values()])) if len(harm) >= scene.weights.edges.peers else math.nan
    found = []
    for (caller, callee), (count, gap) in harm.items():
        if caller == callee:
            continue
        usual_count, usual = quiet.get((caller, callee), (0.0, others if not quiet else math.nan))
        if not math.isfinite(usual):
            continue
        found.append(_pair(scene, caller, callee, (count, gap), (usual_count, usual), "quiet" if quiet else "others"))
    return found


def _pair(
    scene: Scene, caller: str, callee: str, harm: tuple[float, float], quiet: tuple[float, float], compared_with: str
) -> Pair:
    (count, gap), (usual_count, usual) = harm, quiet
    tuning = scene.weights.edges
    spread = max(
        tuning.least_seconds, tuning.floor * abs(usual), tuning.peer_spread if compared_with == "others" else 0.0
    )
    few = min(count, usual_count) if compared_with == "quiet" else count
    trust = few / (few + tuning.few_calls)
    return Pair(caller, callee, count, usual_count, gap, usual, (gap - usual) / spread * trust, compared_with)


def _added(calls: Calls, rows: Bools) -> dict[tuple[str, str], tuple[float, float]]:
    """Calls a bucket and their mean gap in seconds, by pair."""
    buckets = max(1, len(set(calls.at[rows].tolist())))
    total: dict[tuple[str, str], tuple[float, float]] = {}
    count, gap = _known(calls.count), _known(calls.gap)
    for row in np.flatnonzero(rows):
        key = calls.caller[row], calls.callee[row]
        before = total.get(key, (0.0, 0.0))
        total[key] = before[0] + count[row], before[1] + count[row] * gap[row]
    return {key: (number / buckets, time / number) for key, (number, time) in total.items() if number > 0}


def _known(values: Floats) -> Floats:
    return np.nan_to_num(values, nan=0.0)
