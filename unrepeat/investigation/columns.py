"""Prometheus series as the columns that lenses look at: counters as rates, sums and counts as averages, instances put together. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unrepeat.investigation.catalogue import Place
from unrepeat.investigation.lenses import Floats
from unrepeat.investigation.lenses import Series as Described
from unrepeat.investigation.lenses._units import (
    CPU_CORES,
    ERROR_COUNT,
    ERROR_SHARE,
    LATENCY,
    OTHER,
    TRAFFIC_RATE,
    Measure,
    is_machine,
    measure_of,
    quantile_of,
)
from unrepeat.investigation.telemetry import Series

_COUNTERS = re.compile(
    r"_(accepted|handled|served|xact_\w+|blks_\w+|tup_\w+|database_sessions|active_time|session_time|transaction_time|temp_bytes)$"
)
_REQUESTS = re.compile(r"request|http|response|rpc|latency|handler", re.IGNORECASE)
_LATENCIES = re.compile(r"latency|response_?time|request_?(duration|seconds|time)", re.IGNORECASE)
_LARGEST = re.compile(r"max|last|seconds|ratio|percent|share|time|duration|usage$|version|age", re.IGNORECASE)
_IN_FLIGHT = re.compile(r"active|waiting|writing|reading|in_?flight|pending|connection|open_fds", re.IGNORECASE)
ABSURD = 1e100  # no number of anything is as high
INTERVALS = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0)  # seconds that people set
_STATUS = ("status", "code", "status_code", "http_status")


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments of all rows: `start` (unix seconds) and every `step` seconds from there. `lag`: rows from one new sample to the next."""

    start: float
    step: float
    rows: int
    lag: int = 1

    @property
    def times(self) -> Floats:
        """Unix seconds."""
        times: Floats = self.start + self.step * np.arange(self.rows, dtype=np.float64)
        return times


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what it is, its values, and the metrics that it was made of."""

    described: Described
    values: Floats
    owner: str  # the service whose series it was made of
    metrics: tuple[str, ...]


def columns_of(place: Place, series: Sequence[Series], grid: Grid) -> list[Column]:
    """The columns of a service, from all its series."""
    grid = replace(grid, lag=max(1, round(scraped_every(series, grid.step) / grid.step)))
    by_name: dict[str, list[Series]] = {}
    for one in series:
        if one.points and (name := one.labels.get("__name__", "")):
            by_name.setdefault(name, []).append(one)
    made: list[Column] = []
    for name in sorted(by_name):
        base, _, end = name.rpartition("_")
        if end == "count" and f"{base}_sum" in by_name:
            made += _timed(place, base, by_name, grid)
        elif end == "sum" and f"{base}_count" in by_name:
            continue
        elif end == "total" or _is_counter(name, by_name[name]):
            made += _counted(place, name, by_name[name], grid)
        else:
            made.append(_gauge(place, name, by_name[name], grid))
    return [column for column in made if np.isfinite(column.values).any()]


def scraped_every(series: Iterable[Series], step: float) -> float:
    """Seconds between samples, told by how often the busiest series change; `step` when they change at every row."""
    best = float("inf")
    for one in series:
        if len(one.points) < 4:
            continue
        changed = [at for (at, value), (_, before) in zip(one.points[1:], one.points, strict=False) if value != before]
        if len(changed) >= 3:
            best = min(best, (changed[-1] - changed[0]) / (len(changed) - 1))
    if not np.isfinite(best) or best <= step:
        return step
    usual = min(INTERVALS, key=lambda interval: abs(interval - best))
    return usual if abs(usual - best) <= 0.1 * usual else best


def matrix(series: Sequence[Series], grid: Grid) -> Floats:
    """Values with a row a moment and a column a series; NaN where there is no sample."""
    values = np.full((grid.rows, len(series)), np.nan)
    for column, one in enumerate(series):
        if not one.points:
            continue
        points = np.array(one.points)
        places = np.rint((points[:, 0] - grid.start) / grid.step).astype(int)
        near = np.abs(points[:, 0] - (grid.start + places * grid.step)) < grid.step * 0.25
        inside = near & (places >= 0) & (places < grid.rows) & (np.abs(points[:, 1]) < ABSURD)
        values[places[inside], column] = points[inside, 1]
    return values


def _timed(place: Place, base: str, by_name: dict[str, list[Series]], grid: Grid) -> list[Column]:
    """A sum of seconds and a count: the average, and how many."""
    spent = _growth(matrix(by_name[f"{base}_sum"], grid), grid)
    number = _growth(matrix(by_name[f"{base}_count"], grid), grid)
    average = np.where(number > 0, spent / np.where(number > 0, number, 1.0), np.nan)
    metrics = (f"{base}_sum", f"{base}_count")
    callee = _callee(place, base)
    if "seconds" not in base and "duration" not in base and "latency" not in base:
        return [_column(place, f"{base}_average", OTHER, average, metrics)]
    if callee:
        said = f"average time as {place.name} sees it"
        return [_column(place, f"{base}_average", LATENCY, average, metrics, said=said, service=callee, callee=callee)]
    if not _REQUESTS.search(base):
        return [_column(place, f"{base}_average", OTHER, average, metrics)]
    rate = number / grid.step
    return [
        _column(place, f"{base}_average", LATENCY, average, metrics, said="average time"),
        _column(place, f"{base}_per_second", TRAFFIC_RATE, rate, metrics[1:]),
    ]


def _counted(place: Place, name: str, series: list[Series], grid: Grid) -> list[Column]:
    """A counter: its growth, and the share that failed where a label tells the status."""
    growth = _growth(matrix(series, grid), grid)
    base = name.removesuffix("_total")
    measure = measure_of(base, float("nan"))
    callee = _callee(place, base)
    if "cpu" in base and "seconds" in base:
        return [_column(place, base, CPU_CORES if base.startswith("process_") else OTHER, growth / grid.step, (name,))]
    if measure.name == "errors":
        return [_column(place, base, ERROR_COUNT, growth, (name,), callee=callee)]
    if name.endswith("_xact_commit"):  # what a database is asked
        return [_column(place, f"{base}_per_second", TRAFFIC_RATE, growth / grid.step, (name,))]
    if measure.name != "traffic" or callee or _COUNTERS.search(name):
        return [_column(place, f"{base}_per_second", OTHER, growth / grid.step, (name,))]
    made = [_column(place, f"{base}_per_second", TRAFFIC_RATE, growth / grid.step, (name,))]
    failed = [one for one in series if any(one.labels.get(label, "").startswith("5") for label in _STATUS)]
    if any(label in one.labels for one in series for label in _STATUS):
        bad = np.nan_to_num(_growth(matrix(failed, grid), grid), nan=0.0) if failed else np.zeros(grid.rows)
        share = np.where(growth > 0, bad / np.where(growth > 0, growth, 1.0), np.nan)
        made.append(
            _column(place, f"{base}_failed_share", ERROR_SHARE, share, (name,), said="the share of failed requests")
        )
    return made


def _gauge(place: Place, name: str, series: list[Series], grid: Grid) -> Column:
    """A level: summed up or the largest within an instance, and the largest of all instances (old and new ones overlap)."""
    values = matrix(series, grid)
    rule = np.fmax.reduce if _LARGEST.search(name) else _sum
    instances: dict[str, list[int]] = {}
    for column, one in enumerate(series):
        instances.setdefault(one.labels.get("instance", ""), []).append(column)
    level = np.fmax.reduce(np.array([rule(values[:, mine].T) for mine in instances.values()]))
    finite = level[np.isfinite(level)]
    measure = measure_of(name, float(finite.max()) if len(finite) else float("nan"))
    return _column(place, name, _level_measure(place, name, measure), level, (name,))


def _level_measure(place: Place, name: str, measure: Measure) -> Measure:
    """What a gauge measures: a lasting time is no latency unless it says so, and what waits in a caller waits for its callees."""
    if measure.name == "latency" and not _LATENCIES.search(name):
        return OTHER
    if measure.name == "queue or pool" and place.calls and _IN_FLIGHT.search(name):
        return OTHER
    return OTHER if measure.name in ("errors", "traffic", "time spent") else measure


def _column(
    place: Place,
    indicator: str,
    measure: Measure,
    values: Floats,
    metrics: tuple[str, ...],
    *,
    said: str = "",
    service: str = "",
    callee: str = "",
) -> Column:
    """`said`: what people call it, in place of its name."""
    owner = service or place.name
    described = Described(
        f"{owner}|{indicator}" if owner == place.name else f"{owner}|{indicator}@{place.name}",
        owner,
        said or indicator,
        measure,
        quantile_of(indicator),
        is_machine(indicator),
        "",
        place.name if callee else "",
        callee,
    )
    return Column(described, values, place.name, metrics)


def _callee(place: Place, name: str) -> str:
    """The callee that a number of the caller's is about: `shop_session_call_seconds` of the shop is about `sessions`."""
    words = set(re.split(r"[_:]", name.lower()))
    for callee in place.calls:
        stem = callee.lower().replace("-", "_").removesuffix("_service").removesuffix("service").rstrip("s")
        if stem and (stem in words or f"{stem}s" in words) and stem not in place.name.lower():
            return callee
    return ""


def _is_counter(name: str, series: list[Series]) -> bool:
    """Whether a number without a counter's name is one all the same: called like one, and it never falls but to start anew."""
    if not _COUNTERS.search(name):
        return False
    falls = [
        (before, value)
        for one in series
        for (_, before), (_, value) in zip(one.points, one.points[1:], strict=False)
        if value < before
    ]
    return all(value <= before / 2 for before, value in falls)


def _growth(values: Floats, grid: Grid) -> Floats:
    """The growth a row of all series together, between new samples; a counter that starts anew is a gap, and so is a first sample."""
    steps = np.full(values.shape, np.nan)
    steps[grid.lag :] = (values[grid.lag :] - values[: -grid.lag]) / grid.lag
    return _sum(np.where(steps >= 0, steps, np.nan).T)


def _sum(values: Floats) -> Floats:
    """Of each column; NaN where nothing is known."""
    known = np.isfinite(values)
    return np.where(known.any(axis=0), np.where(known, values, 0.0).sum(axis=0), np.nan)
