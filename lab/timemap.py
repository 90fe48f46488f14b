"""From the lab's clock to the report's: one second of the lab is one minute of 12 August 2024."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

FACTOR = 60
ANCHOR = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
"""When the alert began to fire, on the report's clock."""


@dataclass(frozen=True, slots=True)
class TimeMap:
    """Stretches time around one moment: `real` (seconds since the epoch) becomes `anchor`, all else moves away from it."""

    real: float
    anchor: datetime = ANCHOR
    factor: int = FACTOR

    def moment(self, at: float) -> datetime:
        """The report's time of a moment of the lab."""
        return self.anchor + timedelta(seconds=(at - self.real) * self.factor)

    def text(self, at: float) -> str:
        """The same as RFC 3339 with milliseconds, in UTC."""
        return rfc3339(self.moment(at))

    def moved(self, stamp: str) -> str:
        """An RFC 3339 time of the lab as one of the report; Alertmanager's year 1 (no end yet) stays what it is."""
        if stamp.startswith("0001-"):
            return stamp
        return self.text(datetime.fromisoformat(stamp).timestamp())

    def day(self, due: date) -> date:
        """A date, as many days away from the outage as it was. Days are not stretched."""
        return self.anchor.date() + (due - datetime.fromtimestamp(self.real, UTC).date())


def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and a Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamp(at: float) -> str:
    """A moment of the lab, unstretched, as RFC 3339."""
    return rfc3339(datetime.fromtimestamp(at, UTC))
