"""Callers that wait, where nobody measured the calls themselves: the callee that all the waiting callers share, and only they."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import from_to, listed

TITLE = "Callers that wait"


def look(scene: Scene) -> list[Finding]:
    """One finding a callee for which every caller waits longer than usual; callers that do not wait clear their callees."""
    waits = _waits(scene)
    if not waits or scene.pairs:
        return []
    callers: dict[str, list[str]] = defaultdict(list)
    for caller, callees in scene.callees.items():
        for callee in callees:
            if caller in waits and callee in scene.known:
                callers[callee].append(caller)
    limit = scene.weights.score.worth_saying
    late = {callee: mine for callee, mine in callers.items() if all(waits[caller][0] >= limit for caller in mine)}
    return [_finding(scene, callee, mine, waits, late) for callee, mine in late.items()]


def _waits(scene: Scene) -> dict[str, tuple[float, int]]:
    """How far the waiting of each caller went, by its most typical quantile."""
    found: dict[str, tuple[float, float, int]] = {}
    for column, series in enumerate(scene.tables.series):
        if series.measure.side != "waiting" or series.pod or scene.contrast.seen_before[column] < 1:
            continue
        rank = series.quantile or 0.0
        if series.service not in found or rank < found[series.service][0]:
            found[series.service] = rank, float(scene.contrast.far[column]), column
    return {service: (far, column) for service, (_, far, column) in found.items()}


def _finding(
    scene: Scene, callee: str, mine: list[str], waits: dict[str, tuple[float, int]], late: dict[str, list[str]]
) -> Finding:
    """The fewer callees could be meant, the stronger."""
    alike = sum(any(caller in mine for caller in others) for others in late.values())
    far, column = min(waits[caller] for caller in mine)
    moved = from_to(float(scene.contrast.usual[column]), float(scene.contrast.level[column]), "seconds")
    return Finding(
        lens="waiting",
        kind="service",
        subject=callee,
        service=callee,
        score=strength(far, scene.weights) / alike,
        sentence=f"The time that {listed(mine)} waits {moved}, and {callee} is one of {alike} callees that nobody clears.",
        direction="up",
        onset=float(scene.contrast.onset[column]),
        source=(scene.tables.series[column].column,),
        chart=chart_of(scene.tables, scene.contrast, column),
    )
