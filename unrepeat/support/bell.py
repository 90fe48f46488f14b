"""Immediate wake-ups: whoever waits for a topic is woken when it is rung, in this process or, on PostgreSQL, in another.

A ring carries nothing: the listener reads the tables. A lost ring costs at most the listener's own safety tick.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import Final, Literal, cast, get_args

import psycopg
import structlog
from django.db import connection, transaction

Topic = Literal["deliveries", "alerts", "changes", "wakeups", "entries", "closing"]
CHANNEL: Final = "unrepeat"  # of LISTEN and NOTIFY
TRY_AGAIN: Final = 1.0  # seconds after the listening connection was lost

log = structlog.get_logger(__name__)
_me = secrets.token_hex(4)  # so that a process does not answer its own rings
_changed = threading.Condition()
_rung: dict[str, int] = {}
_listeners: list[Callable[[str], None]] = []


def ring(topic: Topic) -> None:
    """Wake all that wait for `topic` in this process, now."""
    with _changed:
        _rung[topic] = _rung.get(topic, 0) + 1
        _changed.notify_all()
        listeners = tuple(_listeners)
    for listener in listeners:
        listener(topic)


def ring_on_commit(topic: Topic) -> None:
    """Wake all that wait for `topic`, here and in other processes, once the present transaction has committed."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify(%s, %s)", [CHANNEL, f"{topic} {_me}"])
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
    with _changed:
        _listeners.append(listener)

    def stop() -> None:
        with _changed:
            _listeners.remove(listener)

    return stop


class Ears:
    """Hears the rings of other processes on PostgreSQL and rings them here. On SQLite there is nothing to hear."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell-ears", daemon=True)

    def start(self) -> None:
        """Begin to listen, on a connection of its own."""
        if connection.vendor == "postgresql":
            self._thread.start()

    def stop(self) -> None:
        """End; blocks for at most half a second."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hear()
            except (psycopg.Error, OSError) as error:
                log.warning("the bell does not hear other processes", error=str(error))
                self._stopping.wait(TRY_AGAIN)

    def _hear(self) -> None:
        parameters = connection.get_connection_params()
        wanted = {k: parameters[k] for k in ("dbname", "user", "password", "host", "port") if k in parameters}
        with psycopg.connect(**wanted, autocommit=True) as conn:
            conn.execute(f"listen {CHANNEL}")
            for topic in get_args(Topic):  # what was rung while nobody listened
                if topic != "closing":
                    ring(topic)
            while not self._stopping.is_set():
                for heard_now in conn.notifies(timeout=0.5):
                    topic, _, who = heard_now.payload.partition(" ")
                    if who != _me and topic in get_args(Topic):
                        ring(cast("Topic", topic))
