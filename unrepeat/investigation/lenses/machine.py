"""A machine that ran full while the services on it did what they always do: somebody else uses it up."""

from __future__ import annotations

from unrepeat.investigation.lenses._findings import Finding, chart_of
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._words import from_to

TITLE = "The machine"


def look(scene: Scene) -> list[Finding]:
    """One finding a machine whose CPU or memory came near its end."""
    compared, tuning = scene.contrast, scene.weights.load
    found = []
    for column, series in enumerate(scene.tables.series):
        if not series.machine or series.measure.unit != "share" or series.measure.side != "inside":
            continue
        level = float(compared.level[column])
        if level < tuning.machine_full or float(compared.far[column]) < scene.weights.score.worth_saying:
            continue
        moved = from_to(float(compared.usual[column]), level, "share")
        found.append(
            Finding(
                lens="machine",
                kind="indicator",
                subject=series.column,
                service="",
                score=level,
                sentence=f"{series.measure.name} of the machine {series.service} {moved}: its services share what is left.",
                direction="up",
                onset=float(compared.onset[column]),
                source=(series.column,),
                chart=chart_of(scene.tables, compared, column),
            )
        )
    return found
