"""A countdown that reached zero: a certificate, a licence, a token. Nobody shipped it, time did."""

from __future__ import annotations

import numpy as np

from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene

TITLE = "Something expired"


def look(scene: Scene) -> list[Finding]:
    """One finding a countdown that was above zero before and is not any more."""
    tables, found = scene.tables, []
    for column, series in enumerate(tables.series):
        if series.measure.name != "time left":
            continue
        values = tables.values[:, column]
        over = np.isfinite(values) & (values <= 0) & (scene.contrast.before | scene.contrast.during)
        if not over.any() or not (values[: int(np.argmax(over))] > 0).any():
            continue
        at = float(tables.times[int(np.argmax(over))])
        found.append(
            Finding(
                lens="expiry",
                kind="indicator",
                subject=series.column,
                service=series.service,
                score=scene.weights.load.expired,
                sentence=f"{series.indicator} of {series.service} reached zero: something expired.",
                direction="down",
                onset=at,
                source=(series.column,),
                chart=chart_of(tables, scene.contrast, column),
            )
        )
    return found
