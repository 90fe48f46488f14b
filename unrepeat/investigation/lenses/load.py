"""More load from outside: all services are asked more by about the same factor. Not a fault of any of them."""

from __future__ import annotations

import numpy as np

from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import listed

TITLE = "Load from outside"


def look(scene: Scene) -> list[Finding]:
    """At most one finding, about no service: the load rose everywhere."""
    compared, tuning = scene.contrast, scene.weights.load
    columns = [
        column
        for column, series in enumerate(scene.tables.series)
        if series.measure.name == "traffic" and not series.pod and not series.machine and compared.usual[column] > 0
    ]
    grown = {
        scene.tables.series[column].service: float(compared.level[column] / compared.usual[column])
        for column in columns
    }
    ratios = np.array([ratio for ratio in grown.values() if np.isfinite(ratio)])
    if len(ratios) < tuning.services or float(np.quantile(ratios, tuning.least_share)) < tuning.times:
        return []
    first = min(columns, key=lambda column: np.nan_to_num(compared.onset[column], nan=np.inf))
    times = float(np.median(ratios))
    return [
        Finding(
            lens="load",
            kind="service",
            subject="outside",
            service="",
            score=float(np.log1p(times)),
            sentence=f"The load rose {times:.1f} times at {listed(sorted(grown))} alike: it comes from outside.",
            direction="up",
            onset=float(compared.onset[first]),
            source=tuple(scene.tables.series[column].column for column in columns),
            chart=chart_of(scene.tables, compared, first),
        )
    ]
