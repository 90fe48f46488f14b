"""Reads waiting deliveries as alerts and changes: in order, each exactly once, whatever the bodies hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

from unrepeat.arrivals import store
from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.lead import lead
from unrepeat.arrivals.occurrences import Told, fold, keys_without_times
from unrepeat.arrivals.records import Reading, Unreadable
from unrepeat.arrivals.store import Waiting

MOST_ALERTS = 2000  # a transaction; more would make the intake wait too long for the write lock
MOST_BYTES = 1024 * 1024  # of bodies, likewise

log = structlog.get_logger(__name__)
_one_at_a_time = threading.Lock()


class ReadElsewhere(Exception):
    """Another worker has read these deliveries in the meantime; what was made of them is thrown away."""


@dataclass(frozen=True, slots=True)
class Read:
    """A delivery and what it says, or the reason why it says nothing."""

    delivery: Waiting
    reading: Reading | None
    reason: str = ""


def read_waiting(limit: int = 1000) -> int:
    """Read the oldest waiting deliveries, at most `limit`; returns how many are done (0: nothing waits, or another reads)."""
    with _one_at_a_time:
        try:
            with store.lazily():
                return _read_together(limit)
        except ReadElsewhere:
            return 0
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - no body stops the worker
            log.warning("deliveries are read one by one, since together they failed", error=str(error))
            return _read_singly(limit)


def _read_together(limit: int) -> int:
    began = time.monotonic()
    if connection.vendor == "sqlite":  # read outside, and take the write lock only to store
        read = _read(store.waiting(limit, MOST_BYTES))
        if read:
            with transaction.atomic():
                _keep(read)
    else:
        with transaction.atomic():  # the claimed rows are held while they are read
            if not store.be_the_reader():
                return 0
            read = _read(store.waiting(limit, MOST_BYTES))
            _keep(read)
    lead.read(sum(len(one.delivery.body) for one in read), began)
    return len(read)


def _read_singly(limit: int) -> int:
    """The way round a body that no table takes: that one is set aside with the database's own words."""
    with transaction.atomic():
        if not store.be_the_reader():
            return 0
        waiting = store.waiting(limit, MOST_BYTES)
        for delivery in waiting:
            try:
                with transaction.atomic():
                    _keep([_read_one(delivery)])
            except (OperationalError, InterfaceError, ReadElsewhere):
                raise
            except Exception as error:  # noqa: BLE001 - no body stops the worker
                store.mark_unreadable(delivery.id, f"{type(error).__name__}: {error}")
        return len(waiting)


def _read(waiting: Sequence[Waiting]) -> list[Read]:
    """Read deliveries until they say enough for one transaction."""
    read: list[Read] = []
    alerts = 0
    for delivery in waiting:
        one = _read_one(delivery)
        read.append(one)
        alerts += len(one.reading.alerts) if one.reading else 0
        if alerts >= MOST_ALERTS:
            break
    return read


def _read_one(delivery: Waiting) -> Read:
    kind = source_kinds().get(delivery.kind)
    if kind is None:
        return Read(delivery, None, f"The source kind “{delivery.kind}” is not installed here.")
    try:
        reading = kind.read(delivery.body, delivery.headers, delivery.received_at)
    except Unreadable as error:
        return Read(delivery, None, str(error))
    except Exception as error:  # noqa: BLE001 - no body stops the worker
        return Read(delivery, None, f"{type(error).__name__}: {error}")
    return Read(delivery, reading)


def _keep(read: Sequence[Read]) -> None:
    """Store all that was read and mark the deliveries, in the present transaction."""
    good = [(r.delivery, r.reading) for r in read if r.reading is not None]
    for one in read:
        if one.reading is None:
            store.mark_unreadable(one.delivery.id, one.reason)
    if not store.mark_read([d.id for d, _ in good], {d.id: said.note for d, said in good if said.note}):
        raise ReadElsewhere
    told = [Told(d.source, d.id, d.received_at, said.alerts) for d, said in good if said.alerts]
    store.keep_alerts(fold(told, store.latest_of(keys_without_times(told))))
    store.keep_changes([(d.source, d.id, d.received_at, seen) for d, said in good for seen in said.changes])
