"""Findings added up a service."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses import Finding, Scene

# Lenses that show a fault at a callee that its callers feel, and lenses that show what callers feel.
OWN = ("resources", "edges", "own_time", "pods", "leak", "failures")
FELT = ("slowness", "failures")
# Lenses that look at the same numbers from several sides: the strongest counts in full, the others a little.
SAME = ("resources", "leak", "saturation", "restarts")


def service_scores(scene: Scene, findings: list[Finding]) -> dict[str, float]:
    """The strongest finding of each lens, weighted, added up; only services that anything speaks against, the worst first."""
    best = _once(scene, _best(findings))
    faulty = {
        service for (service, lens), score in best.items() if lens in OWN and score >= scene.weights.clear.own_fault
    }
    total = _faint(scene)
    for (service, lens), score in best.items():
        if not service or service in scene.vantages or score <= 0:
            continue
        felt = lens in FELT and any(callee in faulty for callee in scene.callees.get(service, ()))
        weight = scene.weights.lenses.get(lens, 0.0) * (scene.weights.clear.explained if felt else 1.0)
        total[service] = total.get(service, 0.0) + weight * score
    return dict(
        sorted(((name, score) for name, score in total.items() if score > 0), key=lambda item: (-item[1], item[0]))
    )


def _best(findings: list[Finding]) -> dict[tuple[str, str], float]:
    """The strongest score by service and lens. What a diff does says nothing about where the harm is, so it is left out."""
    best: dict[tuple[str, str], float] = defaultdict(float)
    for finding in findings:
        if finding.kind != "change" or finding.lens == "pods":
            key = finding.service, finding.lens
            best[key] = max(best[key], finding.score)
    return best


def _once(scene: Scene, best: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Scores in which what several lenses say of the same numbers is not counted again and again."""
    counted = dict(best)
    weights = scene.weights.lenses
    for service in {service for service, _ in best}:
        same = [lens for lens in SAME if best.get((service, lens), 0.0) > 0]
        strongest = max(same, key=lambda lens: weights.get(lens, 0.0) * best[service, lens], default="")
        for lens in same:
            if lens != strongest:
                counted[service, lens] *= scene.weights.score.again
    return counted


def _faint(scene: Scene) -> dict[str, float]:
    """What is too faint for a lens to say: it orders those against whom nothing else speaks, and never outweighs a finding."""
    faint: dict[str, float] = {}
    sides = scene.weights.faint
    for column, series in enumerate(scene.tables.series):
        weight = sides.get(series.measure.side, 0.0)
        far = min(float(scene.contrast.far[column]), scene.weights.score.worth_saying)
        if weight and far > 0 and not series.machine and series.service not in scene.vantages:
            faint[series.service] = max(faint.get(series.service, 0.0), weight * far)
    return faint
