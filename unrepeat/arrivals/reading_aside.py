"""Reads deliveries in a process of its own while senders crowd: intake and reading then do not share Python's one lock.

`Aside` belongs to the server's worker. It asks with a line (how many times the usual bite) and hears a line for each batch that was
stored (bytes of bodies, 0: nothing waits), then one with all deliveries done. The process ends with its standard input, so
also with the server; what it was at then is undone, and read by whoever reads next.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import subprocess
import sys
import time
from typing import IO

import structlog

from unrepeat.arrivals.lead import Lead
from unrepeat.support import bell, closing

KEEP = 60.0  # seconds without work after which the process ends
HANGS = 60.0  # seconds without a word after which it is given up
TRY_AGAIN = 30.0  # seconds after it was given up
SWITCH_EVERY = 0.0005  # seconds after which a thread gives Python's lock to one that waits: two take turns here
READY, DONE = "ready", "done"

log = structlog.get_logger(__name__)


class Gone(Exception):
    """The process has ended, or says nothing any more."""


class Aside:
    """The process, from the worker's side. All methods belong to the worker's thread."""

    def __init__(self, lead: Lead) -> None:
        self._lead = lead
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._used_at = 0.0
        self._not_before = float("-inf")

    def ready(self) -> bool:
        """Whether it can read now; the first call begins to make it so."""
        self._used_at = time.monotonic()
        if self._process is None:
            if self._used_at >= self._not_before:
                self._start()
            return False
        try:
            if not self._is_ready and self._says_something(0):
                self._is_ready = self._line() == READY
        except Gone:
            self._give_up()
        return self._is_ready

    def read(self) -> int:
        """Let it read some batches; returns how many deliveries are done. 0 also when it is gone: nothing is lost with it."""
        try:
            return self._read()
        except (Gone, OSError):
            self._give_up()
            return 0

    def rest(self) -> None:
        """Nothing is to be read: end it when that has been so for long."""
        if self._process is not None and time.monotonic() - self._used_at > KEEP:
            self.stop()

    def stop(self) -> None:
        """End it after its present batches; blocks until then, five seconds at most."""
        process, self._process, self._is_ready = self._process, None, False
        if process is None:
            return
        with process:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()

    def _start(self) -> None:
        command = [sys.executable, "-P", "-m", __name__]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            log.warning("no process could be started to read in a flood; the server reads itself", error=str(error))
            self._not_before = time.monotonic() + TRY_AGAIN

    def _read(self) -> int:
        began = time.monotonic()
        self._pipes[0].write(f"{self._lead.bite()}\n".encode())
        while True:
            word, _, count = self._line().partition(" ")
            if word == DONE:
                return int(count)
            self._lead.read(int(word), began)
            if int(word):
                bell.ring("alerts")
                bell.ring("changes")
            began = time.monotonic()

    def _line(self) -> str:
        if not self._says_something(HANGS):
            raise Gone
        line = self._pipes[1].readline()
        if not line.endswith(b"\n"):
            raise Gone
        return line.decode().strip()

    def _says_something(self, within: float) -> bool:
        return bool(select.select([self._pipes[1]], [], [], within)[0])

    def _give_up(self) -> None:
        if not closing.begun():
            log.warning("the process that reads in a flood is gone; the server reads itself", again_in=TRY_AGAIN)
        self._not_before = time.monotonic() + TRY_AGAIN
        if self._process is not None:
            self._process.kill()
        self.stop()

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise Gone
        return self._process.stdin, self._process.stdout


class _Pace:
    """What the reading asks and tells, passed on to the server."""

    def __init__(self, bite: int, answers: IO[bytes]) -> None:
        self._bite = bite
        self._answers = answers

    def bite(self) -> int:
        return self._bite

    def read(self, size: int, began: float) -> None:  # noqa: ARG002
        self._answers.write(f"{size}\n".encode())


def main() -> None:
    """The process itself."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the server's, who tells us to end
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what anything prints is not an answer
    import django

    django.setup()
    from unrepeat.arrivals.kind import source_kinds
    from unrepeat.arrivals.reading import read_waiting

    source_kinds()
    sys.setswitchinterval(SWITCH_EVERY)
    gc.collect()
    gc.freeze()
    answers.write(f"{READY}\n".encode())
    for line in sys.stdin.buffer:
        done = read_waiting(pace=_Pace(int(line), answers))
        answers.write(f"{DONE} {done}\n".encode())


if __name__ == "__main__":
    main()
