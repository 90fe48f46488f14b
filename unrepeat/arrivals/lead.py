"""How far the intake runs ahead of the reading, in this process: in a flood the writer waits for the reader, so that what is
accepted can be read as alerts soon after, and senders are slowed down rather than misled.
"""

from __future__ import annotations

import threading
import time
from typing import Final

LONGEST_PAUSE: Final = 1.0  # seconds that a commit is held back at most: no sender gives up over that
FORGET_AFTER: Final = 2.0  # seconds without a reading: the reader is in another process, or gone
STORING_FOR: Final = 0.05  # seconds after a commit in which more is expected
CROWD: Final = 16  # deliveries that one commit took along: so many wait at once only in a flood
FLOOD_FOR: Final = 0.5  # seconds after a crowd was stored in which the flood goes on
MUCH: Final = 2.2  # seconds of reading: with so much lead the intake can wait a little for the write lock
BIG_BITE: Final = 4  # times
SMOOTHING: Final = 0.3  # weight of the newest reading in the reader's measured speed


class Lead:
    """Bytes stored and not yet read here, and the reader's speed. For any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._ahead = 0
        self._speed = 0.0  # bytes a second, with all that the reader does between two readings
        self._stored_at = self._read_at = self._crowd_at = float("-inf")
        self._busy = False  # something was left after the last reading

    def stored(self, size: int, deliveries: int = 1) -> None:
        """So many bytes were committed, in so many deliveries together."""
        with self._changed:
            self._ahead += size
            self._stored_at = time.monotonic()
            if deliveries >= CROWD:
                self._crowd_at = self._stored_at

    def read(self, size: int, began: float) -> None:
        """So many bytes were read since `began` (monotonic); 0 means that nothing waits any more."""
        with self._changed:
            now = time.monotonic()
            if size:
                speed = size / max(now - (self._read_at if self._busy else began), 1e-6)
                self._speed += (speed - self._speed) * (SMOOTHING if self._speed else 1.0)
            self._ahead = max(0, self._ahead - size) if size else 0
            self._busy = self._ahead > 0
            self._read_at = now
            self._changed.notify_all()

    def rested(self) -> None:
        """The reader has paused of its own will until now: that is no part of how fast it reads."""
        with self._changed:
            self._read_at = time.monotonic()

    def seconds(self) -> float:
        """How long the reader needs for all that waits; 0 when none reads here."""
        with self._changed:
            return self._seconds()

    def storing(self) -> bool:
        """Whether something was stored a moment ago."""
        return time.monotonic() - self._stored_at < STORING_FOR

    def flooding(self) -> bool:
        """Whether senders crowded a moment ago: then storing comes before all that can wait a little."""
        return time.monotonic() - self._crowd_at < FLOOD_FOR

    def bite(self) -> int:
        """How many times the usual number of deliveries the reader takes together: the more, the less often a page of the index is written."""
        holds_up = (self.storing() or self.flooding()) and self.seconds() < MUCH
        return 1 if holds_up else BIG_BITE

    def keep_below(self, most: float) -> None:
        """Wait until the lead is at most `most` seconds, but not longer than `LONGEST_PAUSE`."""
        with self._changed:
            self._changed.wait_for(lambda: self._seconds() <= most, LONGEST_PAUSE)

    def _seconds(self) -> float:
        if not self._speed or time.monotonic() - self._read_at > FORGET_AFTER:
            return 0.0
        return self._ahead / self._speed


lead: Final = Lead()
