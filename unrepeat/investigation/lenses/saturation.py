"""What ran full: a share near its end, or something in use that reached the limit that is known for it."""

from __future__ import annotations

import re

import numpy as np

from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Series
from unrepeat.investigation.lenses._words import amount

TITLE = "What ran full"
_LIMIT = re.compile(r"(?:^|_)(max(?:imum)?|limit|capacity|size|quota)(?:_|$)", re.IGNORECASE)
_USED = re.compile(r"(?:^|_)(in_?use|used|active|open|busy|current|checked_?out|allocated)(?:_|$)", re.IGNORECASE)


def look(scene: Scene) -> list[Finding]:
    """One finding an indicator that reached its end during the harm and had room before."""
    limits = _limits(scene)
    found = []
    for column, series in enumerate(scene.tables.series):
        if series.machine or series.measure.side != "inside" or scene.contrast.seen_before[column] < 1:
            continue
        limit = limits.get((series.service, series.pod, _stem(series, _USED)))
        if limit is None and series.measure.unit == "share" and series.measure.worse == "up":
            limit = 1.0
        if limit:
            finding = _finding(scene, column, limit)
            if finding is not None:
                found.append(finding)
    return found


def _limits(scene: Scene) -> dict[tuple[str, str, str], float]:
    """The known limits, by service, pod and the name that is left without the word for a limit."""
    found = {}
    for column, series in enumerate(scene.tables.series):
        if _LIMIT.search(series.indicator):
            values = scene.tables.values[:, column]
            known = values[np.isfinite(values)]
            if len(known):
                found[series.service, series.pod, _stem(series, _LIMIT)] = (
                    float(np.median(known)) * series.measure.scale
                )
    return found


def _stem(series: Series, word: re.Pattern[str]) -> str:
    return word.sub("_", series.indicator.lower()).strip("_")


def _finding(scene: Scene, column: int, limit: float) -> Finding | None:
    series, tuning = scene.tables.series[column], scene.weights.saturation
    level, usual = float(scene.contrast.level[column]), float(scene.contrast.usual[column])
    if not level >= tuning.full * limit or usual >= tuning.room * limit or _LIMIT.search(series.indicator):
        return None
    return Finding(
        lens="saturation",
        kind="indicator",
        subject=series.column,
        service=series.service,
        score=tuning.strength,
        sentence=(
            f"{series.indicator} of {series.service} ran full: {amount(level, series.measure.unit)} of {amount(limit, series.measure.unit)}, "
            f"usually {amount(usual, series.measure.unit)}."
        ),
        direction="up",
        onset=float(scene.contrast.onset[column]),
        source=(series.column,),
        chart=chart_of(scene.tables, scene.contrast, column),
    )
