"""Reads waiting deliveries as alerts and changes: in order, each exactly once, whatever the bodies hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import msgspec
import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction

from unrepeat.arrivals import alert_store, store
from unrepeat.arrivals.alert_store import LaidOut
from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.lead import lead
from unrepeat.arrivals.occurrences import Told, clean, fold, keys_without_times
from unrepeat.arrivals.records import Reading, Unreadable
from unrepeat.arrivals.store import Waiting
from unrepeat.support import wakeups

MOST_DELIVERIES = 1000  # a transaction
MOST_ALERTS = 2500  # a transaction; more would make the intake wait too long for the write lock
MOST_BYTES = 1536 * 1024  # of bodies, likewise
MOST_BATCHES = 8  # a call; then others have their turn

log = structlog.get_logger(__name__)
_one_at_a_time = threading.Lock()


class ReadElsewhere(Exception):
    """Another worker has read these deliveries in the meantime; what was made of them is thrown away."""


class Read(msgspec.Struct, frozen=True, gc=False):
    """A delivery and what it says, or the reason why it says nothing."""

    delivery: Waiting
    reading: Reading | None
    reason: str = ""


class Batch:
    """Deliveries that are stored in one transaction, with what they say."""

    def __init__(self, read: list[Read], *, full: bool = False) -> None:
        self.read = read
        self.full = full
        """Whether there is probably more."""
        self.good = [(r.delivery, r.reading) for r in read if r.reading is not None]
        self.told = [Told(d.source, d.id, d.received_at, said.alerts) for d, said in self.good if said.alerts]
        self.alerts: LaidOut | None = None
        """Ready to be stored; None when the table must be asked first, inside the transaction."""

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return _size(self.read)

    @property
    def last(self) -> int:
        """Id of the last delivery."""
        return self.read[-1].delivery.id


class Pace(Protocol):
    """Who says how much is read at once, and hears how it goes: the process's lead, unless another process asks."""

    def bite(self) -> int:
        """How many times the usual number is stored in one transaction."""

    def read(self, size: int, began: float) -> None:
        """So many bytes were read since `began` (monotonic)."""


def read_waiting(limit: int | None = None, *, pace: Pace = lead) -> int:
    """Read the oldest waiting deliveries, at most `limit` a transaction; returns how many are done (0: nothing waits, or another reads)."""
    with _one_at_a_time:
        try:
            with store.lazily():
                return _read_together(limit, pace)
        except ReadElsewhere:
            return 0
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - no body stops the worker
            log.warning("deliveries are read one by one, since together they failed", error=str(error))
            return _read_singly(limit)


def _read_together(limit: int | None, pace: Pace) -> int:
    if connection.vendor == "sqlite":
        return _read_ahead(limit, pace) if not connection.in_atomic_block else _read_batch(limit, pace)
    with transaction.atomic():  # the claimed rows are held while they are read
        return _read_batch(limit, pace) if store.be_the_reader() else 0


def _read_batch(limit: int | None, pace: Pace) -> int:
    began = time.monotonic()
    batch = _next_batch(0, limit, pace.bite())
    with transaction.atomic():
        _keep(batch)
    pace.read(batch.size, began)
    return len(batch.read)


def _read_ahead(limit: int | None, pace: Pace) -> int:
    """Some batches, each read in another thread while the one before is stored: SQLite stores without Python's lock.

    Reading is done outside the transaction; the write lock is taken only to store. What was read ahead at the end is stored by
    the next call.
    """
    done = 0
    for _ in range(MOST_BATCHES):
        began = time.monotonic()
        batch = _ahead.take() or _next_batch(0, limit, pace.bite())
        if batch.full:
            _ahead.begin(batch.last, limit, pace.bite())
        try:
            with transaction.atomic():
                _keep(batch)
        except BaseException:
            _ahead.drop()  # what comes after may not be stored before
            raise
        pace.read(batch.size, began)
        done += len(batch.read)
        if not batch.full:
            break
    return done


class _Ahead:
    """The batch after the one that is being stored, read in a thread of its own."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "reading-ahead")
        self._begun: Future[Batch] | None = None

    def begin(self, after: int, limit: int | None, bite: int) -> None:
        """Read what comes after the delivery with this id."""
        self._begun = self._thread.submit(self._read, after, limit, bite)

    def take(self) -> Batch | None:
        """What was read ahead; None when that was nothing, or is not what comes next any more."""
        begun, self._begun = self._begun, None
        batch = begun.result() if begun else None
        return batch if batch and batch.read and store.still_waits(batch.read[0].delivery.id) else None

    def drop(self) -> None:
        """Forget what was read ahead."""
        self._begun = None

    @staticmethod
    def _read(after: int, limit: int | None, bite: int) -> Batch:
        close_old_connections()
        return _next_batch(after, limit, bite)


_ahead = _Ahead()


def _next_batch(after: int, limit: int | None, bite: int) -> Batch:
    """The oldest waiting deliveries after the one with id `after`, read and folded; `bite` times as many as usual."""
    most = limit or MOST_DELIVERIES * bite
    waiting = store.waiting(most, MOST_BYTES * bite, after=after)
    read = _read(waiting, MOST_ALERTS * bite)
    batch = Batch(read, full=len(read) < len(waiting) or len(read) == most or _size(read) >= MOST_BYTES * bite)
    if not keys_without_times(batch.told):
        batch.alerts = alert_store.laid_out(fold(batch.told, {}))
    return batch


def _read_singly(limit: int | None) -> int:
    """The way round a body that no table takes: that one is set aside with the database's own words."""
    with transaction.atomic():
        if not store.be_the_reader():
            return 0
        waiting = store.waiting(limit or MOST_DELIVERIES, MOST_BYTES)
        for delivery in waiting:
            try:
                with transaction.atomic():
                    _keep(Batch([_read_one(delivery)]))
            except (OperationalError, InterfaceError, ReadElsewhere):
                raise
            except Exception as error:  # noqa: BLE001 - no body stops the worker
                store.mark_unreadable(delivery.id, f"{type(error).__name__}: {error}")
        return len(waiting)


def _size(read: Sequence[Read]) -> int:
    return sum(len(one.delivery.body) for one in read)


def _read(waiting: Sequence[Waiting], most_alerts: int) -> list[Read]:
    """Read deliveries until they say enough for one transaction."""
    read: list[Read] = []
    alerts = 0
    for delivery in waiting:
        one = _read_one(delivery)
        read.append(one)
        alerts += len(one.reading.alerts) if one.reading else 0
        if alerts >= most_alerts:
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


def _keep(batch: Batch) -> None:
    """Store all that was read and mark the deliveries, in the present transaction."""
    for one in batch.read:
        if one.reading is None:
            store.mark_unreadable(one.delivery.id, one.reason)
    good = batch.good
    if not store.mark_read([d.id for d, _ in good], {d.id: said.note for d, said in good if said.note}):
        raise ReadElsewhere
    alert_store.keep_alerts(
        batch.alerts or alert_store.laid_out(fold(batch.told, alert_store.latest_of(keys_without_times(batch.told))))
    )
    alert_store.keep_changes([(d.source, d.id, d.received_at, seen) for d, said in good for seen in said.changes])
    for delivery, said in good:
        for number, url in enumerate(said.tickets):
            key = f"ticket_news:{delivery.id}:{number}"
            wakeups.plan("prevention", "ticket_news", {"url": clean(url, 500)}, due_at=delivery.received_at, key=key)
