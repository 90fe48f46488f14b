"""What the service says about itself, on a port and in a thread of its own, so that a busy event loop stays visible."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from lab.sessions.checkpoint import Cost
from lab.sessions.store import SessionStore


class ServiceMetrics:
    """The `process_*` metrics of any Python service, and a few of this one."""

    def __init__(self, version: str, store: SessionStore) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        own = self.registry
        Gauge("sessions_build_info", "The running release.", ["version"], registry=own).labels(version).set(1)
        live = Gauge("sessions_live", "Sessions that have neither ended nor expired.", registry=own)
        live.set_function(lambda: len(store.sessions))
        tracked = Gauge("sessions_tracked_visits", "Visits that are remembered.", registry=own)
        tracked.set_function(lambda: len(store.tracking))
        self.calls = Counter("sessions_calls", "Calls by kind and status.", ["call", "status"], registry=own)
        self.expired = Counter("sessions_expired", "Sessions that ran out of time.", registry=own)
        self.checkpoints = Histogram(
            "sessions_checkpoint_seconds",
            "How long saving all that is held took.",
            buckets=(0.01, 0.03, 0.1, 0.2, 0.5, 1, 2, 3, 5, 8),
            registry=own,
        )
        self.last_checkpoint = Gauge(
            "sessions_last_checkpoint_seconds", "The last checkpoint's duration.", registry=own
        )

        self.checkpoint_cpu = Counter(
            "sessions_checkpoint_cpu_seconds", "CPU time that checkpoints took, all together.", registry=own
        )

    def saved(self, cost: Cost) -> None:
        """A checkpoint was written."""
        self.checkpoints.observe(cost.seconds)
        self.last_checkpoint.set(cost.seconds)
        self.checkpoint_cpu.inc(cost.cpu_seconds)

    def serve(self, port: int) -> None:
        """Answer scrapes on loopback, in a daemon thread."""
        start_http_server(port, addr="127.0.0.1", registry=self.registry)
