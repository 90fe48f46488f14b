"""The tables that lenses look at. Times are unix seconds; numbers keep the unit that their source gave them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unrepeat.investigation.lenses._units import Measure, is_machine, measure_of, quantile_of

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Series:
    """Whose number a column is. `column` is the name or query at the source; `pod`, `caller` and `callee` where it is known."""

    column: str
    service: str
    indicator: str
    measure: Measure
    quantile: float | None = None
    machine: bool = False
    pod: str = ""
    caller: str = ""
    callee: str = ""


@dataclass(frozen=True, slots=True)
class Spans:
    """Span statistics, one row an operation and bucket. `quiet` rows come from a time known to be without harm."""

    service: tuple[str, ...]
    operation: tuple[str, ...]
    at: Floats
    count: Floats
    mean: Floats  # seconds
    own: Floats  # seconds in the span that none of its children account for
    quiet: Bools


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls between two services, one row a pair and bucket. `gap`: mean seconds of the caller's span outside the callee's."""

    caller: tuple[str, ...]
    callee: tuple[str, ...]
    at: Floats
    count: Floats
    gap: Floats
    quiet: Bools


def sides(at: Floats, quiet: Bools) -> tuple[Bools, Bools]:
    """Rows to compare with, and rows of the harm. Where quiet was not recorded, the first bucket stands for it: harm takes time to begin."""
    if quiet.any() or len(at) == 0:
        return quiet, ~quiet
    first = at == at.min()
    return (first, ~first) if not first.all() else (quiet, ~quiet)


@dataclass(frozen=True, slots=True)
class LogCounts:
    """Log lines and error-like lines of a service, one row a service and bucket."""

    service: tuple[str, ...]
    at: Floats
    lines: Floats
    errors: Floats


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log, or one failed span: what a service said. `details`: attribute names and values as one text."""

    at: float
    service: str
    severity: str
    text: str
    details: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Something people shipped. `files` and `diff` where the repository is known; pods of a grey release where they are known."""

    key: str
    service: str
    at: float
    kind: str  # release, deploy, commit, flag, configuration
    summary: str = ""
    files: tuple[str, ...] = ()
    diff: str = ""
    new_pods: tuple[str, ...] = ()
    old_pods: tuple[str, ...] = ()
    deployed: bool = True


@dataclass(frozen=True, slots=True)
class Tables:
    """All that is known around an alert. `values` has a row a time and a column a series; NaN where nothing was measured."""

    alert: float
    times: Floats
    values: Floats
    series: tuple[Series, ...]
    edges: tuple[tuple[str, str], ...] = ()  # caller, callee
    spans: Spans | None = None
    calls: Calls | None = None
    log_counts: LogCounts | None = None
    log_lines: tuple[LogLine, ...] = ()
    changes: tuple[Change, ...] = ()

    def services(self) -> list[str]:
        """All services that anything is known about, in order of their names."""
        names = {series.service for series in self.series if not series.machine}
        if self.spans is not None:
            names.update(self.spans.service)
        if self.log_counts is not None:
            names.update(self.log_counts.service)
        return sorted(names)


def describe(columns: list[tuple[str, str, str]], values: Floats) -> tuple[Series, ...]:
    """Series for (column, service, indicator), their units guessed over all services that have the same indicator.

    An indicator may carry its edge as `name@caller->callee`.
    """
    highest: dict[str, float] = {}
    tops = _tops(values)
    for (_, _, indicator), top in zip(columns, tops, strict=True):
        name = indicator.partition("@")[0]
        highest[name] = max(highest.get(name, -np.inf), top)
    measures = {name: measure_of(name, top) for name, top in highest.items()}
    return tuple(_series(column, service, indicator, measures) for column, service, indicator in columns)


def _tops(values: Floats) -> list[float]:
    filled = np.where(np.isfinite(values), values, -np.inf)
    return [float(top) for top in filled.max(axis=0)] if len(values) else [float("-inf")] * values.shape[1]


def _series(column: str, service: str, indicator: str, measures: dict[str, Measure]) -> Series:
    name, _, edge = indicator.partition("@")
    caller, _, callee = edge.partition("->")
    pod = column.partition("|")[0]
    return Series(
        column,
        service,
        name,
        measures[name],
        quantile_of(name),
        is_machine(name),
        pod if pod != service else "",
        caller,
        callee,
    )
