"""The share of outages that had something behind them within a time, on a scale of powers. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import timedelta

from unrepeat.postmortems.charts._axes import n, picture
from unrepeat.postmortems.charts._labels import width as text_width
from unrepeat.postmortems.plain import xml
from unrepeat.prevention.insights import Times
from unrepeat.support import words

TICKS = (
    (1, "1 s"),
    (10, "10 s"),
    (60, "1 min"),
    (600, "10 min"),
    (3600, "1 h"),
    (21600, "6 h"),
    (86400, "1 d"),
    (604800, "7 d"),
)
MARKS = ((0.5, "half"), (0.9, "nine in ten"))
Scale = Callable[[float], float]
MOST_POINTS = 200
HIGH, TOP, FOOT = 190.0, 16.0, 24.0


def within(times: Times, wide: float) -> str:
    """The curve of one time, with the time of half and of nine in ten of the outages marked."""
    seconds = times.seconds
    low, high = _bounds(seconds)
    left, right, bottom = 40.0, wide - 12, HIGH - FOOT
    span = math.log10(high) - math.log10(low)

    def x(value: float) -> float:
        return left + (right - left) * (math.log10(min(max(value, low), high)) - math.log10(low)) / span

    def y(share: float) -> float:
        return bottom - (bottom - TOP) * share

    drawn = []
    for share, said in ((0.0, "0"), (0.5, "50 %"), (1.0, "100 %")):
        look = "axis" if not share else "grid"
        drawn.append(f'<line class="{look}" x1="{n(left)}" x2="{n(right)}" y1="{n(y(share))}" y2="{n(y(share))}"/>')
        drawn.append(f'<text class="tick" x="{n(left - 5)}" y="{n(y(share) + 4)}" text-anchor="end">{said}</text>')
    last = -100.0
    for value, said in TICKS:
        if low <= value <= high and x(value) - last > text_width(said) + 10:
            last = x(value)
            anchor = "start" if last < left + 12 else "end" if last > right - 14 else "middle"
            drawn.append(f'<line class="grid" x1="{n(last)}" x2="{n(last)}" y1="{n(TOP)}" y2="{n(bottom)}"/>')
            drawn.append(f'<text class="tick" x="{n(last)}" y="{n(bottom + 15)}" text-anchor="{anchor}">{said}</text>')
    points = _points(seconds)
    path = f"M{n(x(points[0][0]))},{n(y(0))} " + " ".join(
        f"V{n(y(share))} H{n(x(following))}"
        for (_, share), (following, _) in zip(points, [*points[1:], (high, 1.0)], strict=True)
    )
    drawn.append(f'<path class="curve" d="{path}"/>')
    for share, _ in MARKS:
        drawn += _mark(times, share, x, y, right)
    return picture(f"within-{times.name}", (wide, HIGH), times.title, described(times), drawn)


def described(times: Times) -> str:
    """The curve in one sentence."""
    if not times.seconds:
        return "Of no outage is this known yet."
    parts = [
        f"{name}{' of the outages' if share < 0.9 else ''} within {words.span(timedelta(seconds=times.quantile(share) or 0))}"
        for share, name in MARKS
    ]
    return f"{parts[0][0].upper()}{parts[0][1:]}, {parts[1]}."


def _mark(times: Times, share: float, x: Scale, y: Scale, right: float) -> list[str]:
    value = times.quantile(share) or 0
    at, up = x(value), y(share)
    said = words.span(timedelta(seconds=value))
    before = at + 8 + text_width(said) > right
    return [
        f'<circle class="peak" cx="{n(at)}" cy="{n(up)}" r="3.5"/>',
        f'<text class="value" x="{n(at - 8 if before else at + 8)}" y="{n(up + (-6 if before else 13))}" text-anchor="{"end" if before else "start"}">{xml(said)}</text>',
    ]


def _bounds(seconds: Sequence[int]) -> tuple[float, float]:
    lowest, highest = max(1, seconds[0]), max(2, seconds[-1])
    below = max([value for value, _ in TICKS if value <= lowest], default=1)
    above = min([value for value, _ in TICKS if value >= highest], default=highest)
    return float(below), float(max(above, below * 10))


def _points(seconds: Sequence[int]) -> list[tuple[float, float]]:
    """Value and share at or below it; of many, some at even shares."""
    count = len(seconds)
    step = max(1, count // MOST_POINTS)
    places = sorted({*range(step - 1, count, step), count - 1})
    return [(float(seconds[i]), (i + 1) / count) for i in places]
