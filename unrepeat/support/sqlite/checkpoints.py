"""Carries SQLite's write-ahead log into the database file beside the writers, and not inside their commits.

SQLite does this within whichever commit makes the log long: under full intake every sender then waits a quarter of a second or
more. Here a thread copies while others write, then takes the write lock for the few pages that came meanwhile, so that the log
begins anew. Should the thread fall behind, SQLite's own way is still there (`SAFETY_NET`).
How much is to be carried stands in the log's index, a file whose form SQLite documents (sqlite.org/walformat.html).
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
import threading
from pathlib import Path
from typing import Final

import structlog

from unrepeat.support.sqlite.lock import write_lock

WORTH_IT: Final = 32 * 1024 * 1024  # bytes of the log
SAFETY_NET: Final = 128 * 1024 * 1024  # bytes, at which a commit carries them itself
TICK: Final = 0.1  # seconds
NATIVE_ORDER: Final = "="
PAGE_SIZE_AT: Final = 14  # of the log's index: two bytes, 1 means 65,536
LAST_FRAME_AT: Final = 16
CARRIED_AT: Final = 96

log = structlog.get_logger(__name__)


def backlog(database: str) -> int:
    """Bytes in the log of this database that are not in its file yet; 0 when there is no log."""
    try:
        with Path(f"{database}-shm").open("rb") as file:
            index = file.read(CARRIED_AT + 4)
    except OSError:
        return 0
    if len(index) < CARRIED_AT + 4:
        return 0
    page, last, carried = (
        int(struct.unpack_from(f"{NATIVE_ORDER}{form}", index, at)[0])
        for form, at in (("H", PAGE_SIZE_AT), ("I", LAST_FRAME_AT), ("I", CARRIED_AT))
    )
    return max(0, last - carried) * (65536 if page == 1 else page)


class Checkpoints:
    """The thread; one a process is enough, and several do no harm."""

    def __init__(self, database: str) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the present piece."""
        self._stopping.set()
        self._thread.join()

    def carry(self) -> None:
        """Carry all that is in the log now, as far as no reader still needs the older pages."""
        with contextlib.closing(sqlite3.connect(self._database, timeout=1, isolation_level=None)) as connection:
            _passive(connection)
            with write_lock(self._database):
                _passive(connection)

    def _run(self) -> None:
        while not self._stopping.wait(TICK):
            if backlog(self._database) < WORTH_IT:
                continue
            try:
                self.carry()
            except (sqlite3.Error, OSError) as error:
                log.warning(
                    "the write-ahead log could not be carried over; SQLite does it in a commit", error=str(error)
                )
                self._stopping.wait(1)


def _passive(connection: sqlite3.Connection) -> None:
    connection.execute("pragma wal_checkpoint(passive)").fetchall()
