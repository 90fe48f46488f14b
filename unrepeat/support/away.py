"""Who keeps us waiting is left alone for a while: a server that hangs must not hold up all else that the worker has to do.

Real time, not the clock's: it is about seconds that are lost here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

COSTLY = 2.0  # seconds that a failure may take without consequence
PAUSE = 60.0  # seconds for which one that took longer is not asked
_until: dict[str, float] = {}


def is_away(who: str) -> bool:
    """Whether somebody kept us waiting for nothing a moment ago."""
    return time.monotonic() < _until.get(who, 0.0)


@contextmanager
def asking(who: str) -> Iterator[None]:
    """Ask somebody inside; a failure that took long makes them away."""
    began = time.monotonic()
    try:
        yield
    except Exception:
        if time.monotonic() - began > COSTLY:
            _until[who] = time.monotonic() + PAUSE
        raise
    _until.pop(who, None)
