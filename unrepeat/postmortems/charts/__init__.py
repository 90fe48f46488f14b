"""Figures of a report, one file a picture: `figure(facts, results)` gives it, found by scan. All are text, byte-stable and pure."""

from __future__ import annotations

from unrepeat.postmortems.charts._moments import runs
from unrepeat.postmortems.measured import Results
from unrepeat.postmortems.report import Facts, Figure
from unrepeat.support.kinds import kinds

__all__ = ["figures", "runs"]


def figures(facts: Facts, results: Results) -> tuple[Figure, ...]:
    """All figures of a report, in their order."""
    modules = sorted(kinds(__name__).values(), key=lambda module: (module.ORDER, module.NAME))
    return tuple(module.figure(facts, results) for module in modules)
