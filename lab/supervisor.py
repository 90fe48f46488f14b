"""Starts the parts in order, waits until each is ready, and stops them all, whatever happens."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Self

from lab.keeper import Keeper, kill_group
from lab.parts.part import Part

READY_SECONDS = 30.0
STOP_SECONDS = 8.0
POLL_SECONDS = 0.05
NICE = -10


def _silence(text: str) -> None:
    """Nobody listens."""


class PartFailed(Exception):
    """A part ended or did not become ready; the message holds the end of its log."""


class Supervisor:
    """All processes of one lab, in one temporary folder. Use it as a context: leaving it ends everything."""

    def __init__(self, say: Callable[[str], None] = _silence) -> None:
        self._say = say
        self._running: dict[Part, subprocess.Popen[bytes]] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(_signals_end_the_lab())
        self._keeper = Keeper()
        self._stack.callback(self._keeper.close)
        self.folder = Path(tempfile.mkdtemp(prefix="unrepeat-lab-"))
        self.folder.chmod(0o755)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self._keeper.folder(self.folder)
        self._stack.callback(self.stop_all)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def start(self, part: Part) -> None:
        """Start one part and wait until it is ready."""
        part.prepare()
        self.spawn(part)
        self._await_ready(part)
        self._say(part.label)

    def spawn(self, part: Part) -> None:
        """Start one part without waiting."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", **part.environment()}
        with self.log(part).open("ab") as log:
            process = subprocess.Popen(
                part.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        self._keeper.started(process.pid)
        go_first(process.pid)
        self._running[part] = process

    def log(self, part: Part) -> Path:
        """What the part has said."""
        return self.folder / f"{part.label}.log"

    def pid(self, part: Part) -> int:
        """The part's process."""
        return self._running[part].pid

    def stop(self, part: Part, seconds: float = STOP_SECONDS) -> None:
        """Ask the part to end, then end its whole process group. Nothing happens if it has ended."""
        process = self._running.pop(part, None)
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(part.stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=seconds)
        kill_group(process.pid)
        process.wait()
        self._keeper.ended(process.pid)

    def stop_all(self) -> None:
        """Stop what runs, last started first."""
        for part in reversed(list(self._running)):
            self.stop(part, seconds=3.0)

    def check(self) -> None:
        """PartFailed if a part has ended by itself."""
        for part, process in self._running.items():
            if process.poll() is not None:
                raise PartFailed(self._failure(part, f"ended by itself with status {process.returncode}"))

    def _await_ready(self, part: Part) -> None:
        process = self._running[part]
        limit = time.monotonic() + READY_SECONDS
        while not part.ready():
            if process.poll() is not None:
                raise PartFailed(self._failure(part, f"ended with status {process.returncode} before it was ready"))
            if time.monotonic() > limit:
                raise PartFailed(self._failure(part, f"was not ready after {READY_SECONDS:.0f} s"))
            time.sleep(POLL_SECONDS)

    def _failure(self, part: Part, what: str) -> str:
        said = self.log(part).read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"{part.label} {what}. The end of its log:", *said])


def go_first(pid: int) -> None:
    """Let a part run before other work of the machine, where we may (root): that work is no part of the outage.

    Linux groups processes by session, so the session's own nice value counts as much as the process's.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))


@contextlib.contextmanager
def _signals_end_the_lab() -> Iterator[None]:
    """SIGTERM and SIGHUP leave through the same door as Ctrl-C."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
