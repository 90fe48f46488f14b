"""Real workers, killed with -9 or stopped at the worst moments: the database effect of every wakeup happens exactly once."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from itertools import cycle

import pytest
from django.db import connection, transaction

from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup

WAKEUPS = 90
LEASE = 1.0  # seconds
WITHIN = 120.0  # seconds, all together


class Fleet:
    """Three workers in processes of their own. A killed one is replaced at once."""

    def __init__(self) -> None:
        name = connection.settings_dict["NAME"]
        host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
        url = f"sqlite:///{name}" if connection.vendor == "sqlite" else f"postgresql://app@{host}:{port}/{name}"
        self.environment = os.environ | {"DATABASE_URL": url}
        chance = random.Random(7)
        begun, inside = ["killed", "killed", "stopped", *[""] * 27], ["killed", "killed", *[""] * 28]
        self.fates = {word: cycle(chance.sample(fates, 30)) for word, fates in (("begun", begun), ("inside", inside))}
        self.running: list[subprocess.Popen[str]] = []
        self.readers: list[threading.Thread] = []
        self.killed = {"begun": 0, "inside": 0}
        self.stopped = self.lost = 0
        self.closing = False
        self.guard = threading.Lock()

    def start(self) -> None:
        """One more worker."""
        command = [sys.executable, "-m", "tests.support.wakeup_worker", f"w{len(self.readers)}", str(LEASE)]
        process = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, text=True)
        reader = threading.Thread(target=self.listen, args=[process], daemon=True)
        with self.guard:
            self.running.append(process)
            self.readers.append(reader)
        reader.start()

    def listen(self, process: subprocess.Popen[str]) -> None:
        """Do something terrible to a worker at the moment that it says where it is."""
        for line in process.stdout:
            word = line.split()[0]
            self.lost += word == "lost"
            if self.closing or word not in self.fates:
                continue
            fate = next(self.fates[word])
            if fate == "killed":
                self.killed[word] += 1
                process.kill()
                process.wait()
                self.start()
                return
            if fate == "stopped":
                self.stopped += 1
                process.send_signal(signal.SIGSTOP)
                time.sleep(LEASE * 1.3)  # longer than its lease: another worker must take over
                process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End them all."""
        self.closing = True
        for process in self.running:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture
def effects(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("create table effect (key varchar(200), worker varchar(80))")
    yield lambda: rows("select key from effect")
    with connection.cursor() as cursor:
        cursor.execute("drop table effect")


def rows(query: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def test_every_effect_happens_exactly_once_though_workers_are_killed_in_the_middle(effects):
    with transaction.atomic():
        for n in range(WAKEUPS):
            wakeups.plan("incidents", "remind", {}, due_at=clock.now(), key=f"remind:{n}")
    fleet = Fleet()
    try:
        for _ in range(3):
            fleet.start()
        until = time.monotonic() + WITHIN
        while wakeups.next_due() is not None:
            assert time.monotonic() < until, "not all wakeups were done in time"
            time.sleep(0.05)
    finally:
        fleet.stop()
    done = effects()
    assert sorted(done) == sorted(f"remind:{n}" for n in range(WAKEUPS))
    assert min(fleet.killed.values()) > 0, "nobody was killed at one of the two moments"
    assert fleet.stopped > 0
    assert Wakeup.objects.filter(attempts__gt=1).count() > 0
    assert not Wakeup.objects.exclude(outcome="Done.").exists()
