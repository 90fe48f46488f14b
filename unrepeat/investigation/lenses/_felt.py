"""What callers feel at a service: against it for what is its own, for it where a callee explains it."""

from __future__ import annotations

from unrepeat.investigation.lenses._findings import Finding, chart_of, strength
from unrepeat.investigation.lenses._scene import Harm, Scene
from unrepeat.investigation.lenses._words import from_to


def felt(scene: Scene, lens: str, service: str, harm: Harm, worst: float, *, what: str, because: str) -> Finding:
    """The finding of one harm. `worst`: the largest own part of all services; `what` moved, and the words for a callee that explains it."""
    share = harm.own / harm.amount if harm.amount > 0 else 0.0
    of_all = harm.own / worst if worst > 0 else 0.0
    series, compared = scene.tables.series[harm.column], scene.contrast
    moved = from_to(float(compared.usual[harm.column]), float(compared.level[harm.column]), series.measure.unit)
    cleared = share < scene.weights.clear.own_share and harm.callee != ""
    against = strength(harm.far, scene.weights) * share * of_all**scene.weights.score.harm_power
    return Finding(
        lens=lens,
        kind="indicator",
        subject=series.column,
        service=service,
        score=-share if cleared else against,
        sentence=f"{what} {moved}. {because if cleared else 'No callee explains it'}.",
        direction="down" if series.measure.worse == "down" else "up",
        onset=float(compared.onset[harm.column]),
        source=(series.column,),
        chart=chart_of(scene.tables, compared, harm.column),
        because=harm.callee if cleared else "",
    )
