"""Whether this server is about to stop: long answers (live streams, slow bodies) end themselves when it is."""

from __future__ import annotations

import threading

from unrepeat.support import bell

_closing = threading.Event()


def begin() -> None:
    """The server stops: wake all that wait for anything. May be called from a signal handler's callback."""
    _closing.set()
    bell.ring("closing")


def begun() -> bool:
    """Whether `begin` was called. Who streams listens to the bell for the topic "closing" and then asks this."""
    return _closing.is_set()
