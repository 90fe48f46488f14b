"""What a shop worker says about itself, in a thread of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.process_collector import ProcessCollector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)


class ShopMetrics:
    """The `process_*` metrics, and how the shop's own requests and its calls fare."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own = self.registry
        self.requests = Counter("shop_requests", "Requests by page and status.", ["page", "status"], registry=own)
        self.durations = Histogram(
            "shop_request_seconds", "Time to answer a request.", ["page"], buckets=SECONDS, registry=own
        )
        self.session_calls = Histogram(
            "shop_session_call_seconds",
            "Time spent in calls of the session service, all tries together.",
            ["call", "outcome"],
            buckets=SECONDS,
            registry=own,
        )
        self.failed_tries = Counter(
            "shop_session_failed_tries", "Tries that brought no answer.", ["call"], registry=own
        )
        self.orders = Counter("shop_orders", "Orders by what became of them.", ["outcome"], registry=own)

    def serve(self, port: int) -> None:
        """Answer scrapes on loopback, in a daemon thread."""
        start_http_server(port, addr="127.0.0.1", registry=self.registry)
