"""Who fails by itself: failed requests of a service that no failing callee accounts for."""

from __future__ import annotations

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
    share = harm.own / harm.amount if harm.amount > 0 else 0.0
    of_all = harm.own / worst if worst > 0 else 0.0
    series = scene.tables.series[harm.column]
    moved = from_to(float(scene.contrast.usual[harm.column]), float(scene.contrast.level[harm.column]), "share")
    cleared = share < scene.weights.clear.own_share and harm.callee != ""
    reason = f"It fails only because {harm.callee} fails" if cleared else "No callee explains it"
    return Finding(
        lens="failures",
        kind="indicator",
        subject=series.column,
        service=service,
        score=-share if cleared else strength(harm.far, scene.weights) * share * of_all**scene.weights.score.harm_power,
        sentence=f"{series.indicator} of {service} {moved}. {reason}.",
        direction="down" if series.measure.worse == "down" else "up",
        onset=float(scene.contrast.onset[harm.column]),
        source=(series.column,),
        chart=chart_of(scene.tables, scene.contrast, harm.column),
        because=harm.callee if cleared else "",
    )


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
