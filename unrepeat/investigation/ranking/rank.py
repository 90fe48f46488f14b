"""The ranking: look with every lens, add up, clear, and say what may be said."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from unrepeat.investigation.lenses import Finding, Scene, Tables, scene_of
from unrepeat.investigation.ranking.changes import Weighed, harm_onset, weigh
from unrepeat.investigation.ranking.clearing import Cleared, cleared_changes, cleared_services
from unrepeat.investigation.ranking.indicators import indicator_scores
from unrepeat.investigation.ranking.services import service_scores
from unrepeat.investigation.ranking.verdict import Verdict, verdict
from unrepeat.investigation.weights import Weights
from unrepeat.investigation.weights import weights as shipped
from unrepeat.support.kinds import kinds


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service, an indicator (by its column) or a change (by its key), with its score and what speaks against it."""

    name: str
    score: float
    findings: tuple[Finding, ...]

    @property
    def sentence(self) -> str:
        """The strongest thing that is said against it."""
        return self.findings[0].sentence if self.findings else "Only faint signs point at it."


@dataclass(frozen=True, slots=True)
class Ranking:
    """Everything an investigation knows at one moment. Suspects stand the worst first."""

    services: tuple[Suspect, ...]
    indicators: tuple[Suspect, ...]
    changes: tuple[Suspect, ...]
    cleared: tuple[Cleared, ...]
    findings: tuple[Finding, ...]
    verdict: Verdict
    onset: float  # unix seconds
    look_next: str


def lenses() -> dict[str, ModuleType]:
    """All lenses, by name: every module in `lenses/` with a `look`."""
    return kinds("unrepeat.investigation.lenses")


def look(scene: Scene) -> list[Finding]:
    """What all lenses say."""
    return [finding for lens in lenses().values() for finding in lens.look(scene)]


def rank(tables: Tables, weights: Weights | None = None) -> Ranking:
    """Rank services, indicators and changes around the alert. Pure: the same tables give the same ranking."""
    scene = scene_of(tables, weights or shipped())
    findings = look(scene)
    services = service_scores(scene, findings)
    indicators = indicator_scores(scene, findings, services)
    weighed = weigh(scene, findings, services)
    cleared = (*cleared_services(scene, findings, services), *cleared_changes(weighed))
    against = _against(findings)
    suspects = tuple(Suspect(name, score, against.get(("service", name), ())) for name, score in services.items())
    return Ranking(
        services=suspects,
        indicators=tuple(
            Suspect(name, score, against.get(("subject", name), ())) for name, score in indicators.items()
        ),
        changes=tuple(
            Suspect(one.change.key, one.score, against.get(("subject", one.change.key), ()))
            for one in weighed
            if one.score > 0
        ),
        cleared=cleared,
        findings=tuple(findings),
        verdict=verdict(scene, findings, services, weighed),
        onset=harm_onset(scene, findings, services),
        look_next=_look_next(suspects, weighed),
    )


def _against(findings: list[Finding]) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Findings by service and by subject, the strongest first; those that speak for it are left out."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda one: -one.score):
        if finding.score > 0:
            if finding.kind != "change":
                grouped.setdefault(("service", finding.service), []).append(finding)
            grouped.setdefault(("subject", finding.subject), []).append(finding)
    return {key: tuple(found) for key, found in grouped.items()}


def _look_next(suspects: tuple[Suspect, ...], weighed: list[Weighed]) -> str:
    """One line: where to look now."""
    if not suspects or not suspects[0].findings:
        return "Look at what users see first; no service stands out yet."
    best = suspects[0]
    change = weighed[0].change if weighed and weighed[0].score > 0 else None
    then = f", then at “{change.summary or change.key}”" if change is not None else ""
    return f"Look at {best.name} ({best.findings[0].source[0] if best.findings[0].source else best.findings[0].lens}){then}."
