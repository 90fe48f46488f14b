"""Who became slow by itself: extra seconds of a service that no slower callee accounts for."""

from __future__ import annotations

from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Harm, Scene
from unrepeat.investigation.lenses._words import from_to

TITLE = "Slow requests"


def look(scene: Scene) -> list[Finding]:
    """One finding a slow service: against it for what is its own, for it where a callee explains it.

    Where spans tell a service's own time, a quantile of its latency has nothing to add.
    """
    traced = {operation.service for operation in scene.operations}
    slow = {service: harm for service, harm in scene.slow.items() if service not in traced or _averaged(scene, harm)}
    worst = max((harm.own for harm in slow.values()), default=0.0)
    return [
        _finding(scene, service, harm, worst)
        for service, harm in slow.items()
        if harm.far >= scene.weights.score.worth_saying and not recovered(scene, service)
    ]


def _averaged(scene: Scene, harm: Harm) -> bool:
    return scene.tables.series[harm.column].quantile is None


def recovered(scene: Scene, service: str) -> bool:
    """Whether a service, or one that it calls, used to fail and now succeeds: its times cannot be compared, failing is quick."""
    limit = -scene.weights.score.recovered
    names = (service, *scene.callees.get(service, ()))
    harms = [scene.failed[name] for name in names if name in scene.failed]
    return any(float(scene.contrast.far[harm.column]) < limit for harm in harms)


def _finding(scene: Scene, service: str, harm: Harm, worst: float) -> Finding:
    share = harm.own / harm.amount if harm.amount > 0 else 0.0
    of_all = harm.own / worst if worst > 0 else 0.0
    series = scene.tables.series[harm.column]
    moved = from_to(float(scene.contrast.usual[harm.column]), float(scene.contrast.level[harm.column]), "seconds")
    cleared = share < scene.weights.clear.own_share and harm.callee != ""
    reason = f"Slow only because {harm.callee} is slow" if cleared else "No callee explains it"
    return Finding(
        lens="slowness",
        kind="indicator",
        subject=series.column,
        service=service,
        score=-share if cleared else strength(harm.far, scene.weights) * share * of_all**scene.weights.score.harm_power,
        sentence=f"Requests to {service}: {series.indicator} {moved}. {reason}.",
        direction="up",
        onset=float(scene.contrast.onset[harm.column]),
        source=(series.column,),
        chart=chart_of(scene.tables, scene.contrast, harm.column),
        because=harm.callee if cleared else "",
    )
