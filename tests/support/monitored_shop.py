"""A shop as Prometheus sees it, made up: four services, scraped every `every` seconds, with what went wrong. No outside world."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np

from unrepeat.investigation.catalogue import Place
from unrepeat.investigation.telemetry import Series
from unrepeat.investigation.telemetry.recording import parsed

ALERT = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
SHOP = [
    Place("sessions"),
    Place("shop", calls=("database", "sessions")),
    Place("load-balancer", calls=("shop",)),
    Place("database"),
]
Shape = Callable[[np.ndarray], np.ndarray]  # minutes since the alert -> value


class MonitoredShop:
    """Answers range queries as Prometheus does: at each step the newest sample that is not older than five minutes."""

    source = "Prometheus at metrics.example"

    def __init__(self, *, every: float = 15.0, seed: int = 1, label: str = "service") -> None:
        self.every, self.label, self.asked = every, label, []
        self.times = ALERT.timestamp() + np.arange(-4 * 3600, 2 * 3600, every)
        self.minutes = (self.times - ALERT.timestamp()) / 60
        self.random = np.random.default_rng(seed)
        self.series: list[tuple[dict[str, str], np.ndarray]] = []

    def gauge(self, service: str, name: str, shape: Shape, *, noise: float = 0.02, **labels: str) -> None:
        """A level."""
        values = shape(self.minutes)
        values = values * (1 + noise * self.random.standard_normal(len(values)))
        self.series.append(({"__name__": name, self.label: service, **labels}, values))

    def counter(self, service: str, name: str, rate: Shape, *, noise: float = 0.1, **labels: str) -> None:
        """A counter that grows by `rate` a second."""
        rates = np.maximum(0.0, rate(self.minutes) * (1 + noise * self.random.standard_normal(len(self.minutes))))
        self.series.append(({"__name__": name, self.label: service, **labels}, np.cumsum(rates) * self.every))

    def query_range(self, query: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """See `Telemetry`."""
        self.asked.append(query)
        name, matchers = parsed(query)
        grid = np.arange(start.timestamp(), end.timestamp() + 1e-6, step)
        place = np.searchsorted(self.times, grid, side="right") - 1
        known = (place >= 0) & (grid - self.times[place] < 300)
        return [
            Series(labels, tuple(zip(grid[known].tolist(), values[place[known]].tolist(), strict=True)))
            for labels, values in self.series
            if (not name or labels["__name__"] == name) and all(_fits(labels, *one) for one in matchers)
        ]

    def without(self, service: str) -> MonitoredShop:
        """Nobody scrapes that service."""
        self.series = [one for one in self.series if one[0][self.label] != service]
        return self


def _fits(labels: dict[str, str], label: str, how: str, wanted: str) -> bool:
    has = labels.get(label, "")
    if how in ("=", "!="):
        return (has == wanted) == (how == "=")
    return (re.fullmatch(wanted, has) is not None) == (how == "=~")


def flat(level: float) -> Shape:
    """Always the same."""
    return lambda minutes: np.full(len(minutes), float(level))


def monitored(
    *,
    leak_since: float | None = None,
    sale_since: float | None = None,
    times: float = 4.0,
    every: float = 15.0,
    label: str = "service",
    seed: int = 1,
) -> MonitoredShop:
    """The shop: healthy, with sessions that leak since so many minutes (and make callers wait), or with a flash sale since then."""
    shop = MonitoredShop(every=every, seed=seed, label=label)

    def busy(minutes: np.ndarray) -> np.ndarray:
        return np.where(minutes >= sale_since, times, 1.0) if sale_since is not None else np.ones(len(minutes))

    def leaked(minutes: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, minutes - leak_since) if leak_since is not None else np.zeros(len(minutes))

    per_second = {"sessions": 60.0, "shop": 40.0, "load-balancer": 40.0, "database": 80.0}
    memory = {"sessions": 100e6, "shop": 150e6, "load-balancer": 5e6, "database": 60e6}
    for service, rate in per_second.items():
        shop.counter(
            service, "process_cpu_seconds_total", lambda m, r=rate: 0.004 * r * busy(m), noise=0.1, instance=service
        )
        extra = 2e6 if service == "sessions" else 0.0
        session = 25e6 if service == "sessions" else 0.02 * memory[service]
        shop.gauge(
            service,
            "process_resident_memory_bytes",
            lambda m, s=service, e=extra, k=session: memory[s] + e * leaked(m) + k * (busy(m) - 1),
            noise=0.005,
            instance=service,
        )
        shop.gauge(service, "process_open_fds", lambda m: 40 + 5 * busy(m), noise=0.03, instance=service)
    wait = lambda m: 0.004 + 0.004 * leaked(m)  # noqa: E731
    for name, seconds in (
        ("shop_request_seconds", lambda m: 0.02 + wait(m)),
        ("shop_session_call_seconds", wait),
    ):
        shop.counter("shop", f"{name}_count", lambda m: 40 * busy(m), noise=0.0)
        shop.counter("shop", f"{name}_sum", lambda m, s=seconds: 40 * busy(m) * s(m), noise=0.03)
        shop.counter("shop", f"{name}_bucket", lambda m: 40 * busy(m), le="+Inf")
    shop.counter("shop", "shop_requests_total", lambda m: 40 * busy(m), status="200")
    shop.counter("shop", "shop_requests_total", flat(0.01), status="500")
    shop.counter("sessions", "sessions_calls_total", lambda m: 60 * busy(m), status="200")
    shop.gauge("sessions", "sessions_live", lambda m: 300 * busy(m))
    shop.counter("load-balancer", "nginx_http_requests_total", lambda m: 40 * busy(m))
    shop.counter("load-balancer", "nginx_connections_accepted", lambda m: 4 * busy(m))
    shop.gauge("load-balancer", "nginx_connections_active", lambda m: 20 * busy(m), noise=0.1)
    shop.gauge("database", "pg_stat_activity_count", lambda m: 10 + 2 * busy(m), noise=0.1, state="idle")
    shop.counter("database", "pg_stat_database_xact_commit", lambda m: 80 * busy(m))
    return shop


def later(minutes: float) -> datetime:
    """So many minutes after the alert."""
    return ALERT + timedelta(minutes=minutes)
