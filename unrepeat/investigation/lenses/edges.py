"""Time lost between caller and callee: the network of one service, or a callee too busy to take the call."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses._calls import Pair
from unrepeat.investigation.lenses._findings import Finding, strength
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import duration, listed

TITLE = "Time between caller and callee"


def look(scene: Scene) -> list[Finding]:
    """One finding a service at which the time is lost: as callee of all its callers, or as caller of all its callees."""
    known = scene.pairs
    by_callee, by_caller = defaultdict(list), defaultdict(list)
    for pair in known:
        by_callee[pair.callee].append(pair)
        by_caller[pair.caller].append(pair)
    callers = {name: mine for name, mine in by_caller.items() if _most_late(scene, mine)}
    found = [_finding(scene, name, mine, "calling") for name, mine in callers.items()]
    for name, mine in by_callee.items():
        late = _late(scene, mine)
        unexplained = [pair for pair in late if pair.caller not in callers]
        if late and unexplained and len(late) >= scene.weights.edges.most * len(mine):
            found.append(_finding(scene, name, mine, "called"))
    return found


def _late(scene: Scene, mine: list[Pair]) -> list[Pair]:
    return [pair for pair in mine if pair.far >= scene.weights.score.worth_saying]


def _most_late(scene: Scene, mine: list[Pair]) -> bool:
    """Whether nearly all calls that a service makes are late: then the fault is on its side."""
    tuning = scene.weights.edges
    return len(mine) >= tuning.callees and len(_late(scene, mine)) >= tuning.most * len(mine)


def _finding(scene: Scene, service: str, mine: list[Pair], role: str) -> Finding:
    late = _late(scene, mine)
    weight = sum(pair.count for pair in mine)
    far = sum(pair.far * pair.count for pair in mine) / weight if weight else 0.0
    worst = max(late, key=lambda pair: pair.extra)
    if role == "called":
        names = listed(sorted(pair.caller for pair in late))
        sentence = f"Calls from {names} to {service} lose {duration(worst.gap)} on the way; {worst.against} it is {duration(worst.usual)}."
    else:
        names = listed(sorted(pair.callee for pair in late))
        sentence = f"Calls that {service} makes to {names} lose {duration(worst.gap)} on the way; {worst.against} it is {duration(worst.usual)}."
    return Finding(
        lens="edges",
        kind="service",
        subject=service,
        service=service,
        score=strength(far, scene.weights),
        sentence=sentence,
        direction="up",
        source=tuple(f"calls {pair.caller} to {pair.callee}" for pair in late),
    )
