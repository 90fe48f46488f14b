"""Services that fall silent: numbers that were always there and stop. Missing data is a sign, not a zero."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene

TITLE = "Numbers that stop"


def look(scene: Scene) -> list[Finding]:
    """One finding a service most of whose numbers stop during the harm while those of others go on."""
    before, during = scene.contrast.before, scene.contrast.during
    tuning = scene.weights.missing
    if not before.any() or int(during.sum()) < tuning.rows:
        return []
    known = np.isfinite(scene.tables.values)
    steady = np.asarray(known[before].mean(axis=0) >= tuning.usually)
    silent = np.asarray(~known[during][-tuning.rows :].any(axis=0))
    stopped: dict[str, list[int]] = defaultdict(list)
    all_of: dict[str, int] = defaultdict(int)
    for column in np.flatnonzero(steady):
        series = scene.tables.series[column]
        if not series.machine and not series.pod:
            all_of[series.service] += 1
            if silent[column]:
                stopped[series.service].append(int(column))
    if sum(len(columns) for columns in stopped.values()) > tuning.everywhere * max(1, sum(all_of.values())):
        return []  # the monitoring itself stopped
    return [
        _finding(scene, service, columns)
        for service, columns in stopped.items()
        if all_of[service] >= tuning.numbers and len(columns) >= tuning.most * all_of[service]
    ]


def _finding(scene: Scene, service: str, columns: list[int]) -> Finding:
    rows = np.flatnonzero(scene.contrast.before | scene.contrast.during)
    seen = np.isfinite(scene.tables.values[rows][:, columns]).any(axis=1)
    last = float(scene.tables.times[rows[seen][-1]]) if seen.any() else scene.tables.alert
    return Finding(
        lens="missing",
        kind="service",
        subject=service,
        service=service,
        score=scene.weights.missing.strength,
        sentence=f"{service} fell silent: {len(columns)} of its numbers stopped.",
        direction="gone",
        onset=last,
        source=tuple(scene.tables.series[column].column for column in columns),
    )
