"""While senders crowd, a process beside the server reads. It may be killed at any time, and it ends with the server."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.support.bodies import alertmanager
from tests.support.sending import send_all
from tests.support.served import Served, until

CLIENTS = 64
CHUNK = 640  # deliveries
MODULE = b"unrepeat.arrivals.reading_aside"


@pytest.fixture
def database(originals):
    """Only SQLite is read aside."""
    return originals.copy("sqlite")


@pytest.fixture
def served(database, tmp_path):
    server = Served(tmp_path / "server", database.url)
    yield server
    server.kill()


class Flood:
    """Senders that do not stop until they are told to; all they send is new."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answers: Counter[int] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _run(self) -> None:
        for keys in self._chunks():
            bodies = [(self._path, alertmanager([key])) for key in keys]
            self.answers += send_all(self._port, bodies, clients=CLIENTS)

    def _chunks(self) -> Iterator[list[str]]:
        number = 0
        while not self._enough.is_set():
            yield [f"{number}-{n}" for n in range(CHUNK)]
            number += 1


def readers(group: int) -> list[int]:
    """Processes of this group that read aside and still live."""
    found = []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            if MODULE in words and os.getpgid(int(process.name)) == group:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def test_a_reader_killed_in_a_flood_costs_nothing_and_the_server_reads_on(served, database):
    served.start()
    group = served.process.pid
    with Flood(served.port, database.path) as flood:
        until(lambda: readers(group), 60, "senders crowd, so another process reads")
        (reader,) = readers(group)
        before = database.one("select count(*) from arrivals_alert")
        until(lambda: database.one("select count(*) from arrivals_alert") > before + CHUNK, 60, "it is at work")
        os.kill(reader, signal.SIGKILL)
        killed_at = database.one("select count(*) from arrivals_alert")
        until(
            lambda: database.one("select count(*) from arrivals_alert") > killed_at + CHUNK, 60, "the server reads on"
        )
    until(database.all_read, 60, "all deliveries are read")
    assert flood.answers[202] == database.one("select count(*) from arrivals_alert") > CHUNK
    assert database.query("select distinct count from arrivals_alert") == [(1,)], "each was read once"


@pytest.mark.parametrize("how", ["asked to stop", "killed"])
def test_the_reader_ends_with_the_server(served, database, how):
    served.start()
    group = served.process.pid
    with Flood(served.port, database.path):
        until(lambda: readers(group), 60, "senders crowd, so another process reads")
    if how == "killed":
        for process in group, *children(group):
            if process not in readers(group):
                os.kill(process, signal.SIGKILL)
    else:
        assert served.stop() == 0
    until(lambda: not readers(group), 20, "it has ended")


def children(process: int) -> list[int]:
    """The direct children of a process."""
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
