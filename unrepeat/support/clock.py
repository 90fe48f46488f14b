"""The only place that asks what time it is; a replay or a test can put a simulated clock in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def _system() -> datetime:
    return datetime.now(UTC)


_clock: Clock = _system


def now() -> datetime:
    """The present moment, timezone-aware, in UTC."""
    return _clock()


class SimulatedClock:
    """A clock that stands still until it is moved; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._at = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """Where the clock stands (UTC)."""
        return self._at

    def move_to(self, at: datetime) -> None:
        """Set the clock to `at` if that is later than where it stands."""
        self._at = max(self._at, at.astimezone(UTC))

    def advance(self, **units: float) -> None:
        """Move forward by a `timedelta(**units)`, for example `advance(minutes=5)`."""
        self.move_to(self._at + timedelta(**units))


@contextmanager
def using(clock: Clock) -> Iterator[None]:
    """Put another clock in for the whole process while the block runs."""
    global _clock
    before, _clock = _clock, clock
    try:
        yield
    finally:
        _clock = before
