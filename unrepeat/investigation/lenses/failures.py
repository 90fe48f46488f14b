"""Who fails by itself: failed requests of a service that no failing callee accounts for."""

from __future__ import annotations

from unrepeat.investigation.lenses._felt import felt
from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Harm, Scene
from unrepeat.investigation.lenses._words import from_to

TITLE = "Failed requests"


def look(scene: Scene) -> list[Finding]:
    """One finding a failing service or a growing error count."""
    worst = max((harm.own for harm in scene.failed.values()), default=0.0)
    shares = [
        _finding(scene, service, harm, worst)
        for service, harm in scene.failed.items()
        if harm.far >= scene.weights.score.worth_saying
    ]
    return [*shares, *_counts(scene)]


def _finding(scene: Scene, service: str, harm: Harm, worst: float) -> Finding:
    what = f"{scene.tables.series[harm.column].indicator} of {service}"
    because = f"It fails only because {harm.callee} fails"
    return felt(scene, "failures", service, harm, worst, what=what, because=because)


def _counts(scene: Scene) -> list[Finding]:
    compared = scene.contrast
    found = []
    for column, series in enumerate(scene.tables.series):
        far = float(compared.far[column])
        counted = series.measure.name == "errors" and series.measure.unit == "count" and not series.machine
        if not counted or far < scene.weights.score.worth_saying or compared.seen_before[column] < 1:
            continue
        moved = from_to(float(compared.usual[column]), float(compared.level[column]), "count")
        found.append(
            Finding(
                lens="failures",
                kind="indicator",
                subject=series.column,
                service=series.service,
                score=strength(far, scene.weights),
                sentence=f"{series.indicator} of {series.service} {moved}.",
                direction="up",
                onset=float(compared.onset[column]),
                source=(series.column,),
                chart=chart_of(scene.tables, compared, column),
            )
        )
    return found
