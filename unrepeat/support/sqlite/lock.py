"""The file lock in front of every write transaction: a queue over threads and processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager


def take(database: str) -> int:
    """Wait for the lock; what to close to free it. Opened anew each time, since flock belongs to the open file."""
    lock = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


@contextmanager
def write_lock(database: str) -> Iterator[None]:
    """Hold the lock: no transaction of ours writes meanwhile."""
    lock = take(database)
    try:
        yield
    finally:
        os.close(lock)
