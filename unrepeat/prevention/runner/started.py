"""A service started for a load test: its output is read so that it never waits for a reader, and its memory is watched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

KEPT = 32 * 1024  # bytes: the end of what it printed
LOOK_EVERY = 0.25  # seconds between two looks at its memory
PATIENCE = 3.0  # seconds between SIGTERM and SIGKILL


@dataclass(frozen=True, slots=True)
class Look:
    """The memory of the process and its children (resident set, bytes; what they share counts for each) at a moment (epoch seconds)."""

    at: float
    bytes: int


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Started:
    """The running service; leaving the block ends it and its children."""

    def __init__(self, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.looks: list[Look] = []
        self._output = bytearray()
        self._over = threading.Event()
        self._child = subprocess.Popen(  # noqa: S603  the command is the guard's own, and the caller may run it
            list(words),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._threads = [threading.Thread(target=job, daemon=True) for job in (self._read, self._watch)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._child.pid, how)
            except (ProcessLookupError, PermissionError):
                break
            try:
                self._child.wait(PATIENCE)
                os.killpg(self._child.pid, signal.SIGKILL)  # children that did not listen
                break
            except subprocess.TimeoutExpired:
                continue
            except (ProcessLookupError, PermissionError):
                break
        self._child.wait()
        for thread in self._threads:
            thread.join(PATIENCE)

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._child.poll()

    @property
    def output(self) -> str:
        """The end of what it printed."""
        return bytes(self._output).decode("utf-8", "replace")

    def memory_at(self, moment: float) -> int:
        """Bytes at a moment: the median of the looks within a second around it, or the nearest look; 0 when there was none."""
        if not self.looks:
            return 0
        near = sorted(look.bytes for look in self.looks if abs(look.at - moment) <= 1.0)
        if near:
            return near[len(near) // 2]
        return min(self.looks, key=lambda look: abs(look.at - moment)).bytes

    def _read(self) -> None:
        assert self._child.stdout is not None
        with self._child.stdout as stream:
            while data := os.read(stream.fileno(), 64 * 1024):
                self._output += data
                del self._output[: max(0, len(self._output) - KEPT)]

    def _watch(self) -> None:
        while not self._over.wait(LOOK_EVERY):
            total = _tree_bytes(self._child.pid)
            if total:
                self.looks.append(Look(time.time(), total))


def _tree_bytes(pid: int) -> int:
    try:
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
    except psutil.Error:
        return 0
    total = 0
    for one in family:
        try:
            total += int(one.memory_info().rss)
        except psutil.Error:
            continue
    return total
