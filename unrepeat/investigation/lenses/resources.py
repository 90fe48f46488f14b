"""What a service wears out inside: CPU, memory, disk, queues. A culprit is odd inside; a victim usually is not."""

from __future__ import annotations

from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import from_to

TITLE = "Resources inside a service"


def look(scene: Scene) -> list[Finding]:
    """One finding an inside indicator that left its usual band for the worse."""
    found = []
    compared = scene.contrast
    for column, series in enumerate(scene.tables.series):
        far = float(compared.far[column])
        if series.measure.side != "inside" or series.machine or far < scene.weights.score.worth_saying:
            continue
        if compared.seen_before[column] < 1:
            continue
        before, after = float(compared.usual[column]), float(compared.level[column])
        by_load = _by_load(scene, series.service, before, after)
        found.append(
            Finding(
                lens="resources",
                kind="indicator",
                subject=series.column,
                service=series.service,
                score=strength(far, scene.weights)
                * scene.weights.resources.get(series.measure.name, 1.0)
                * (scene.weights.load.follows if by_load else 1.0),
                sentence=f"{_capital(series.measure.name)} of {series.service} {from_to(before, after, series.measure.unit)}{', no more than its load did' if by_load else ''}.",
                direction="up" if after >= before else "down",
                onset=float(compared.onset[column]),
                source=(series.column,),
                chart=chart_of(scene.tables, compared, column),
            )
        )
    return found


def _by_load(scene: Scene, service: str, before: float, after: float) -> bool:
    """Whether a service is used more only because it is asked more."""
    busier = scene.busier.get(service, 1.0)
    return busier >= scene.weights.load.times and before > 0 and after / before <= busier * scene.weights.load.slack


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
