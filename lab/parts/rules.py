"""The alert rules of the shop. One second of the lab stands for one minute, so windows are seconds where others have minutes."""

from __future__ import annotations

from typing import Any

import yaml

ALERT_SHARE = 0.8


def document(memory_budget_bytes: float) -> str:
    """The rule file. The budget is what the session service asked for (a memory request); nothing enforces it."""
    groups = [
        {"name": "budgets", "interval": "1s", "rules": [_budget(memory_budget_bytes), _memory()]},
        {"name": "shop", "interval": "1s", "rules": [_errors(), _latency()]},
        {"name": "innocent", "interval": "1s", "rules": [_down(), _connections(), _dropped()]},
    ]
    return yaml.safe_dump({"groups": groups}, sort_keys=False, width=200)


def _rule(alert: str, expr: str, wait: str, labels: dict[str, str], description: str) -> dict[str, Any]:
    notes = {"summary": alert, "description": description, "value": "{{ $value }}"}
    return {"alert": alert, "expr": expr, "for": wait, "labels": labels, "annotations": notes}


def _budget(memory_budget_bytes: float) -> dict[str, Any]:
    return {
        "record": "service_memory_budget_bytes",
        "expr": f"vector({memory_budget_bytes:.0f})",
        "labels": {"service": "sessions"},
    }


def _memory() -> dict[str, Any]:
    budget = f"({ALERT_SHARE} * service_memory_budget_bytes)"
    used = f"process_resident_memory_bytes > on(service) group_left() {budget}"
    text = "{{ $labels.service }} holds {{ $value | humanize1024 }}B, over 80 % of its memory budget."
    return _rule("High memory usage", used, "0s", {"severity": "critical"}, text)


def _errors() -> dict[str, Any]:
    failed = 'sum by (service) (rate(shop_requests_total{status=~"5.."}[10s]))'
    share = f"{failed} / sum by (service) (rate(shop_requests_total[10s])) > 0.05"
    text = "{{ $value | humanizePercentage }} of the shop's answers are errors."
    return _rule("Shop errors", share, "10s", {"severity": "warning"}, text)


def _latency() -> dict[str, Any]:
    slow = "histogram_quantile(0.99, sum by (service, le) (rate(shop_request_seconds_bucket[10s]))) > 1"
    text = "One request in a hundred takes longer than {{ $value | humanizeDuration }}."
    return _rule("Shop slow", slow, "20s", {"severity": "warning"}, text)


def _down() -> dict[str, Any]:
    text = "{{ $labels.instance }} of {{ $labels.service }} cannot be scraped."
    return _rule("Target down", "up == 0", "10s", {"severity": "critical"}, text)


def _connections() -> dict[str, Any]:
    used = "sum by (service) (pg_stat_activity_count) > 48"
    return _rule(
        "Database connections", used, "5s", {"severity": "warning"}, "{{ $value }} of 60 connections are in use."
    )


def _dropped() -> dict[str, Any]:
    dropped = "increase(nginx_connections_accepted[10s]) - increase(nginx_connections_handled[10s]) > 0"
    text = "The load balancer dropped {{ $value }} connections in 10 s."
    return _rule("Connections dropped", dropped, "0s", {"severity": "warning"}, text)
