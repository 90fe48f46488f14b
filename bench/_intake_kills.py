"""Senders that remember every alert answered 2xx, while the server is killed with -9 under them."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable

from tests.support.served import Served

SENDERS = 24
BATCH = 10
SEND_FOR = 1.0  # seconds before each kill


def lost_over_kills(served: Served, path: str, holds: Callable[[list[str]], set[str]], *, kills: int) -> int:
    """How many alerts were answered 2xx and are not in the table after `kills` kills and restarts."""
    lost = 0
    for number in range(kills):
        accepted: list[str] = []
        over = threading.Event()
        threads = [
            threading.Thread(target=_send, args=(served.port, path, f"{number:02x}{sender:02x}", accepted, over))
            for sender in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        time.sleep(SEND_FOR)
        served.kill()
        over.set()
        for thread in threads:
            thread.join()
        served.start()
        if not accepted:
            raise RuntimeError("nothing was accepted before the kill")
        lost += len(set(accepted) - holds(accepted))
    return lost


def _send(port: int, path: str, mark: str, accepted: list[str], over: threading.Event) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    count = 0
    while not over.is_set():
        keys = [f"{mark}{count + n:012x}" for n in range(BATCH)]
        count += BATCH
        try:
            connection.request("POST", path, webhook(keys))
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            return
        if 200 <= answer.status < 300:
            accepted.extend(keys)


def webhook(keys: list[str], status: str = "firing") -> bytes:
    """Alertmanager's body with an alert a key."""
    alerts = [
        {
            "status": status,
            "labels": {"alertname": "HighMemoryUsage", "service": "sessions", "severity": "warning", "pod": key},
            "annotations": {"summary": "High memory usage"},
            "startsAt": "2024-08-12T15:15:00.123Z",
            "endsAt": "0001-01-01T00:00:00Z" if status == "firing" else "2024-08-12T18:00:00Z",
            "fingerprint": key,
        }
        for key in keys
    ]
    return json.dumps(
        {"version": "4", "status": status, "groupKey": "{}", "receiver": "unrepeat", "alerts": alerts}
    ).encode()
