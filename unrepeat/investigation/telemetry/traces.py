"""From spans to what lenses look at: who called whom, how long each operation took by itself, and the time lost on the way. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from unrepeat.investigation.lenses import Calls, Spans
from unrepeat.investigation.telemetry.spans import Read, Span

LEAD = 60.0  # seconds before the alert that no longer count as quiet: alerts are late
FEWEST = 5  # traces a side, below which nothing is compared
MOST_SERVICES, MOST_OPERATIONS = 100, 2000
Key = tuple[str, str]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Traced:
    """What traces show. `traces`: how many were seen in quiet and in harm; `unreadable`: spans that made no sense."""

    source: str
    traces: tuple[int, int]
    edges: tuple[Key, ...]  # caller, callee
    services: frozenset[str]
    spans: Spans | None
    calls: Calls | None
    unreadable: int = 0
    points: Mapping[str, tuple[tuple[float, float], ...]] | None = None
    """What a lens may name as its source ("spans SERVICE OPERATION", "calls A to B"): a minute's moment and mean seconds."""


def traced(
    read: Read, source: str, alert: float, window: tuple[float, float], names: Mapping[str, str] | None = None
) -> Traced:
    """Put the spans of a window (unix seconds) together. `names`: what a service is called in traces -> in the catalogue.

    Counts of both sides are made comparable: as many traces on one as on the other, the fewer of both.
    """
    seen = _busiest([_called(one, names or {}) for one in read.spans if window[0] <= one.start <= window[1]])
    by_trace: dict[str, list[Span]] = defaultdict(list)
    for span in seen:
        by_trace[span.trace].append(span)
    quiet_traces = {name for name, mine in by_trace.items() if min(one.start for one in mine) < alert - LEAD}
    sides = len(quiet_traces), len(by_trace) - len(quiet_traces)
    own: dict[tuple[bool, Key], list[tuple[float, float, float]]] = defaultdict(list)
    gaps: dict[tuple[bool, Key], list[tuple[float, float]]] = defaultdict(list)
    edges: dict[Key, None] = {}
    for name, mine in by_trace.items():
        quiet = name in quiet_traces
        _follow(mine, quiet, own, gaps, edges)
    compared = min(sides) >= FEWEST
    scale = {
        quiet: min(sides) / max(1, count) if compared else 1.0
        for quiet, count in zip((True, False), sides, strict=True)
    }
    moments = {True: (window[0] + alert - LEAD) / 2, False: (alert - LEAD + window[1]) / 2}
    return Traced(
        source,
        sides,
        tuple(edges),
        frozenset(one.service for one in seen),
        _spans(own, scale, moments) if compared else None,
        _calls(gaps, scale, moments) if compared else None,
        read.unreadable,
        _points(own, gaps),
    )


def _called(span: Span, names: Mapping[str, str]) -> Span:
    return replace(span, service=names.get(span.service, span.service), peer=names.get(span.peer, span.peer))


def _busiest(spans: Sequence[Span]) -> list[Span]:
    """The spans of the services that are seen most often; nobody has more of them than that."""
    often = Counter(span.service for span in spans)
    if len(often) <= MOST_SERVICES:
        return list(spans)
    kept = {service for service, _ in often.most_common(MOST_SERVICES)}
    return [span for span in spans if span.service in kept]


def _follow(
    mine: Sequence[Span],
    quiet: bool,
    own: dict[tuple[bool, Key], list[tuple[float, float, float]]],
    gaps: dict[tuple[bool, Key], list[tuple[float, float]]],
    edges: dict[Key, None],
) -> None:
    """Take one trace apart: the own time of its spans, and its calls."""
    known = {span.id: span for span in mine}
    children: dict[str, list[Span]] = defaultdict(list)
    for span in known.values():
        if span.parent in known:
            children[span.parent].append(span)
    for span in known.values():
        below = children.get(span.id, [])
        waits = span.outgoing and not below  # for somebody who writes no spans: that time is not its own
        own[quiet, (span.service, span.operation)].append(
            (span.start, span.seconds, 0.0 if waits else _own(span, below))
        )
        for child in below:
            if child.service != span.service:
                edges[span.service, child.service] = None
        others = [child for child in below if child.service != span.service]
        if span.outgoing and others:
            gap = max(0.0, span.seconds - max(child.seconds for child in others))
            gaps[quiet, (span.service, others[0].service)].append((span.start, gap))
        elif waits and span.peer and span.peer != span.service:
            edges[span.service, span.peer] = None


