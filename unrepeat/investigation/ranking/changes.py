"""Which change is guilty: what its pods and its diff say, weighed by where the harm is and by time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from unrepeat.investigation.lenses import Change, Finding, Scene


@dataclass(frozen=True, slots=True)
class Weighed:
    """A change with its score and the reason it is cleared, if it is."""

    change: Change
    score: float
    cleared: str


def harm_onset(scene: Scene, findings: list[Finding], services: dict[str, float]) -> float:
    """When the harm began: the onset of the strongest finding about the strongest service; the alert where none is known."""
    known = [finding for finding in findings if math.isfinite(finding.onset) and finding.score > 0]
    if not known:
        return scene.tables.alert
    best = max(known, key=lambda finding: (services.get(finding.service, 0.0), finding.score))
    return min(best.onset, scene.tables.alert)


def weigh(scene: Scene, findings: list[Finding], services: dict[str, float]) -> list[Weighed]:
    """All changes, the most suspicious first; those that cannot be it are cleared and stand last."""
    onset = harm_onset(scene, findings, services)
    weighed = [_weigh(scene, change, findings, services, onset) for change in scene.tables.changes]
    return sorted(weighed, key=lambda one: (-one.score, -one.change.at, one.change.key))


def _weigh(scene: Scene, change: Change, findings: list[Finding], services: dict[str, float], onset: float) -> Weighed:
    tuning = scene.weights.changes
    if change.at > scene.tables.alert:
        return Weighed(change, -2.0, "it came after the alert")
    place = _place(scene, change, services)
    pods = next((one for one in findings if one.lens == "pods" and one.subject == change.key), None)
    if pods is not None and pods.score < 0:
        return Weighed(change, -1.0, pods.sentence)
    if pods is not None:
        return Weighed(change, pods.score + tuning.at_place * place, "")
    if change.at > onset + tuning.late_seconds:
        return Weighed(change, -1.0, "the harm was there before it")
    diff = next((one for one in findings if one.lens == "diffs" and one.subject == change.key), None)
    evidence = diff.score if diff is not None else tuning.unread + _prompt(scene, change, findings)
    recent = math.exp(-max(0.0, onset - change.at) / tuning.fade_seconds)
    outside = tuning.outside if any(one.lens in OUTSIDE and one.score > 0 for one in findings) else 1.0
    kind = tuning.kinds.get(change.kind, 1.0) * (1.0 if change.deployed else tuning.not_deployed)
    score = (
        evidence
        * (tuning.anywhere + (1 - tuning.anywhere) * place)
        * (tuning.old + (1 - tuning.old) * recent)
        * kind
        * outside
    )
    inert = diff is not None and diff.score < tuning.inert
    return Weighed(change, score, diff.sentence if inert and diff is not None else "")


OUTSIDE = ("load", "expiry", "machine")


def _prompt(scene: Scene, change: Change, findings: list[Finding]) -> float:
    """More where an indicator of the changed service left its band soon after the change."""
    tuning = scene.weights.changes
    waits = [
        one.onset - change.at
        for one in findings
        if one.service == change.service and one.kind == "indicator" and one.score > 0 and one.onset >= change.at
    ]
    return tuning.prompt * math.exp(-min(waits) / tuning.prompt_seconds) if waits else 0.0


def _place(scene: Scene, change: Change, services: dict[str, float]) -> float:
    """How suspicious the changed service is, 0 to 1; whoever calls a suspicious service or is called by it is a little suspicious too."""
    top = max(services.values(), default=0.0)
    if top <= 0:
        return 0.0
    places = [change.service] if change.service else _touched(scene, change.files)
    own = max((services.get(place, 0.0) for place in places), default=0.0)
    beside = [services.get(name, 0.0) for place in places for name in _neighbours(scene, place)]
    return min(1.0, max(own, scene.weights.changes.neighbour * max(beside, default=0.0)) / top)


def _touched(scene: Scene, files: tuple[str, ...]) -> list[str]:
    """Services whose name is a folder in the paths of a change that no deploy is known to carry."""
    folders = {_plain(part) for name in files for part in name.split("/")[:-1]}
    return [service for service in sorted(scene.known) if _plain(service) in folders]


def _plain(name: str) -> str:
    """A name without what people add to it: `services/session-service` and `sessionservice` mean the same."""
    return re.sub(r"[-_. ]|service$|svc$", "", name.lower())


def _neighbours(scene: Scene, service: str) -> list[str]:
    callers = [caller for caller, callees in scene.callees.items() if service in callees]
    return [*callers, *scene.callees.get(service, ())]
