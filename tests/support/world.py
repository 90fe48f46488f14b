"""What the world tells, as rows: alerts and changes of the shop, for tests of the incidents room."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

from unrepeat.arrivals.models import Alert, Change, Source
from unrepeat.arrivals.occurrences import place
from unrepeat.duty import commands as duty
from unrepeat.support import clock

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
_keys = count(1)

CATALOGUE = """
[teams.sessions-team]
title = "Sessions team"

[services.shop]
title = "The shop"
depends_on = ["sessions", "database"]

[services.sessions]
title = "Session management service"
team = "sessions-team"

[services.database]

[services.load-balancer]
depends_on = ["shop"]

[services.billing]
"""


def minutes(number: float) -> timedelta:
    """That many minutes."""
    return timedelta(minutes=number)


def the_shop() -> None:
    """Load the catalogue."""
    duty.load_catalogue(CATALOGUE)


def _come(at: datetime) -> None:
    """What is told has happened: a simulated clock that stands before it moves on."""
    if isinstance(clock._clock, clock.SimulatedClock):
        clock._clock.move_to(at)


def source(name: str = "prometheus", kind: str = "alertmanager") -> Source:
    """The source by that name."""
    return Source.objects.get_or_create(name=name, defaults={"kind": kind, "made_at": START})[0]


def alert(
    service: str = "sessions",
    name: str = "HighMemoryUsage",
    at: datetime = START,
    *,
    severity: str = "critical",
    summary: str = "",
    until: datetime | None = None,
) -> Alert:
    """An alert that fires, with news."""
    _come(until or at)
    key = f"alert-{next(_keys)}"
    return Alert.objects.create(
        source=source(),
        key=key,
        **place(source().pk, key, at),
        name=name,
        service=service,
        severity=severity,
        summary=summary,
        starts_at=at,
        ends_at=until,
        first_seen_at=at,
        last_seen_at=until or at,
    )


def ends(one: Alert, at: datetime) -> None:
    """The alert resolves, which is news."""
    _come(at)
    Alert.objects.filter(pk=one.pk).update(ends_at=at, news=True)


def change(
    service: str = "sessions", at: datetime = START, *, version: str = "2.0", status: str = "succeeded"
) -> Change:
    """A deploy, with news."""
    _come(at)
    return Change.objects.create(
        source=source("ci", "generic_change"),
        key=f"change-{next(_keys)}",
        kind="deploy",
        service=service,
        version=version,
        previous="1.4",
        status=status,
        summary=f"Deploy of {service} {version}",
        author="Dana",
        at=at,
        first_seen_at=at,
    )
