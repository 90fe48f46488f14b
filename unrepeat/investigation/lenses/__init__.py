"""Ways of looking at an outage: one file a lens, each a pure function from tables to findings. See README.md here."""

from __future__ import annotations

from unrepeat.investigation.lenses._contrast import Contrast, contrast, step_of
from unrepeat.investigation.lenses._findings import Chart, Finding, Kind
from unrepeat.investigation.lenses._scene import Harm, Scene, scene_of
from unrepeat.investigation.lenses._tables import (
    Bools,
    Calls,
    Change,
    Floats,
    LogCounts,
    LogLine,
    Series,
    Spans,
    Tables,
    describe,
)
from unrepeat.investigation.lenses._units import Measure

__all__ = [
    "Bools",
    "Calls",
    "Change",
    "Chart",
    "Contrast",
    "Finding",
    "Floats",
    "Harm",
    "Kind",
    "LogCounts",
    "LogLine",
    "Measure",
    "Scene",
    "Series",
    "Spans",
    "Tables",
    "contrast",
    "describe",
    "scene_of",
    "step_of",
]
