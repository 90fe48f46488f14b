"""What a person at the keyboard would look up in the middle of the outage. Every number is measured when it is asked for."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg

MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Database:
    """How PostgreSQL does: milliseconds it takes for a probe query by its own clock (median of 5), backends at work, locks
    waited for.
    """

    probe_ms: float
    active: int
    lock_waits: int


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """How nginx does: connections it dropped since its start, its memory, share of a core, open connections."""

    dropped: int
    megabytes: float
    core_percent: float
    connections: int


@dataclass(frozen=True, slots=True)
class Sessions:
    """How the session service does."""

    megabytes: float
    live: int
    tracked: int
    checkpoint_seconds: float
    budget_megabytes: float


@dataclass(frozen=True, slots=True)
class Shop:
    """How the shop does over the last 10 s: p99 of its pages and of its session calls, errors in percent; and the clicks that the guard refused so far."""

    p99_seconds: float
    session_p99_seconds: float
    error_percent: float
    refused: int


class Readings:
    """Asks Prometheus, and the database itself."""

    def __init__(self, prometheus_url: str, dsn: str) -> None:
        self._http = httpx.Client(base_url=prometheus_url, timeout=5.0, trust_env=False)
        self._dsn = dsn

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def value(self, query: str) -> float:
        """One number from Prometheus, now; 0 when there is no series (a counter that nothing has counted yet)."""
        found: list[dict[str, Any]] = self._ask(query)
        return float(found[0]["value"][1]) if found else 0.0

    def database(self) -> Database:
        """Probe PostgreSQL."""
        probe = "select count(*), max(placed_at) from orders where status = 'paid'"
        with psycopg.connect(self._dsn, connect_timeout=5, autocommit=True) as connection:
            connection.execute(probe)
            times = [_milliseconds(connection, probe) for _ in range(5)]
            others = "from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
            active = _count(connection, f"select count(*) {others} and state = 'active'")
            waits = _count(connection, "select count(*) from pg_locks where not granted")
        return Database(statistics.median(times), active, waits)

    def load_balancer(self) -> LoadBalancer:
        """Read nginx's counters and its processes."""
        own = '{service="load-balancer"}'
        return LoadBalancer(
            dropped=round(self.value("nginx_connections_accepted - nginx_connections_handled")),
            megabytes=self.value(f"process_resident_memory_bytes{own}") / MEGA,
            core_percent=100 * self.value(f"rate(process_cpu_seconds_total{own}[10s])"),
            connections=round(self.value("max_over_time(nginx_connections_active[10s])")),
        )

    def sessions(self) -> Sessions:
        """Read the session service's metrics."""
        return Sessions(
            megabytes=self.value('max(process_resident_memory_bytes{service="sessions"})') / MEGA,
            live=round(self.value("max(sessions_live)")),
            tracked=round(self.value("max(sessions_tracked_visits)")),
            checkpoint_seconds=self.value("max(sessions_last_checkpoint_seconds)"),
            budget_megabytes=self.value("service_memory_budget_bytes") / MEGA,
        )

    def shop(self) -> Shop:
        """Read the shop's metrics."""
        pages = "sum by (le) (rate(shop_request_seconds_bucket[10s]))"
        calls = "sum by (le) (rate(shop_session_call_seconds_bucket[10s]))"
        errors = 'sum(rate(shop_requests_total{status=~"5.."}[10s])) / sum(rate(shop_requests_total[10s]))'
        return Shop(
            p99_seconds=self.value(f"histogram_quantile(0.99, {pages})"),
            session_p99_seconds=self.value(f"histogram_quantile(0.99, {calls})"),
            error_percent=100 * self.value(errors),
            refused=round(self.value('sum(shop_requests_total{status="409"})')),
        )

    def contention(self) -> float:
        """How many times its own CPU time a checkpoint takes on the clock: 1 on a machine that is otherwise idle."""
        cpu = self.value("max(sessions_checkpoint_cpu_seconds_total)")
        return self.value("max(sessions_checkpoint_seconds_sum)") / cpu if cpu else 0.0

    def firing(self) -> list[str]:
        """Names of the alerts that fire now."""
        return sorted({one["metric"]["alertname"] for one in self._ask('ALERTS{alertstate="firing"}')})

    def _ask(self, query: str) -> list[dict[str, Any]]:
        answer = self._http.get("/api/v1/query", params={"query": query}).raise_for_status()
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found


def _milliseconds(connection: psycopg.Connection[Any], query: str) -> float:
    """How long the database itself says that it took; how busy this process is does not count."""
    row = connection.execute(f"explain (analyze, format json) {query}").fetchone()
    plan: dict[str, float] = row[0][0] if row else {}
    return plan["Planning Time"] + plan["Execution Time"]


def _count(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0
