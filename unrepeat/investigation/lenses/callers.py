"""What callers say of a service: calls to it that fail while their calls to others succeed. Seen from outside, so a silent service shows too."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import amount, listed

TITLE = "What callers say"


def look(scene: Scene) -> list[Finding]:
    """One finding a callee whose calls fail in its callers' own books."""
    failing: dict[str, list[int]] = defaultdict(list)
    for column, series in enumerate(scene.tables.series):
        outward = series.caller == series.service and series.callee and series.callee != series.service
        if outward and series.measure.name in ("success", "errors"):
            far = float(scene.contrast.far[column])
            if far >= scene.weights.score.worth_saying and scene.contrast.seen_before[column] >= 1:
                failing[series.callee].append(column)
    return [_finding(scene, callee, columns) for callee, columns in failing.items()]


def _finding(scene: Scene, callee: str, columns: list[int]) -> Finding:
    series = scene.tables.series
    far = float(np.median([scene.contrast.far[column] for column in columns]))
    worst = max(columns, key=lambda column: scene.contrast.far[column])
    callers = listed(sorted({series[column].service for column in columns}))
    level = amount(float(scene.contrast.level[worst]), series[worst].measure.unit)
    return Finding(
        lens="callers",
        kind="indicator",
        subject=series[worst].column,
        service=callee,
        score=strength(far, scene.weights),
        sentence=f"Calls from {callers} to {callee}: {series[worst].measure.name} {level}, usually {amount(float(scene.contrast.usual[worst]), series[worst].measure.unit)}.",
        direction="down" if series[worst].measure.worse == "down" else "up",
        onset=float(scene.contrast.onset[worst]),
        source=tuple(series[column].column for column in columns),
        chart=chart_of(scene.tables, scene.contrast, worst),
    )
