"""Group commit: one thread stores all deliveries that wait together in one transaction, then answers them all at once."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence

import structlog
from django.db import DataError, IntegrityError, connection, transaction

from unrepeat.arrivals import store
from unrepeat.arrivals.lead import lead
from unrepeat.arrivals.store import Arrival
from unrepeat.support.config import config

MOST_TOGETHER = 256  # requests a transaction
MOST_BYTES_TOGETHER = 8 * 1024 * 1024
FURTHEST_AHEAD = {"sqlite": 3.5, "postgresql": 20.0}  # seconds that the reader may be behind before senders are slowed

log = structlog.get_logger(__name__)
_Entry = tuple[Arrival, "asyncio.Future[bool]"]


class Writer:
    """A bounded queue of deliveries and the thread that stores them.

    `hold`, `release` and `store` belong to the event loop's thread. An answer is True once the delivery is committed.
    """

    def __init__(
        self,
        *,
        most_waiting: int | None = None,
        most_bytes: int | None = None,
        keep: Callable[[Sequence[Arrival]], None] = store.keep_deliveries,
    ) -> None:
        self._loop: asyncio.AbstractEventLoop
        self._most_waiting = most_waiting or config().intake_waiting
        self._most_bytes = most_bytes or config().intake_bytes
        self._keep = keep
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="intake-writer", daemon=True)
        self.waiting = 0
        """Deliveries that have not been answered."""
        self.held = 0
        """Bytes of bodies that are being received or have not been answered."""

    async def start(self) -> None:
        """Begin to store; answers go to the event loop that runs now."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    async def stop(self) -> None:
        """Store and answer what waits, then end."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def hold(self, size: int) -> bool:
        """Make room for `size` more bytes; False when there is none."""
        if self.held + size > self._most_bytes or self.waiting >= self._most_waiting:
            return False
        self.held += size
        return True

    def release(self, size: int) -> None:
        """Give back what `hold` took."""
        self.held -= size

    def store(self, arrival: Arrival) -> asyncio.Future[bool]:
        """Put a delivery in the queue; the future says whether it was committed."""
        future: asyncio.Future[bool] = self._loop.create_future()
        self.waiting += 1
        self._queue.put((arrival, future))
        return future

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            lead.keep_below(FURTHEST_AHEAD[connection.vendor])
            outcome = self._commit([arrival for arrival, _ in batch])
            self._loop.call_soon_threadsafe(self._answer, batch, outcome)
        connection.close()

    def _next(self) -> list[_Entry] | None:
        """All that waits, up to the limits; None when the writer is to end."""
        first = self._queue.get()
        if first is None:
            return None
        batch = [first]
        size = len(first[0].body)
        while len(batch) < MOST_TOGETHER and size < MOST_BYTES_TOGETHER:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                self._queue.put(None)  # the end comes after what was taken
                break
            batch.append(entry)
            size += len(entry[0].body)
        return batch

    def _commit(self, arrivals: list[Arrival]) -> list[bool]:
        try:
            with transaction.atomic():
                self._keep(arrivals)
        except (DataError, IntegrityError) as error:
            if len(arrivals) > 1:  # one of them is at fault, for example its source was removed a moment ago
                return [kept for arrival in arrivals for kept in self._commit([arrival])]
            log.warning("a delivery could not be stored", source=arrivals[0].source, error=str(error))
            return [False]
        except Exception as error:  # noqa: BLE001 - the senders are answered 503, and the writer goes on
            log.warning("deliveries could not be stored", deliveries=len(arrivals), error=str(error))
            connection.close()
            return [False] * len(arrivals)
        lead.stored(sum(len(arrival.body) for arrival in arrivals), len(arrivals))
        return [True] * len(arrivals)

    def _answer(self, batch: list[_Entry], outcome: list[bool]) -> None:
        self.waiting -= len(batch)
        for (_, future), kept in zip(batch, outcome, strict=True):
            if not future.done():
                future.set_result(kept)
