"""Bodies as Alertmanager sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable

STARTED = "2024-08-12T15:15:00.123Z"
ENDED = "2024-08-12T18:00:00Z"


def alertmanager(
    keys: Iterable[str], status: str = "firing", *, service: str = "sessions", starts: str = STARTED, ends: str = ENDED
) -> bytes:
    """One group with an alert a key; all fire, or all have resolved."""
    alerts = [
        {
            "status": status,
            "labels": {"alertname": "HighMemoryUsage", "service": service, "severity": "critical", "pod": key},
            "annotations": {"summary": "High memory usage"},
            "startsAt": starts,
            "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else ends,
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": key,
        }
        for key in keys
    ]
    group = {
        "version": "4",
        "groupKey": "{}",
        "status": status,
        "receiver": "unrepeat",
        "truncatedAlerts": 0,
        "alerts": alerts,
    }
    return json.dumps(group).encode()
