"""Operations that stop, and error handling that starts: how faults in code show where nothing is slow."""

from __future__ import annotations

import math
import re
from collections import defaultdict

from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._spans import Operation, operations
from unrepeat.investigation.lenses._words import listed

TITLE = "Operations that stop or start"
_ERROR_WORDS = re.compile(r"error|exception|fault|fallback|recover|abort", re.IGNORECASE)


def look(scene: Scene) -> list[Finding]:
    """Per service: error handling that was not there in quiet, and operations that its own requests no longer reach."""
    by_service: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations(scene):
        by_service[operation.service].append(operation)
    found = []
    for service, mine in by_service.items():
        found.extend(_started(scene, service, mine))
        found.extend(_stopped(scene, service, mine))
    return found


def _started(scene: Scene, service: str, mine: list[Operation]) -> list[Finding]:
    errors = [one for one in mine if _ERROR_WORDS.search(one.name)]
    now, before = sum(one.count for one in errors), sum(one.usual_count for one in errors)
    far = (now - before) / math.sqrt(1.0 + before)
    if far < scene.weights.operations.worth_saying:
        return []
    names = listed([one.name for one in errors if one.count > one.usual_count])
    return [
        _finding(
            service,
            math.log1p(far),
            f"{service} went into {names} {now:.0f} times a bucket, in quiet {before:.0f}.",
            "new",
            errors,
        )
    ]


def _stopped(scene: Scene, service: str, mine: list[Operation]) -> list[Finding]:
    """Expected counts follow the service's own busiest operation, so that less load is not mistaken for a fault."""
    entry = max(mine, key=lambda one: one.usual_count)
    if entry.usual_count <= 0 or entry.count <= 0:
        return []
    kept = entry.count / entry.usual_count
    gone = []
    for one in mine:
        expected = one.usual_count * min(1.0, kept)
        far = (expected - one.count) / math.sqrt(1.0 + expected)
        if one.count == 0 and far >= scene.weights.operations.worth_saying:
            gone.append((far, one))
    if not gone:
        return []
    far = max(score for score, _ in gone)
    lost = [one for _, one in gone]
    sentence = f"{service} no longer reaches {listed([one.name for one in lost])}, though it is still called."
    return [_finding(service, math.log1p(far), sentence, "gone", lost)]


def _finding(service: str, score: float, sentence: str, direction: str, mine: list[Operation]) -> Finding:
    return Finding(
        lens="operations",
        kind="service",
        subject=service,
        service=service,
        score=score,
        sentence=sentence,
        direction=direction,
        source=tuple(f"spans {service} {one.name}" for one in mine),
    )
