"""What a number is, told from its name and its values: the one table in which units are guessed.

The first row whose pattern is found in the indicator's name wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Worse = Literal["up", "down", "either"]
Side = Literal["inside", "outside", "waiting", "load", "unknown"]


@dataclass(frozen=True, slots=True)
class Measure:
    """What an indicator measures. `least`: the smallest change that means anything, in `unit`; `floor`: the same as a share of the level."""

    name: str
    unit: str
    side: Side  # inside: what the service itself wears out; outside: what its callers feel; waiting: what its callees do to it
    worse: Worse
    least: float
    floor: float
    scale: float = 1.0  # value times scale is in `unit`


CPU_SHARE = Measure("CPU", "share", "inside", "up", 0.05, 0.15)
CPU_CORES = Measure("CPU", "cores", "inside", "up", 0.05, 0.15)
MEMORY_SHARE = Measure("memory", "share", "inside", "up", 0.02, 0.03)
MEMORY = Measure("memory", "bytes", "inside", "up", 4e6, 0.05)
DISK = Measure("disk", "count", "inside", "up", 5.0, 0.5)
NETWORK = Measure("network traffic", "bytes", "load", "either", 1e3, 0.5)
QUEUE = Measure("queue or pool", "count", "inside", "up", 3.0, 0.25)
THROTTLED = Measure("CPU throttling", "seconds", "inside", "up", 0.1, 0.25)
LATENCY = Measure("latency", "seconds", "outside", "up", 0.002, 0.1)
WAITING = Measure("waiting for callees", "seconds", "waiting", "up", 0.002, 0.1)
SUCCESS = Measure("success", "share", "outside", "down", 0.005, 0.0)
GOOD_RATIO = Measure("hit ratio", "share", "inside", "down", 0.02, 0.02)
ERROR_SHARE = Measure("errors", "share", "outside", "up", 0.005, 0.0)
ERROR_COUNT = Measure("errors", "count", "outside", "up", 1.0, 0.25)
TRAFFIC = Measure("traffic", "requests", "load", "either", 1.0, 0.2)
TRAFFIC_RATE = Measure("traffic", "requests/s", "load", "either", 0.02, 0.2)
FULLNESS = Measure("fullness", "share", "inside", "up", 0.05, 0.05)
UPTIME = Measure("uptime", "seconds", "unknown", "down", 30.0, 0.2)
START = Measure("start time", "seconds", "unknown", "up", 1.0, 0.0)
SPENT = Measure("time spent", "count", "unknown", "either", 1e-9, 0.2)
COUNTDOWN = Measure("time left", "seconds", "inside", "down", 60.0, 0.0)
OTHER = Measure("value", "count", "unknown", "either", 1e-9, 0.2)

# fmt: off
TABLE: tuple[tuple[str, Measure], ...] = (
    (r"until|time_?left|expir|ttl_seconds",                                   COUNTDOWN),
    (r"start_?time",                                                          START),
    (r"(duration|latency|time|seconds)\w*_count$",                            TRAFFIC),
    (r"(duration|latency)\w*_(sum|bucket)$",                                  SPENT),
    (r"cpu_seconds",                                                          CPU_CORES),
    (r"uptime",                                                               UPTIME),
    (r"used_?(pct|percent|ratio|share)|fullness|saturation",                  FULLNESS),
    (r"throttl",                                                              THROTTLED),
    (r"hit_?(ratio|rate)",                                                    GOOD_RATIO),
    (r"success|availab",                                                      SUCCESS),
    (r"oldest|backlog|queue|lag\b|_lag|pending|in_?flight|pool|connection|conns|thread|goroutine|socket|(^|_)fds?(_|$)|file_desc|age_seconds", QUEUE),
    (r"err|5xx|fail|panic|exception|timeout|reject|exhaust|cancel|drop|abort|retr|evict|pressure|oom|restart", ERROR_COUNT),
    (r"client.*(latency|duration|time)|(upstream|outbound|egress).*(latency|duration|time)", WAITING),
    (r"lat(ency)?(\b|_|p|average|$)|latency|duration|response_?time|elapsed|_ms\b", LATENCY),
    (r"cpu",                                                                  CPU_SHARE),
    (r"mem|rss|heap",                                                         MEMORY),
    (r"disk|syscall|inode|fs_|storage",                                       DISK),
    (r"receive|transmit|bytes|net(work)?_",                                   NETWORK),
    (r"req|workload|ops\b|qps|rps|lod$|load$|throughput|quer(y|ies)|per_?(s|sec|second|min)\b|calls|hits", TRAFFIC),
)
# fmt: on
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), measure) for pattern, measure in TABLE)
_SCALES = ((r"gib|_gb\b", 2.0**30), (r"\(mi\)|mib|_mb\b", 2.0**20), (r"\(ki\)|kib|_kb\b", 2.0**10))
_SHARED_MACHINE = re.compile(r"^node|(^|_)host_", re.IGNORECASE)
_QUANTILE = re.compile(r"(?:p|lat_|quantile_?|_)(50|75|90|95|99|999)(?!\d)", re.IGNORECASE)


def measure_of(indicator: str, highest: float) -> Measure:
    """The measure of an indicator, from its name and the highest value seen (NaN when there is none)."""
    for pattern, measure in _COMPILED:
        if pattern.search(indicator):
            return _scaled(indicator, measure, highest)
    return OTHER


def is_machine(indicator: str) -> bool:
    """Whether the number is about the machine that the service shares with others."""
    return _SHARED_MACHINE.search(indicator) is not None


def quantile_of(indicator: str) -> float | None:
    """0.95 for a p95, None for an average or a count."""
    found = _QUANTILE.search(indicator)
    return float("0." + found.group(1)) if found else None


def _scaled(indicator: str, measure: Measure, highest: float) -> Measure:
    """The measure with the unit that the rest of the name and the height of the values tell."""
    lowered = indicator.lower()
    share = "ratio" in lowered or "share" in lowered or ("rate" in lowered and not highest > 1.0)
    if measure is ERROR_COUNT and (share or "%" in lowered):
        measure = ERROR_SHARE
    if measure is MEMORY and (share or "%" in lowered or highest <= 1.0):
        measure = MEMORY_SHARE
    if measure is CPU_SHARE and ("(m)" in lowered or "milli" in lowered or "cores" in lowered):
        measure = CPU_CORES
    if measure is TRAFFIC:
        return _traffic(lowered)
    return _with_scale(measure, _scale(lowered, measure, highest))


def _scale(lowered: str, measure: Measure, highest: float) -> float:
    if measure is MEMORY:
        return next((size for pattern, size in _SCALES if re.search(pattern, lowered)), 1.0)
    if measure.unit == "share":
        return 0.01 if "%" in lowered or "percent" in lowered or highest > 1.5 else 1.0
    thousandths = "(m)" in lowered or "milli" in lowered or "_ms" in lowered or "(ms)" in lowered
    return 1e-3 if thousandths and measure.unit in ("cores", "seconds") else 1.0


def _traffic(lowered: str) -> Measure:
    if re.search(r"per_?s(ec|econd)?(_|$)|/s\b|rps|qps|ops\b|tps", lowered):
        return TRAFFIC_RATE
    return _with_scale(TRAFFIC_RATE, 1 / 60) if re.search(r"per_?min", lowered) else TRAFFIC


def _with_scale(measure: Measure, scale: float) -> Measure:
    if scale == measure.scale:
        return measure
    return Measure(measure.name, measure.unit, measure.side, measure.worse, measure.least, measure.floor, scale)
