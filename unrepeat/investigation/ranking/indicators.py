"""Which number shows it: the indicators of the suspicious services, in the order in which to look at them."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses import Finding, Scene

# Lenses that speak of a service as a whole, and the kind of harm whose indicator shows what they found.
SHOWN_BY = {"edges": "slow", "own_time": "slow", "operations": "failed", "log_errors": "failed"}


def indicator_scores(scene: Scene, findings: list[Finding], services: dict[str, float]) -> dict[str, float]:
    """Score by column, the worst first: the service's score, shared out by how strongly each of its indicators speaks."""
    own: dict[str, dict[str, float]] = defaultdict(dict)
    for finding in findings:
        if finding.kind == "indicator" and finding.score > 0 and finding.service:
            mine = own[finding.service]
            mine[finding.subject] = max(mine.get(finding.subject, 0.0), finding.score * _weight(scene, finding.lens))
    for finding in findings:
        column = _shown_by(scene, finding)
        if column and finding.score > 0:
            mine = own[finding.service]
            mine[column] = max(mine.get(column, 0.0), finding.score * _weight(scene, finding.lens))
    for column, (service, faint) in _faint(scene, services).items():
        own[service].setdefault(column, faint)
    inside = {series.column for series in scene.tables.series if series.measure.side == "inside"}
    total = {}
    for service, mine in own.items():
        caused = any(column in inside and score >= scene.weights.score.cause for column, score in mine.items())
        symptom = (
            scene.weights.score.symptom if caused else 1.0
        )  # what callers feel follows from what is worn out inside
        told = {column: score * (1.0 if column in inside else symptom) for column, score in mine.items()}
        most = max(told.values())
        total.update({column: services.get(service, 0.0) * score / most for column, score in told.items() if most > 0})
    return dict(
        sorted(((column, score) for column, score in total.items() if score > 0), key=lambda item: (-item[1], item[0]))
    )


def _weight(scene: Scene, lens: str) -> float:
    return scene.weights.lenses.get(lens, 0.0)


def _shown_by(scene: Scene, finding: Finding) -> str:
    kind = SHOWN_BY.get(finding.lens)
    if kind is None:
        return ""
    harms = (scene.slow, scene.failed) if kind == "slow" else (scene.failed, scene.slow)
    harm = next((known[finding.service] for known in harms if finding.service in known), None)
    return scene.tables.series[harm.column].column if harm is not None else ""


def _faint(scene: Scene, services: dict[str, float]) -> dict[str, tuple[str, float]]:
    """Indicators too faint for a lens, of services that are suspected all the same."""
    found = {}
    for column, series in enumerate(scene.tables.series):
        far = min(float(scene.contrast.far[column]), scene.weights.score.worth_saying)
        weight = scene.weights.faint.get(series.measure.side, 0.0)
        if series.service in services and not series.machine and far > 0 and weight > 0:
            found[series.column] = series.service, weight * far
    return found
