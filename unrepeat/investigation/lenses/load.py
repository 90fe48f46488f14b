"""More load from outside: all services are asked more by about the same factor. Not a fault of any of them."""

from __future__ import annotations

import numpy as np

from unrepeat.investigation.lenses._contrast import quantiles
from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Floats
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
    times_of = _times(scene)
    grown = {scene.tables.series[column].service: float(times_of[column]) for column in columns}
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


def _times(scene: Scene) -> Floats:
    """How many times the typical load of quiet the harm's is, a column; NaN where either is not known.

    Typical, not worst: peaks of chance are in both, and people who try again make some.
    """
    values = scene.tables.values
    quiet, harm = (quantiles(values[rows], (0.5,))[0] for rows in (scene.contrast.before, scene.contrast.during))
    return np.where(quiet > 0, harm / np.where(quiet > 0, quiet, 1.0), np.nan)
