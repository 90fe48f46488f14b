"""Error lines in logs, counted a service: who complains more than usual, or more than the others do."""

from __future__ import annotations

import math

import numpy as np

from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._logs import Counted, counted
from unrepeat.investigation.lenses._scene import Scene

TITLE = "Errors in logs"


def look(scene: Scene) -> list[Finding]:
    """One finding a service whose error lines stand out: from its own quiet where that is known, otherwise from other services."""
    known = counted(scene)
    noisy = [one.errors for one in known if one.errors > 0]
    others = float(np.median(noisy)) if noisy else 0.0
    errors = {one.service: one.errors for one in known}
    found = []
    for one in known:
        usual = others if one.usual is None else one.usual
        far = (one.errors - usual) / math.sqrt(1.0 + usual)
        if far >= scene.weights.logs.worth_saying:
            found.append(_finding(scene, one, usual, math.log1p(far), _blamed(scene, one.service, errors)))
    return found


def _blamed(scene: Scene, service: str, errors: dict[str, float]) -> str:
    """The callee that complains as much: errors are passed upwards."""
    least = scene.weights.logs.passed_up * errors[service]
    noisy = [name for name in scene.callees.get(service, ()) if errors.get(name, 0.0) >= least]
    return max(noisy, key=lambda name: errors[name]) if noisy else ""


def _finding(scene: Scene, one: Counted, usual: float, score: float, blamed: str) -> Finding:
    where = "another noisy service" if one.usual is None else "usually"
    reason = f" {blamed}, which it calls, complains as much." if blamed else ""
    return Finding(
        lens="log_errors",
        kind="service",
        subject=one.service,
        service=one.service,
        score=score * (scene.weights.logs.passed_on if blamed else 1.0),
        sentence=f"{one.service} logged {one.errors:.0f} error lines of {one.lines:.0f}, {where} {usual:.0f}.{reason}",
        direction="up",
        source=("logs",),
        because=blamed,
    )
