"""How a report tells its times: in the incident's zone, the date and the zone said once. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from unrepeat.postmortems.report import Facts
from unrepeat.support import words


def clock(at: datetime, facts: Facts) -> str:
    """`15:15`, or `15:15:04` when the outage was short."""
    return f"{words.in_zone(at, facts.zone):{'%H:%M:%S' if facts.precise else '%H:%M'}}"


def full(at: datetime, facts: Facts) -> str:
    """`15:15 UTC on 12 August 2024`."""
    return f"{clock(at, facts)} {words.zone_name(at, facts.zone)} on {words.day(at, facts.zone)}"


def when(at: datetime, facts: Facts) -> str:
    """The time of day; with zone and day when it was on another day than the outage's first."""
    same_day = words.day(at, facts.zone) == words.day(facts.started_at, facts.zone)
    return clock(at, facts) if same_day else full(at, facts)


def window(facts: Facts) -> str:
    """When it was: `from 15:15 to 18:00 UTC on 12 August 2024`; with both days, and both zone names, where they differ."""
    start, end = facts.started_at, facts.resolved_at
    if end is None:
        return f"since {full(start, facts)}"
    same_day = words.day(start, facts.zone) == words.day(end, facts.zone)
    same_zone = words.zone_name(start, facts.zone) == words.zone_name(end, facts.zone)
    if same_day and same_zone:
        return f"from {clock(start, facts)} to {full(end, facts)}"
    return f"from {full(start, facts)} to {full(end, facts)}"


def short_window(facts: Facts) -> str:
    """The same for a narrow place: `15:15–18:00 UTC, 12 August 2024`."""
    start, end = facts.started_at, facts.resolved_at
    if end is None:
        return f"since {clock(start, facts)} {words.zone_name(start, facts.zone)}, {words.day(start, facts.zone)}"
    zone = words.zone_name(end, facts.zone)
    if words.day(start, facts.zone) == words.day(end, facts.zone) and words.zone_name(start, facts.zone) == zone:
        return f"{clock(start, facts)}–{clock(end, facts)} {zone}, {words.day(end, facts.zone)}"
    first = f"{clock(start, facts)} {words.zone_name(start, facts.zone)}, {words.day(start, facts.zone)}"
    return f"{first} – {clock(end, facts)} {zone}, {words.day(end, facts.zone)}"


def in_utc(facts: Facts) -> str:
    """The window in UTC when the incident's zone is another one; otherwise nothing."""
    start, end = facts.started_at, facts.resolved_at
    if words.zone_name(start, facts.zone) == "UTC" or end is None:
        return ""
    same = words.day(start) == words.day(end)
    return f"{words.clock_time(start)}{'' if same else f', {words.day(start)}'}–{words.clock_time(end)} UTC, {words.day(end)}"


def moment(seconds: float) -> datetime:
    """Unix seconds as a moment, UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds(count: float) -> timedelta:
    """A length of time."""
    return timedelta(seconds=count)
