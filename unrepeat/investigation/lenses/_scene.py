"""What every lens gets: the tables, the contrast, and where the harm comes from. Built once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unrepeat.investigation.lenses._calls import Pair, pairs_of
from unrepeat.investigation.lenses._contrast import Contrast, contrast, step_of
from unrepeat.investigation.lenses._rates import as_rates, without_last_buckets
from unrepeat.investigation.lenses._spans import Operation, operations_of
from unrepeat.investigation.lenses._tables import Series, Tables
from unrepeat.investigation.weights import Weights


@dataclass(frozen=True, slots=True)
class Harm:
    """One kind of harm at one service. `amount`: extra seconds, or failed requests, a bucket in the worst part of the window."""

    amount: float
    own: float  # what no callee accounts for
    far: float  # in spreads, lowered where few requests stand behind it
    column: int
    callee: str = ""  # the callee that accounts for the most of it


@dataclass(frozen=True, slots=True)
class Scene:
    """Tables with what was computed from them."""

    tables: Tables
    contrast: Contrast
    weights: Weights
    callees: dict[str, tuple[str, ...]]
    known: frozenset[str]  # services that anything is known about
    vantages: frozenset[str]  # names that only say how users fare: no suspects
    traffic: dict[str, float]  # requests a bucket during the harm, where they are counted
    busier: dict[str, float]  # how many times the usual traffic, where it is counted
    slow: dict[str, Harm]
    failed: dict[str, Harm]
    operations: tuple[Operation, ...]
    pairs: tuple[Pair, ...]


def scene_of(tables: Tables, weights: Weights) -> Scene:
    """Compare harm and quiet, and follow slowness and failures along the calls."""
    tables = without_last_buckets(as_rates(tables))
    compared = contrast(tables, weights)
    measured = frozenset(series.service for series in tables.series if not series.machine)
    callees = callees_of(tables.edges, measured)
    traffic, busier = _traffic(tables, compared)
    vantages = _vantages(tables)
    slow = _harms(_slowness(tables, compared, traffic, weights), callees)
    failed = _harms(_failures(tables, compared, traffic), callees)
    return Scene(
        tables=tables,
        contrast=compared,
        weights=weights,
        callees=callees,
        known=frozenset(tables.services()),
        vantages=vantages,
        traffic=traffic,
        busier=busier,
        slow=slow,
        failed=failed,
        operations=tuple(operations_of(tables)),
        pairs=tuple(pairs_of(tables, weights)),
    )


def callees_of(edges: tuple[tuple[str, str], ...], measured: frozenset[str]) -> dict[str, tuple[str, ...]]:
    """Whom each service calls; itself left out. A callee of which no number is known passes on whom it calls in turn."""
    direct: dict[str, list[str]] = {}
    for caller, callee in edges:
        if caller != callee and callee not in direct.setdefault(caller, []):
            direct[caller].append(callee)
    return {caller: _reached(caller, direct, measured) for caller in direct}


def _reached(caller: str, direct: dict[str, list[str]], measured: frozenset[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = list(direct[caller])
    while waiting:
        callee = waiting.pop(0)
        if callee not in found and callee != caller:
            found[callee] = None
            if callee not in measured:
                waiting.extend(direct.get(callee, ()))
    return tuple(found)


def _vantages(tables: Tables) -> frozenset[str]:
    """Names outside a known call graph of which only latency and success are known, while others show their insides too."""
    if not tables.edges:
        return frozenset()
    inside = {series.service for series in tables.series if series.measure.side == "inside" and not series.machine}
    linked = {name for edge in tables.edges for name in edge}
    names = set(tables.services())
    return frozenset(names - inside - linked) if inside else frozenset()


def is_latency(series: Series) -> bool:
    """Whether a column says how long requests to a service took."""
    return series.measure.name == "latency" and not series.machine and series.caller != series.service


def is_failure_share(series: Series) -> bool:
    """Whether a column says what share of the requests to a service succeeded or failed."""
    known = series.measure.name in ("success", "errors") and series.measure.unit == "share"
    return known and not series.machine and series.caller != series.service


def _traffic(tables: Tables, compared: Contrast) -> tuple[dict[str, float], dict[str, float]]:
    """Requests a bucket during the harm, and how many times the usual that is at its worst."""
    found: dict[str, float] = {}
    times: dict[str, float] = {}
    step = step_of(tables.times)
    for column, series in enumerate(tables.series):
        if series.measure.name == "traffic" and not series.machine and not series.pod and series.service not in found:
            rows = tables.values[compared.during, column]
            known = rows[np.isfinite(rows)]
            if len(known):
                bucket = step if series.measure.unit == "requests/s" else 1.0
                found[series.service] = float(known.mean()) * series.measure.scale * bucket
                usual, level = float(compared.usual[column]), float(compared.level[column])
                times[series.service] = level / usual if usual > 0 else 1.0
    return found, times


def _slowness(tables: Tables, compared: Contrast, traffic: dict[str, float], weights: Weights) -> dict[str, Harm]:
    """The most typical latency of each service (an average before a p50 before a p99), weighted by its requests."""
    best: dict[str, tuple[float, Harm]] = {}
    for column, series in enumerate(tables.series):
        if not is_latency(series) or not _comparable(compared, column):
            continue
        rank = series.quantile or 0.0
        if series.service in best and best[series.service][0] <= rank:
            continue
        far = min(float(compared.far[column]), weights.score.cap)
        requests = traffic.get(series.service)
        if requests is not None:
            far *= requests / (requests + weights.score.few_requests)
        extra = float(compared.level[column] - compared.usual[column]) if far > 1.0 else 0.0
        amount = max(0.0, extra) * (requests if requests is not None else 1.0)
        best[series.service] = rank, Harm(amount, amount, far, column)
    return {service: harm for service, (_, harm) in best.items()}


def _failures(tables: Tables, compared: Contrast, traffic: dict[str, float]) -> dict[str, Harm]:
    """Failed requests of each service; `far` is no more than the number itself allows (two failures are two failures)."""
    found: dict[str, Harm] = {}
    for column, series in enumerate(tables.series):
        if not is_failure_share(series) or not _comparable(compared, column):
            continue
        far = float(compared.far[column])
        extra = abs(float(compared.level[column] - compared.usual[column])) if far > 1.0 else 0.0
        requests = traffic.get(series.service)
        amount = extra
        if requests is not None:
            amount = extra * requests
            usual = float(compared.usual[column])
            failing = (1.0 - usual if series.measure.worse == "down" else usual) * requests
            far = min(far, amount / float(np.sqrt(1.0 + max(failing, 0.0))))
        if series.service not in found or amount > found[series.service].amount:
            found[series.service] = Harm(amount, amount, far, column)
    return found


def _comparable(compared: Contrast, column: int) -> bool:
    return bool(compared.seen_before[column] >= 1 and np.isfinite(compared.level[column]))


def _harms(found: dict[str, Harm], callees: dict[str, tuple[str, ...]]) -> dict[str, Harm]:
    """Take from every service what its callees account for."""
    harms = {}
    for service, harm in found.items():
        below = {name: found[name].amount for name in callees.get(service, ()) if name in found}
        own = max(0.0, harm.amount - sum(below.values()))
        callee = max(below, key=lambda name: below[name]) if any(below.values()) else ""
        harms[service] = Harm(harm.amount, own, harm.far, harm.column, callee)
    return harms
