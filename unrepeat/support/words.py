"""How times and spans are written, everywhere the same. Pure."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_COLOURS = re.compile(r"\x1b\[[0-9;:?]*[ -/]*[@-~]")  # and other commands to a terminal, as copied from one
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """`text` without what commands a terminal or cannot be stored; tabs and line ends stay."""
    if text.isprintable():
        return text
    return _CONTROLS.sub("\ufffd", _COLOURS.sub("", text))


def span(length: timedelta | None) -> str:
    """A length of time as people say it: `2 h 45 min`, `2 min 45 s`, `41 s`, `3 d 4 h`; a dash when there is none."""
    if length is None:
        return "–"
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{seconds:.1f} s" if seconds >= 0.05 else "0 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 600:
        whole, rest = divmod(round(seconds), 60)
        return f"{whole} min {rest} s" if rest else f"{whole} min"
    minutes = round(seconds / 60)
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    said = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(said[:2])


def in_zone(at: datetime, zone: str) -> datetime:
    """The moment `at`, told in the zone with that IANA name."""
    return at.astimezone(ZoneInfo(zone))


def clock_time(at: datetime, zone: str = "UTC") -> str:
    """Hours and minutes in a zone: `15:15`."""
    return f"{in_zone(at, zone):%H:%M}"


def day(at: datetime, zone: str = "UTC") -> str:
    """The day in a zone: `12 August 2024`."""
    local = in_zone(at, zone)
    return f"{local.day} {local:%B %Y}"


def dated(text: str) -> str:
    """`2024-08-19` as `19 August 2024`; anything else as it stands."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {found:%B %Y}"


def zone_name(at: datetime, zone: str = "UTC") -> str:
    """The zone's short name at that moment: `UTC`, `CEST`."""
    return f"{in_zone(at, zone):%Z}"
