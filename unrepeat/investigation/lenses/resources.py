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
        found.append(
            Finding(
                lens="resources",
                kind="indicator",
                subject=series.column,
                service=series.service,
                score=strength(far, scene.weights) * scene.weights.resources.get(series.measure.name, 1.0),
                sentence=f"{_capital(series.measure.name)} of {series.service} {from_to(before, after, series.measure.unit)}.",
                direction="up" if after >= before else "down",
                onset=float(compared.onset[column]),
                source=(series.column,),
                chart=chart_of(scene.tables, compared, column),
            )
        )
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
