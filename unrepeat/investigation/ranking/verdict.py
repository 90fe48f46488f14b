"""What may be said aloud: a guilty change, no change, a cause from outside, or nothing yet. False confidence is worse than silence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unrepeat.investigation.lenses import Finding, Scene
from unrepeat.investigation.ranking.changes import OUTSIDE, Weighed

Says = Literal["change", "no change", "outside", "nothing"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`service` and `change` are empty where none is named. `sure`: whether the service stands out enough to be called guilty."""

    says: Says
    service: str
    sure: bool
    change: str
    sentence: str


def verdict(scene: Scene, findings: list[Finding], services: dict[str, float], changes: list[Weighed]) -> Verdict:
    """The verdict over ranked services (the worst first) and weighed changes (the worst first)."""
    limits = scene.weights.verdict
    service, score = next(iter(services.items()), ("", 0.0))
    second = list(services.values())[1] if len(services) > 1 else 0.0
    if score < limits.suspect:
        service = ""
    sure = score >= limits.guilty and second <= limits.second * score
    best = changes[0] if changes else None
    if best is not None and best.score >= scene.weights.changes.guilty:
        return Verdict("change", service, sure, best.change.key, _blames(service, best))
    outside = max(
        (one for one in findings if one.lens in OUTSIDE and one.score > 0), key=lambda one: one.score, default=None
    )
    if outside is not None:
        return Verdict("outside", service, sure, "", f"No change is guilty. {outside.sentence}")
    if not service:
        return Verdict("nothing", "", False, "", "Nothing stands out enough to be named.")
    if changes:
        return Verdict(
            "no change", service, sure, "", f"{service} stands out; none of the {len(changes)} changes explains it."
        )
    return Verdict("no change", service, sure, "", f"{service} stands out; no change is known around that time.")


def _blames(service: str, best: Weighed) -> str:
    what = best.change.summary or best.change.key
    where = best.change.service or service
    if service and where and service != where:
        return f"The change “{what}” of {where} is the likeliest cause of what {service} shows."
    return (
        f"The change “{what}” of {where} is the likeliest cause."
        if where
        else f"The change “{what}” is the likeliest cause."
    )
