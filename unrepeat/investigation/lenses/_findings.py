"""What a lens says: one finding about one subject, with the numbers behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from unrepeat.investigation.lenses._contrast import Contrast
from unrepeat.investigation.lenses._tables import Tables
from unrepeat.investigation.weights import Weights

Kind = Literal["service", "indicator", "change"]


@dataclass(frozen=True, slots=True)
class Chart:
    """A small picture: values over unix seconds. Gaps are NaN."""

    times: tuple[float, ...]
    values: tuple[float, ...]
    unit: str
    usual: float | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Evidence about a subject. `score`: 0 nothing, about 5 as strong as it gets; below 0 it speaks for the subject."""

    lens: str
    kind: Kind
    subject: str  # a service, a column, a change's key
    service: str
    score: float
    sentence: str
    direction: str = ""  # up, down, gone, new
    onset: float = math.nan  # unix seconds
    source: tuple[str, ...] = ()  # columns or tables that it was read from
    chart: Chart | None = None
    because: str = ""  # the service that explains it away, where one does


def strength(far: float, weights: Weights) -> float:
    """Spreads as a strength: logarithmic, silent below one spread, capped."""
    return math.log1p(min(max(far - 1.0, 0.0), weights.score.cap))


def chart_of(tables: Tables, contrast: Contrast, column: int) -> Chart:
    """The column over quiet and harm, in the measure's unit."""
    series = tables.series[column]
    rows = contrast.before | contrast.during
    values = tables.values[rows, column] * series.measure.scale
    return Chart(
        tuple(tables.times[rows].tolist()), tuple(values.tolist()), series.measure.unit, float(contrast.usual[column])
    )
