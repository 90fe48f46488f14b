"""Runs a child process within bounds: time, output, and nothing of it left behind."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT = 64 * 1024  # bytes: the end of what it printed
PATIENCE = 2.0  # seconds between SIGTERM and SIGKILL
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """How a child ended. `status` is its exit status, negative for a signal; None when it could not be started."""

    status: int | None
    output: str  # standard output and error together, its end
    seconds: float
    timed_out: bool = False
    printed: int = 0  # bytes in all
    why: str = ""  # why it could not be started


def run(
    command: Sequence[str],
    *,
    seconds: float,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    most_output: int | None = None,
) -> Finished:
    """Run `command` (no shell) for at most `seconds`; its whole process group is ended afterwards.

    `most_output`: bytes after which it is ended; without it, it may print as much as it likes and the end is kept.
    """
    began = time.monotonic()
    try:
        child = subprocess.Popen(  # noqa: S603  the command is the guard's own, and the caller may run it
            list(command),
            cwd=folder,
            env=dict(environment) if environment is not None else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Finished(None, "", time.monotonic() - began, why=str(error))
    try:
        kept, printed, late = _read(child, began + seconds, most_output)
    finally:
        _end(child)
    return Finished(
        child.returncode, kept.decode("utf-8", "replace"), time.monotonic() - began, timed_out=late, printed=printed
    )


def _read(child: subprocess.Popen[bytes], until: float, most: int | None) -> tuple[bytes, int, bool]:
    """What it prints until it ends, closes its output, prints too much, or is late."""
    assert child.stdout is not None
    kept, printed = bytearray(), 0
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while True:
            left = until - time.monotonic()
            if left <= 0:
                return bytes(kept), printed, True
            if not waiting.select(min(left, 0.5)):
                if child.poll() is not None and not waiting.select(0):
                    return bytes(kept), printed, False  # it ended; somebody else holds its output open
                continue
            data = os.read(child.stdout.fileno(), CHUNK)
            if not data:
                break
            printed += len(data)
            kept += data
            del kept[: max(0, len(kept) - KEPT)]
            if most is not None and printed > most:
                return bytes(kept), printed, False
    try:
        child.wait(max(0.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        return bytes(kept), printed, True
    return bytes(kept), printed, False


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the whole process group, kindly at first."""
    for kind, patience in ((signal.SIGTERM, PATIENCE), (signal.SIGKILL, PATIENCE)):
        try:
            os.killpg(child.pid, kind)
        except (ProcessLookupError, PermissionError):
            break
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    if child.stdout is not None:
        child.stdout.close()
    child.wait()
