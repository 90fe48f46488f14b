"""Error lines in logs, counted a service: who complains more than the others do."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene

TITLE = "Errors in logs"
_BAD = ("ERROR", "FATAL", "CRITICAL", "PANIC", "EMERG")


def look(scene: Scene) -> list[Finding]:
    """One finding a service whose error lines stand out: from its own quiet where there is one, otherwise from other services."""
    now, before, lines = _counted(scene)
    if not now:
        return []
    others = float(np.median([count for count in now.values() if count > 0] or [0.0]))
    found = []
    for service, count in now.items():
        usual = before.get(service, 0.0) if before else others
        far = (count - usual) / math.sqrt(1.0 + usual)
        if far < scene.weights.logs.worth_saying:
            continue
        blamed = _blamed(scene, service, now)
        found.append(
            _finding(
                scene,
                service,
                (count, usual, lines.get(service, 0.0)),
                far,
                blamed,
                "before" if before else "elsewhere",
            )
        )
    return found


def _blamed(scene: Scene, service: str, now: dict[str, float]) -> str:
    """The callee that complains as much: errors are passed upwards."""
    share = scene.weights.logs.passed_up
    noisy = [name for name in scene.callees.get(service, ()) if now.get(name, 0.0) >= share * now[service]]
    return max(noisy, key=lambda name: now[name]) if noisy else ""


def _counted(scene: Scene) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Error lines during the harm, error lines before it scaled to the same length, and all lines during the harm."""
    tables = scene.tables
    now: dict[str, float] = defaultdict(float)
    lines: dict[str, float] = defaultdict(float)
    before: dict[str, float] = defaultdict(float)
    counts = tables.log_counts
    if counts is not None:
        for row, service in enumerate(counts.service):
            now[service] += float(counts.errors[row])
            lines[service] += float(counts.lines[row])
    start = float(tables.times[scene.contrast.during][0]) if scene.contrast.during.any() else tables.alert
    end = float(tables.times[scene.contrast.during][-1]) if scene.contrast.during.any() else tables.alert
    quiet_from = min((line.at for line in tables.log_lines), default=start)
    for line in tables.log_lines:
        if line.at > end:
            continue
        bad = line.severity.upper() in _BAD
        if line.at >= start:
            lines[line.service] += 1.0
            now[line.service] += float(bad)
        elif bad:
            before[line.service] += (end - start) / max(start - quiet_from, 1.0)
    if tables.log_lines:
        for service in now:
            before[service] += 0.0
    return dict(now), dict(before), dict(lines)


def _finding(
    scene: Scene, service: str, numbers: tuple[float, float, float], far: float, blamed: str, against: str
) -> Finding:
    count, usual, lines = numbers
    where = "before" if against == "before" else "in the usual noisy service"
    reason = f" {blamed}, which it calls, complains as much." if blamed else ""
    strength = math.log1p(far)
    return Finding(
        lens="log_errors",
        kind="service",
        subject=service,
        service=service,
        score=strength * (scene.weights.logs.passed_on if blamed else 1.0),
        sentence=f"{service} logged {count:.0f} error lines of {lines:.0f}, {where} {usual:.0f}.{reason}",
        direction="up",
        source=("logs",),
        because=blamed,
    )
