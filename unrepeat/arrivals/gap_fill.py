"""Asks Prometheus what we have missed, and stores it. Problems of the door are the caller's."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
import yaml

from unrepeat.arrivals import gap, gap_store
from unrepeat.arrivals.body import inside, objects, text, texts
from unrepeat.support import clock, http

LONGEST = timedelta(days=7)  # further back is not looked
SLACK = timedelta(seconds=30)  # the window begins a little earlier
POINTS = 2000  # a series and request; Prometheus allows 11,000
FINEST, COARSEST, MOST_POINTS = 1, 60, 20_000  # seconds, seconds, in a window
EXACT = 200  # occurrences whose start is asked for; further ones keep the grid's
ALERTS = 'ALERTS{alertstate="firing"}'

log = structlog.get_logger(__name__)
Moments = dict[tuple[tuple[str, str], ...], list[float]]


def fill(prometheus: str, since: datetime, listening_since: datetime, until: datetime | None = None) -> int:
    """Store what fired before `listening_since` and ended before `until` (now), and nobody told us; returns how many occurrences.

    Runs shorter than the grid's step may be missed: it is 1 s for windows up to 5 hours, at most 60 s.
    """
    until = until or clock.now()
    since = max(since - SLACK, until - LONGEST)
    step = float(min(COARSEST, max(FINEST, math.ceil((until - since).total_seconds() / MOST_POINTS))))
    series = _range(prometheus, ALERTS, since, until, step)
    if not series:
        return 0
    beats = _range(prometheus, "count(up)", since, until, step)
    seen = next(iter(beats.values()), None) or [moment for moments in series.values() for moment in moments]
    found = gap.runs([(dict(labels), moments) for labels, moments in series.items()], seen)
    names = {run.labels.get("alertname", "") for run in found}
    source = gap_store.filled_source(names)
    if source is None:
        return 0
    known = gap_store.known(source, names, since)
    told = gap.untold(found, known, _naming(prometheus), step, listening_since.timestamp())
    if told:
        told = [_exact(prometheus, one, step) if one.run else one for one in told[:EXACT]] + told[EXACT:]
        gap_store.keep(source, gap.body(told, prometheus, since, until), clock.now())
        log.info("the gap was filled from Prometheus", occurrences=len(told), since=since.isoformat())
    return len(told)


def _range(prometheus: str, query: str, since: datetime, until: datetime, step: float) -> Moments:
    """By labels, the moments of the grid at which a series has a value. The grid is the same for every window with this step."""
    found: Moments = {}
    begin = math.floor(since.timestamp() / step) * step
    end = until.timestamp()
    while begin <= end:
        last = min(begin + (POINTS - 1) * step, end)
        asked = {"query": query, "start": f"{begin:.3f}", "end": f"{last:.3f}", "step": f"{step:g}"}
        for series in objects(inside(_ask(prometheus, "query_range", asked)).get("result")):
            labels = tuple(sorted(texts(series.get("metric")).items()))
            found.setdefault(labels, []).extend(_moments(series.get("values")))
        begin += POINTS * step
    return found


def _exact(prometheus: str, one: gap.Untold, step: float) -> gap.Untold:
    """The same with its start as Alertmanager knows it: the first raw sample, to the millisecond. So both make one occurrence."""
    assert one.run is not None
    matchers = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in one.run.labels.items()]
    inner = ",".join(['alertstate="firing"', *matchers])
    asked = {"query": f"ALERTS{{{inner}}}[{math.ceil(step)}s]", "time": f"{one.run.first:.3f}"}
    try:
        found = objects(inside(_ask(prometheus, "query", asked)).get("result"))
    except http.Unreachable as error:
        log.warning("Prometheus does not tell an alert's exact start", error=str(error))
        return one
    samples = sorted(moment for series in found for moment in _moments(series.get("values")))
    return replace(one, starts_at=datetime.fromtimestamp(samples[0], UTC)) if samples else one


def _moments(values: object) -> list[float]:
    pairs = values if isinstance(values, list) else []
    return [float(pair[0]) for pair in pairs if isinstance(pair, list) and pair and isinstance(pair[0], int | float)]


def _naming(prometheus: str) -> gap.Naming:
    """Prometheus's own configuration; what has none (Thanos, Mimir) is known by the labels of the alerts that it told before."""
    try:
        told = inside(_ask(prometheus, "status/config", {})).get("yaml")
        loaded = yaml.safe_load(told) if isinstance(told, str) else None
    except (http.Refused, http.Unreachable, yaml.YAMLError) as error:
        log.warning("Prometheus does not tell its configuration", error=str(error))
        return gap.Naming()
    relabels = objects(inside(loaded, "alerting").get("alert_relabel_configs"))
    drops = [text(each.get("regex")) for each in relabels if each.get("action") == "labeldrop"]
    return gap.Naming(texts(inside(loaded, "global").get("external_labels")), tuple(d for d in drops if _is_pattern(d)))


def _is_pattern(given: str) -> bool:
    try:
        re.compile(given)
    except re.error:
        return False
    return bool(given)


def _ask(prometheus: str, what: str, parameters: Mapping[str, str]) -> Any:
    answer = http.get(f"{prometheus.rstrip('/')}/api/v1/{what}", params=parameters, timeout=30, from_settings=True)
    told = answer.json()
    if not answer.ok or not isinstance(told, dict) or told.get("status") != "success":
        reason = told.get("error") if isinstance(told, dict) else None
        raise http.Unreachable(prometheus, f"It answered {answer.status}: {str(reason)[:200]}.")
    return told.get("data")
