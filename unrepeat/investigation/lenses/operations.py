"""Operations that stop, and error handling that starts: how faults in code show where nothing is slow."""

from __future__ import annotations

import math
import re
from collections import defaultdict

from unrepeat.investigation.lenses._calls import Pair
from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._spans import Operation
from unrepeat.investigation.lenses._words import listed

TITLE = "Operations that stop or start"
_ERROR_WORDS = re.compile(r"error|exception|(?<!de)fault|fallback|panic", re.IGNORECASE)


def look(scene: Scene) -> list[Finding]:
    """Per service: error handling that was not there in quiet, operations that its own requests no longer reach, callees it skips."""
    by_service: dict[str, list[Operation]] = defaultdict(list)
    for operation in scene.operations:
        by_service[operation.service].append(operation)
    by_caller: dict[str, list[Pair]] = defaultdict(list)
    for pair in scene.pairs:
        by_caller[pair.caller].append(pair)
    found = []
    for service, mine in by_service.items():
        found.extend(_started(scene, service, mine))
        found.extend(_stopped(scene, service, mine))
        found.extend(_skipped(scene, service, mine, by_caller[service]))
    return found


def _started(scene: Scene, service: str, mine: list[Operation]) -> list[Finding]:
    errors = [one for one in mine if _ERROR_WORDS.search(one.name)]
    now, before = sum(one.count for one in errors), sum(one.usual_count for one in errors)
    far = (now - before) / math.sqrt(1.0 + before)
    if far < scene.weights.operations.worth_saying:
        return []
    names = listed([one.name for one in errors if one.count > one.usual_count])
    sentence = f"{service} went into {names} {now:.0f} times a bucket, in quiet {before:.0f}."
    return [_finding(service, math.log1p(far), sentence, "new", errors)]


def _stopped(scene: Scene, service: str, mine: list[Operation]) -> list[Finding]:
    """Expected counts follow the service's own busiest operation, so that less load is not mistaken for a fault."""
    kept = _kept(mine)
    gone = []
    for one in mine:
        expected = one.usual_count * min(1.0, kept)
        far = (expected - one.count) / math.sqrt(1.0 + expected)
        if (
            one.count <= scene.weights.operations.gone * expected
            and far >= scene.weights.operations.worth_saying
            and not _ERROR_WORDS.search(one.name)
        ):
            gone.append((far, one))
    if not gone:
        return []
    lost = [one for _, one in gone]
    sentence = (
        f"{service} no longer, or hardly, reaches {listed([one.name for one in lost])}, though it is still called."
    )
    return [_finding(service, math.log1p(max(far for far, _ in gone)), sentence, "gone", lost)]


def _skipped(scene: Scene, service: str, mine: list[Operation], called: list[Pair]) -> list[Finding]:
    """A service that is asked as often as ever and asks its callees much less: it gives up early."""
    tuning = scene.weights.operations
    served = [one for one in mine if one.usual_count >= tuning.few_calls]
    steady = max(
        (min(one.count / one.usual_count, one.usual_count / max(one.count, 1e-9)) for one in served), default=0.0
    )
    usual, now = sum(pair.usual_count for pair in called), sum(pair.count for pair in called)
    if steady < tuning.steady or usual < tuning.few_calls or now > (1.0 - tuning.skipped) * usual:
        return []
    far = (usual - now) / math.sqrt(1.0 + usual)
    most = max(called, key=lambda pair: pair.usual_count - pair.count)
    share = 100 * (usual - now) / usual
    sentence = (
        f"{service} is asked as often as before but asks its callees {share:.0f} % less, {most.callee} most of all."
    )
    return [_finding(service, math.log1p(far) * tuning.skipped_weight, sentence, "gone", [])]


def _kept(mine: list[Operation]) -> float:
    busiest = max(mine, key=lambda one: one.usual_count)
    return busiest.count / busiest.usual_count if busiest.usual_count > 0 else 0.0


def _finding(service: str, score: float, sentence: str, direction: str, mine: list[Operation]) -> Finding:
    return Finding(
        lens="operations",
        kind="service",
        subject=service,
        service=service,
        score=score,
        sentence=sentence,
        direction=direction,
        source=tuple(f"spans {service} {one.name}" for one in mine) or (f"calls of {service}",),
    )
