"""Immediate wake-ups: whoever waits for a topic is woken when it is rung, in this process or, on PostgreSQL, in another.

A ring carries nothing: the listener reads the tables. A lost ring costs at most the listener's own safety tick.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

from django.db import connection, transaction

Topic = Literal["deliveries", "alerts", "changes", "wakeups", "entries"]
CHANNEL = "unrepeat"  # of LISTEN and NOTIFY

_changed = threading.Condition()
_rung: dict[str, int] = {}
_listeners: list[Callable[[str], None]] = []


def ring(topic: Topic) -> None:
    """Wake all that wait for `topic` in this process, now."""
    with _changed:
        _rung[topic] = _rung.get(topic, 0) + 1
        _changed.notify_all()
    for listener in _listeners:
        listener(topic)


def ring_on_commit(topic: Topic) -> None:
    """Wake all that wait for `topic`, here and in other processes, once the present transaction has committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, topic])
    transaction.on_commit(lambda: ring(topic))


def heard() -> dict[str, int]:
    """How often each topic has been rung; compare two answers to see what is new."""
    with _changed:
        return dict(_rung)


def wait(topics: set[str], since: dict[str, int], timeout: float) -> bool:
    """Block until one of `topics` has been rung since `since`, or `timeout` seconds have passed; True when rung."""
    with _changed:
        return _changed.wait_for(lambda: any(_rung.get(t, 0) != since.get(t, 0) for t in topics), timeout)


def listen(listener: Callable[[str], None]) -> Callable[[], None]:
    """Call `listener(topic)` at every ring, in the ringing thread: it must not block. Returns the way to stop."""
    _listeners.append(listener)
    return lambda: _listeners.remove(listener)
