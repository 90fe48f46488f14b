"""Where numbers come from: Prometheus, or a recording that is being replayed. One face: `telemetry()` and `query_range`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from unrepeat.support.config import config

Point = tuple[float, float]
"""Unix seconds, value."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a range query: its labels, and its points in order of time."""

    labels: dict[str, str]
    points: tuple[Point, ...]


class Unanswered(Exception):
    """The numbers could not be had; the message says why, as part of a sentence that people read in the log."""


class Silent(Unanswered):
    """Nobody answered in time: asking something else would only wait again."""


class Telemetry(Protocol):
    """A place that answers range queries."""

    @property
    def source(self) -> str:
        """What it is, for people: it stands beside every number that came from it."""

    def query_range(self, query: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """The series that a query gives from `start` to `end`, one point every `step` seconds; raises Unanswered."""


_in_use: Telemetry | None = None


def telemetry() -> Telemetry | None:
    """Where numbers come from now: what `using` put in, else the configured Prometheus; None when there is neither."""
    if _in_use is not None:
        return _in_use
    if not config().prometheus_url:
        return None
    from unrepeat.investigation.telemetry.prometheus import Prometheus

    return Prometheus(config().prometheus_url)


@contextmanager
def using(source: Telemetry) -> Iterator[None]:
    """Put another source in for the whole process while the block runs (a replay does)."""
    global _in_use
    before, _in_use = _in_use, source
    try:
        yield
    finally:
        _in_use = before
