"""Which numbers an incident asks for, and how they are fetched: the resident memory of its services over the outage."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from unrepeat.incidents.state import State
from unrepeat.investigation.telemetry import Series, Silent, Telemetry, Unanswered

METRIC = "process_resident_memory_bytes"
UNIT = "bytes"
FEWEST, MOST = 100, 400  # points of a figure, when the data has that many
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)  # seconds
MOST_SERVICES = 8
BUDGET = 10.0  # seconds for all services together, but for the last answer


@dataclass(frozen=True, slots=True)
class Found:
    """An answer: the series of a service's memory, and how they were asked for."""

    service: str
    source: str
    query: str
    window_from: datetime
    window_to: datetime
    step: int
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """No answer, and why. `silent`: nobody answered at all, so that it makes no sense to ask on."""

    service: str
    reason: str
    silent: bool = False


def margins(length: timedelta) -> tuple[timedelta, timedelta]:
    """How much to look at before and after an outage: 1 h and 15 min, less for a short one."""
    before = min(timedelta(hours=1), max(timedelta(minutes=10), length))
    after = min(timedelta(minutes=15), max(timedelta(minutes=2), length / 4))
    return before, after


def window(state: State, now: datetime) -> tuple[datetime, datetime] | None:
    """From a while before the outage to a while after it, or to now; None before it has begun."""
    start = state.started_at or state.detected_at
    if start is None:
        return None
    end = state.resolved_at or now
    before, after = margins(max(end - start, timedelta(0)))
    return start - before, min(end + after, now)


def services(state: State) -> list[str]:
    """The services to look at: guilty ones, suspects, those under alert; cleared ones are not asked about again."""
    by_verdict = {
        verdict: [s.name for s in state.suspects.values() if s.kind == "service" and s.verdict == verdict]
        for verdict in ("guilty", "suspect", "cleared")
    }
    changed = [
        c.service
        for c in state.changes.values()
        for s in state.suspects.values()
        if s.kind == "change" and c.service and c.service in s.name
    ]
    wanted = [*by_verdict["guilty"], *changed, *state.services, *by_verdict["suspect"]]
    unique = dict.fromkeys(name for name in wanted if name and name not in by_verdict["cleared"])
    return list(unique)[:MOST_SERVICES]


def selectors(service: str, labels: Mapping[str, str]) -> list[str]:
    """How the service's memory may be called, likeliest first: by the catalogue's labels, else by `service`, then by `job`."""
    if labels:
        return [_selector(labels)]
    return [_selector({"service": service}), _selector({"job": service})]


def fetch(
    telemetry: Telemetry | None, service: str, labels: Mapping[str, str], start: datetime, end: datetime
) -> Found | Nothing:
    """Ask for a service's memory; never raises for what the telemetry does."""
    if telemetry is None:
        return Nothing(service, "no metrics are connected (UNREPEAT_PROMETHEUS_URL is not set)")
    if end <= start:
        return Nothing(service, "the outage had not begun by the clock of this server")
    tried = selectors(service, labels)
    try:
        for query in tried:
            step = step_for((end - start).total_seconds())
            series = telemetry.query_range(query, start, end, step)
            if any(one.points for one in series):
                return _finer(telemetry, Found(service, telemetry.source, query, start, end, step, tuple(series)))
    except Unanswered as error:
        return Nothing(service, str(error), silent=isinstance(error, Silent))
    return Nothing(service, f"{telemetry.source.split(' (')[0]} has no samples for {' or '.join(tried)}")


def fetch_all(
    telemetry: Telemetry | None, wanted: Mapping[str, Mapping[str, str]], start: datetime, end: datetime
) -> list[Found | Nothing]:
    """Ask for the memory of services (name -> labels), one after the other; who does not answer once is not waited for again."""
    answers: list[Found | Nothing] = []
    until = time.monotonic() + BUDGET
    for service, labels in wanted.items():
        last = answers[-1] if answers else None
        if isinstance(last, Nothing) and last.silent:
            answers.append(replace(last, service=service))
        elif time.monotonic() > until:
            answers.append(Nothing(service, f"the other answers took more than {BUDGET:.0f} s", silent=True))
        else:
            answers.append(fetch(telemetry, service, labels, start, end))
    return answers


def step_for(seconds: float) -> int:
    """The smallest round step (seconds) with which a window has at most 400 points."""
    return next((step for step in STEPS if seconds / step <= MOST), STEPS[-1])


def _finer(telemetry: Telemetry, found: Found) -> Found:
    """Asked again with a smaller step when the data fills only a small part of the window."""
    times = [at for one in found.series for at, _ in one.points]
    first, last = min(times), max(times)
    if found.step == STEPS[0] or (last - first) / found.step >= FEWEST:
        return found
    start = max(found.window_from, datetime.fromtimestamp(first - found.step, found.window_from.tzinfo))
    end = min(found.window_to, datetime.fromtimestamp(last + found.step, found.window_to.tzinfo))
    step = step_for((end - start).total_seconds())
    if step >= found.step:
        return found
    series = telemetry.query_range(found.query, start, end, step)
    if not any(one.points for one in series):
        return found
    return Found(found.service, found.source, found.query, start, end, step, tuple(series))


def _selector(labels: Mapping[str, str]) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{METRIC}{{{said}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
