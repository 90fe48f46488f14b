"""Numbers as people read them, for the sentences of findings."""

from __future__ import annotations

import math

_BYTES = ("bytes", "kB", "MB", "GB", "TB")


def amount(value: float, unit: str) -> str:
    """A number with its unit: `95 %`, `310 ms`, `1.2 GB`, `0.4 cores`, `12`."""
    if not math.isfinite(value):
        return "nothing"
    if unit == "share":
        return f"{_short(value * 100)} %"
    if unit == "seconds":
        return duration(value)
    if unit == "bytes":
        return _bytes(value)
    if unit in ("count", "requests"):
        return _short(value)
    return f"{_short(value)} {unit}"


def duration(seconds: float) -> str:
    """A length of time: `310 ms`, `2.4 s`, `12 min`, `3 h`."""
    size = abs(seconds)
    if size < 1:
        return f"{_short(seconds * 1000)} ms"
    if size < 120:
        return f"{_short(seconds)} s"
    if size < 7200:
        return f"{_short(seconds / 60)} min"
    return f"{_short(seconds / 3600)} h"


def from_to(before: float, after: float, unit: str) -> str:
    """`rose from 2 % to 95 %` or `fell from 100 % to 88 %`."""
    verb = "rose" if after >= before else "fell"
    return f"{verb} from {amount(before, unit)} to {amount(after, unit)}"


def listed(names: list[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and 4 more`."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def _short(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    text = f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"
    return f"{float(text):g}" if "e" in text else text


def _bytes(value: float) -> str:
    size, index = value, 0
    while abs(size) >= 1000 and index < len(_BYTES) - 1:
        size, index = size / 1000, index + 1
    return f"{_short(size)} {_BYTES[index]}"
