"""Leak shape: memory, connections or files that only ever grow, while the load does not explain it and no limit is being filled."""

from __future__ import annotations

import math

import numpy as np

from unrepeat.investigation.lenses._contrast import step_of
from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._shapes import Growth, growths_of
from unrepeat.investigation.lenses._tables import Bools, Floats, Series
from unrepeat.investigation.lenses._words import from_to

TITLE = "Leaks"
_CAN_LEAK = frozenset({"memory", "queue or pool", "fullness"})


def look(scene: Scene) -> list[Finding]:
    """One finding an indicator with the shape of a leak."""
    rows = _unbroken(scene)
    values = scene.tables.values[rows]
    loads = _loads(scene, values)
    found = []
    for column in _candidates(scene, values):
        series = scene.tables.series[column]
        load = loads.get(series.service, loads.get(""))
        shapes = growths_of(values[:, column] * series.measure.scale, load)
        leaking = [
            shape
            for shape in shapes
            if leaks(shape, scene, series.measure.least) and not explained(shape, shapes[0], scene, series)
        ]
        if leaking:
            best = max(leaking, key=lambda shape: shape.trend)
            found.append(_finding(scene, column, best, float(scene.tables.times[rows][best.began])))
    return found


def _unbroken(scene: Scene) -> Bools:
    """The rows of quiet and harm since the last break in the recording: a shape needs time that goes on."""
    times = scene.tables.times
    rows: Bools = scene.contrast.before | scene.contrast.during
    breaks = np.flatnonzero(np.diff(times) > scene.weights.leak.break_rows * step_of(times))
    if len(breaks):
        rows = rows & (np.arange(len(times)) > breaks[-1])
    return rows


def leaks(growth: Growth, scene: Scene, least: float) -> bool:
    """Whether a growth is a leak's: sure, steady, not the load's, and large enough to matter."""
    tuning = scene.weights.leak
    return (
        growth.trend >= tuning.trend
        and growth.steady >= tuning.steady
        and growth.by_load <= tuning.by_load
        and growth.amount >= max(2 * least, tuning.share * abs(growth.start))
    )


def explained(growth: Growth, whole: Growth, scene: Scene, series: Series) -> bool:
    """Whether a growth is no more than the load's own: a flash sale fills memory too.

    Over the same rows a number may grow as much as the load did at its highest (memory is seldom given back); so a leak shows when the load
    rests. Connections, files and places in a queue are there only while requests run: as many as requests come, times as long as each
    takes. They are compared with the quiet start, since a service that has become too slow goes on filling.
    """
    if _within(growth.end, growth.start, growth.load_most / growth.load_start, scene):
        return True
    busier = growth.load_most / whole.load_start
    held = series.measure.name == "queue or pool" and busier >= scene.weights.leak.busier
    return held and _within(growth.end, whole.start, busier * _slower(scene, series.service), scene)


def _within(end: float, start: float, times: float, scene: Scene) -> bool:
    """Whether a number grew no more than `times`, and that is enough to explain anything; not a number explains nothing."""
    tuning = scene.weights.leak
    return times >= tuning.busier and end <= start * times * tuning.slack


def _slower(scene: Scene, service: str) -> float:
    """How many times the usual a request takes, at the service or at one of its callers, whose requests hold what they have of it."""
    callers = [caller for caller, callees in scene.callees.items() if service in callees]
    return max(_times_slower(scene, name) for name in (service, *callers))


def _times_slower(scene: Scene, service: str) -> float:
    """1 where it is not slower, or nobody measured it."""
    harm = scene.slow.get(service)
    if harm is None:
        return 1.0
    usual, level = float(scene.contrast.usual[harm.column]), float(scene.contrast.level[harm.column])
    return max(1.0, level / usual) if usual > 0 and math.isfinite(level) else 1.0


def _candidates(scene: Scene, values: Floats) -> list[int]:
    """Columns of the kinds that can leak whose last eighth lies above their first."""
    part = max(1, len(values) // 8)
    if len(values) < 8:
        return []
    grown = _middles(values[-part:]) > _middles(values[:part]) * (1 + scene.weights.leak.share / 2)
    return [
        column
        for column, series in enumerate(scene.tables.series)
        if grown[column] and series.measure.name in _CAN_LEAK and not series.machine
    ]


def _middles(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)


def _loads(scene: Scene, values: Floats) -> dict[str, Floats]:
    """The load of each service, by the busiest number that tells of it; under "" that of all together, for services whose own is not known."""
    found: dict[str, Floats] = {}
    for column, series in enumerate(scene.tables.series):
        if series.measure.name == "traffic" and not series.machine and not series.pod:
            mine = values[:, column] * series.measure.scale
            known = found.get(series.service)
            if known is None or _mean(mine) > _mean(known):
                found[series.service] = mine
    if found:
        found[""] = np.nan_to_num(np.array(list(found.values())), nan=0.0).sum(axis=0)
    return found


def _mean(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


def _finding(scene: Scene, column: int, growth: Growth, began: float) -> Finding:
    series = scene.tables.series[column]
    moved = from_to(growth.start, growth.end, series.measure.unit)
    size = growth.amount / max(series.measure.least, scene.weights.leak.share * abs(growth.start))
    return Finding(
        lens="leak",
        kind="indicator",
        subject=series.column,
        service=series.service,
        score=math.log1p(size) * growth.trend,
        sentence=f"{series.indicator} of {series.service} {moved} without a rest, and the load does not explain it: the shape of a leak.",
        direction="up",
        onset=began,
        source=(series.column,),
        chart=chart_of(scene.tables, scene.contrast, column),
    )
