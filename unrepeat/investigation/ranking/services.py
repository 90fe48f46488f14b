"""Findings added up a service."""

from __future__ import annotations

from collections import defaultdict

from unrepeat.investigation.lenses import Finding
from unrepeat.investigation.weights import Weights


def service_scores(findings: list[Finding], services: list[str], weights: Weights) -> dict[str, float]:
    """The strongest finding of each lens, weighted, added up. A service that nothing speaks against scores 0."""
    best: dict[tuple[str, str], float] = defaultdict(float)
    for finding in findings:
        key = finding.service, finding.lens
        best[key] = max(best[key], finding.score)
    total = dict.fromkeys(services, 0.0)
    for (service, lens), score in best.items():
        if service in total:
            total[service] += weights.lenses.get(lens, 0.0) * score
    return total
