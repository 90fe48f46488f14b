"""Who became slow by itself: extra seconds of a service that no slower callee accounts for."""

from __future__ import annotations

from unrepeat.investigation.lenses._felt import felt
from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Harm, Scene

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
    what = f"Requests to {service}: {scene.tables.series[harm.column].indicator}"
    because = f"Slow only because {harm.callee} is slow"
    return felt(scene, "slowness", service, harm, worst, what=what, because=because)
