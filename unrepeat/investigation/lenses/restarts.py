"""Processes that started again: start times that jump, uptimes that fall back."""

from __future__ import annotations

import math

import numpy as np

from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Floats

TITLE = "Restarts"


def look(scene: Scene) -> list[Finding]:
    """One finding a series that tells of restarts during the harm, and of fewer before."""
    found = []
    for column, series in enumerate(scene.tables.series):
        if series.measure.name not in ("start time", "uptime") or series.machine:
            continue
        values = scene.tables.values[:, column]
        quiet = restarts(values[scene.contrast.before], series.measure.name)
        harm = restarts(values[scene.contrast.before | scene.contrast.during], series.measure.name) - quiet
        rows = max(1, int(scene.contrast.before.sum()))
        expected = quiet * int(scene.contrast.during.sum()) / rows
        far = (harm - expected) / math.sqrt(1.0 + expected)
        if harm and far >= scene.weights.restarts.worth_saying:
            found.append(_finding(scene, column, harm, far))
    return found


def restarts(values: Floats, kind: str) -> int:
    """How often a start time moved on, or an uptime fell back."""
    steps = np.diff(values[np.isfinite(values)])
    return int((steps > 1.0).sum() if kind == "start time" else (steps < 0).sum())


def _finding(scene: Scene, column: int, harm: int, far: float) -> Finding:
    series = scene.tables.series[column]
    times = "once" if harm == 1 else f"{harm} times"
    return Finding(
        lens="restarts",
        kind="indicator",
        subject=series.column,
        service=series.service,
        score=scene.weights.restarts.strength * math.log1p(far),
        sentence=f"{series.service} started again {times} during the harm.",
        direction="new",
        onset=float(scene.contrast.onset[column]),
        source=(series.column,),
        chart=chart_of(scene.tables, scene.contrast, column),
    )