def _own(span: Span, below: Iterable[Span]) -> float:
    """Seconds that none of the children account for. A child that seems to lie outside (clocks differ) is moved inside."""
    covered, until = 0.0, span.start
    placed = []
    for child in below:
        seconds = min(child.seconds, span.seconds)
        placed.append((min(max(child.start, span.start), span.end - seconds), seconds))
    for start, seconds in sorted(placed):
        covered += max(0.0, start + seconds - max(start, until))
        until = max(until, start + seconds)
    return max(0.0, span.seconds - covered)


def _spans(
    own: Mapping[tuple[bool, Key], list[tuple[float, float, float]]],
    scale: Mapping[bool, float],
    moments: Mapping[bool, float],
) -> Spans:
    rows = _most(own)
    return Spans(
        service=tuple(service for (_, (service, _)), _ in rows),
        operation=tuple(operation for (_, (_, operation)), _ in rows),
        at=np.array([moments[quiet] for (quiet, _), _ in rows], dtype=np.float64),
        count=np.array([len(found) * scale[quiet] for (quiet, _), found in rows], dtype=np.float64),
        mean=np.array([np.mean([one[1] for one in found]) for _, found in rows], dtype=np.float64),
        own=np.array([np.mean([one[2] for one in found]) for _, found in rows], dtype=np.float64),
        quiet=np.array([quiet for (quiet, _), _ in rows], dtype=np.bool_),
    )


def _calls(
    gaps: Mapping[tuple[bool, Key], list[tuple[float, float]]],
    scale: Mapping[bool, float],
    moments: Mapping[bool, float],
) -> Calls | None:
    rows = _most(gaps)
    if not rows:
        return None
    return Calls(
        caller=tuple(caller for (_, (caller, _)), _ in rows),
        callee=tuple(callee for (_, (_, callee)), _ in rows),
        at=np.array([moments[quiet] for (quiet, _), _ in rows], dtype=np.float64),
        count=np.array([len(found) * scale[quiet] for (quiet, _), found in rows], dtype=np.float64),
        gap=np.array([np.mean([one[1] for one in found]) for _, found in rows], dtype=np.float64),
        quiet=np.array([quiet for (quiet, _), _ in rows], dtype=np.bool_),
    )


def _most(found: Mapping[tuple[bool, Key], list[Row]]) -> list[tuple[tuple[bool, Key], list[Row]]]:
    """The keys that were seen most often, both sides of each; a service that names each request anew drowns nobody."""
    often: dict[Key, int] = defaultdict(int)
    for (_, key), rows in found.items():
        often[key] += len(rows)
    kept = set(sorted(often, key=lambda key: -often[key])[:MOST_OPERATIONS])
    return [(side, rows) for side, rows in found.items() if side[1] in kept]


def _points(
    own: Mapping[tuple[bool, Key], list[tuple[float, float, float]]],
    gaps: Mapping[tuple[bool, Key], list[tuple[float, float]]],
) -> dict[str, tuple[tuple[float, float], ...]]:
    """Means a minute, under the names that lenses give."""
    samples: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for (_, (service, operation)), rows in _most(own):
        samples[f"spans {service} {operation}"] += [(start, mine) for start, _, mine in rows]
    for (_, (caller, callee)), pairs in _most(gaps):
        samples[f"calls {caller} to {callee}"] += pairs
    return {name: _by_minute(found) for name, found in samples.items()}


def _by_minute(found: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    minutes: dict[float, list[float]] = defaultdict(list)
    for at, value in found:
        minutes[at // 60 * 60].append(value)
    return tuple((at, float(np.mean(values))) for at, values in sorted(minutes.items()))
