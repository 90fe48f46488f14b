"""New pods beside old pods of the same service at the same time: the plainest test of a release."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._contrast import quantiles
from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Bools, Change, Floats
from unrepeat.investigation.lenses._words import amount

TITLE = "New pods against old pods"


@dataclass(frozen=True, slots=True)
class Sides:
    """Columns of the new and of the old pods of a release, and the rows in which both could be seen."""

    new: tuple[int, ...]
    old: tuple[int, ...]
    rows: Bools


def look(scene: Scene) -> list[Finding]:
    """One finding a release whose pods are known: against it where they differ for the worse, for it where they do not."""
    found = []
    for change in scene.tables.changes:
        sides = _sides(scene, change)
        if sides is not None:
            found.append(_finding(scene, change, sides))
    return found


def _sides(scene: Scene, change: Change) -> Sides | None:
    tables, tuning = scene.tables, scene.weights.pods
    mine = [column for column, series in enumerate(tables.series) if series.service == change.service and series.pod]
    if not mine or change.at > tables.alert:
        return None
    names = set(change.new_pods) or _appeared(scene, mine, change.at)
    rows = scene.contrast.during & (tables.times >= change.at + tuning.grace_seconds)
    if not names or not rows.any():
        return None
    new = tuple(column for column in mine if tables.series[column].pod in names)
    old = tuple(column for column in mine if tables.series[column].pod not in names)
    return Sides(new, old, rows) if old else None


def _appeared(scene: Scene, mine: list[int], at: float) -> set[str]:
    """Pods that were first seen after the change."""
    before = scene.tables.times < at
    known = {
        scene.tables.series[column].pod for column in mine if np.isfinite(scene.tables.values[before, column]).any()
    }
    return {scene.tables.series[column].pod for column in mine} - known


def _finding(scene: Scene, change: Change, sides: Sides) -> Finding:
    told = [
        _silence(scene, sides),
        *(_compared(scene, sides, name) for name in ("success", "errors", "latency", "CPU", "memory")),
    ]
    score, sentence = max(told, key=lambda one: one[0])
    if score < scene.weights.pods.worth_saying:
        score, sentence = -1.0, "its new pods look like the old ones"
    return Finding(
        lens="pods",
        kind="change",
        subject=change.key,
        service=change.service,
        score=score,
        sentence=f"{change.service}: {sentence}.",
        source=tuple(scene.tables.series[column].column for column in (*sides.new, *sides.old)),
    )


def _silence(scene: Scene, sides: Sides) -> tuple[float, str]:
    """New pods that never report, or that take no calls, while the old ones do."""
    values = scene.tables.values[sides.rows]
    tuning = scene.weights.pods
    calls = [column for column in sides.old if scene.tables.series[column].measure.name == "success"] or list(sides.old)
    if float(np.isfinite(values[:, calls]).any(axis=1).mean()) < tuning.old_seen:
        return 0.0, ""
    new_seen = float(np.isfinite(values[:, list(sides.new)]).any(axis=1).mean()) if sides.new else 0.0
    if new_seen < tuning.new_seen:
        return tuning.silent, "its new pods do not report at all, the old ones do"
    busy_new, busy_old = _middle(scene, sides.rows, sides.new, "CPU"), _middle(scene, sides.rows, sides.old, "CPU")
    if busy_old > 0 and busy_new < tuning.idle * busy_old:
        return tuning.silent, "its new pods do nothing, the old ones work"
    served = [column for column in sides.new if scene.tables.series[column].measure.name == "success"]
    each_old = float(np.isfinite(values[:, calls]).mean())
    taken = float(np.isfinite(values[:, served]).mean()) if served else 0.0
    if taken < tuning.new_seen * each_old and each_old >= tuning.old_seen:
        return tuning.unused, "its new pods take no calls, the old ones do"
    return 0.0, ""


def _compared(scene: Scene, sides: Sides, name: str) -> tuple[float, str]:
    """How much worse the new pods are in one measure than the old ones at the same moments."""
    new, old = _grid(scene, sides.rows, sides.new, name), _grid(scene, sides.rows, sides.old, name)
    if not np.isfinite(new).any() or not np.isfinite(old).any():
        return 0.0, ""
    measure = next(
        one.measure for one in scene.tables.series if one.service == _service(scene, sides) and one.measure.name == name
    )
    share = measure.unit == "share" and measure.side == "outside"
    now, usual = _typical(new, share=share), _typical(old, share=share)
    worse = usual - now if measure.worse == "down" else now - usual
    ease = 1.0 if share else scene.weights.pods.floor
    far = worse / max(measure.least * ease, measure.floor * ease * abs(usual), 0.0 if share else _apart(old))
    strength = math.log1p(max(0.0, far)) * scene.weights.pods.measures.get(name, 0.0)
    return (
        strength,
        f"the {measure.name} of its new pods is {amount(now, measure.unit)}, of the old ones {amount(usual, measure.unit)}",
    )


def _service(scene: Scene, sides: Sides) -> str:
    return scene.tables.series[sides.old[0]].service


def _typical(values: Floats, *, share: bool) -> float:
    """The mean of a share (rare failures count), the median of anything else."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if share else float(np.median(known))


def _apart(old: Floats) -> float:
    """How far old pods stand from each other at the same moment: what all of them do together is no difference."""
    middle = quantiles(old.T, (0.5,))[0]
    apart = old - middle[:, None]
    known = apart[np.isfinite(apart)]
    low, high = np.percentile(known, [25, 75]) if len(known) else (0.0, 0.0)
    return float(high - low) / 1.349


def _grid(scene: Scene, rows: Bools, columns: tuple[int, ...], name: str) -> Floats:
    """Values of one measure, a row a moment and a column a series; what a pod says of its own callees is left out."""
    series = scene.tables.series
    mine = [
        column
        for column in columns
        if series[column].measure.name == name and series[column].caller != series[column].service
    ]
    if not mine:
        return np.empty((int(rows.sum()), 0))
    values: Floats = scene.tables.values[rows][:, mine] * series[mine[0]].measure.scale
    return values


def _middle(scene: Scene, rows: Bools, columns: tuple[int, ...], name: str) -> float:
    values = _grid(scene, rows, columns, name)
    return _typical(values, share=False) if np.isfinite(values).any() else math.nan
