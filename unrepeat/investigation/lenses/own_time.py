"""Operations that take longer by themselves, their callees and the way there taken off."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses._findings import Finding, strength
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._spans import Operation
from unrepeat.investigation.lenses._words import duration

TITLE = "Own time of operations"


def look(scene: Scene) -> list[Finding]:
    """One finding a service whose operations together became slower by themselves."""
    by_service: dict[str, list[Operation]] = defaultdict(list)
    for operation in scene.operations:
        if operation.count > 0 and operation.usual_count > 0:
            by_service[operation.service].append(operation)
    on_the_way: dict[str, float] = defaultdict(float)
    for pair in scene.pairs:
        on_the_way[pair.caller] += pair.extra * pair.count
    found = (_finding(scene, service, mine, on_the_way[service]) for service, mine in by_service.items())
    return [finding for finding in found if finding is not None]


def _finding(scene: Scene, service: str, mine: list[Operation], on_the_way: float) -> Finding | None:
    """Seconds a bucket beyond the usual, against what these operations usually take."""
    tuning = scene.weights.own_time
    longer = sum((one.own - one.usual_own) * one.count for one in mine)
    if on_the_way > tuning.on_the_way * longer:
        return None
    extra = longer - on_the_way
    usual = sum(abs(one.usual_own) * one.count for one in mine)
    calls = max(one.count for one in mine)
    spread = max(tuning.least_seconds * calls, tuning.floor * usual)
    far = extra / spread * calls / (calls + tuning.few_calls)
    if far < scene.weights.score.worth_saying:
        return None
    worst = max(mine, key=lambda one: (one.own - one.usual_own) * one.count)
    return Finding(
        lens="own_time",
        kind="service",
        subject=service,
        service=service,
        score=strength(far, scene.weights),
        sentence=(
            f"{service} takes longer by itself: {worst.name} spends {duration(worst.own)} of its own, in quiet {duration(worst.usual_own)}."
        ),
        direction="up",
        source=tuple(f"spans {service} {one.name}" for one in mine),
    )
