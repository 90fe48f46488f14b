"""Who is cleared, and why: innocence is told as plainly as guilt."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from unrepeat.investigation.lenses import Finding, Kind, Scene
from unrepeat.investigation.ranking.changes import Weighed


@dataclass(frozen=True, slots=True)
class Cleared:
    """A subject that is not guilty. `because`: the service that explains it, where one does."""

    kind: Kind
    subject: str
    sentence: str
    because: str = ""


def cleared_services(scene: Scene, findings: list[Finding], services: dict[str, float]) -> list[Cleared]:
    """Services explained by another one, those at which nothing is odd, and those that only say how users fare."""
    least = scene.weights.verdict.suspect
    watched = Counter(series.service for series in scene.tables.series if not series.machine)
    found = []
    for service in scene.tables.services():
        if service in scene.vantages:
            found.append(
                Cleared("service", service, f"{service} only shows how users fare; it does no work of its own.")
            )
        elif services.get(service, 0.0) < least:
            found.append(_cleared(service, findings, watched[service]))
    return found


def _cleared(service: str, findings: list[Finding], watched: int) -> Cleared:
    explained = next((one for one in findings if one.service == service and one.because), None)
    if explained is not None:
        return Cleared("service", service, explained.sentence, explained.because)
    unseen = "" if watched else " No indicator of it is known."
    return Cleared(
        "service", service, f"Nothing at {service} left its usual band ({watched} indicators looked at).{unseen}"
    )


def cleared_changes(weighed: list[Weighed]) -> list[Cleared]:
    """Changes with a reason why they are not it."""
    return [
        Cleared("change", one.change.key, f"{one.change.summary or one.change.key}: {one.cleared}", one.change.service)
        for one in weighed
        if one.cleared
    ]
