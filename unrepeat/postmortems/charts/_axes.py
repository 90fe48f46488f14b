"""Scales and ticks shared by the charts. Pure; byte-stable: the same data gives the same text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from unrepeat.postmortems.plain import xml

_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)


def n(value: float) -> str:
    """A coordinate: at most one digit after the point."""
    text = f"{value:.1f}"
    return text.removesuffix(".0").replace("-0", "0", 1) if text in ("-0.0", "-0") else text.removesuffix(".0")


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Unix seconds `start` to `end` onto pixels `left` to `right`, told in `zone` (IANA)."""

    start: float
    end: float
    left: float
    right: float
    zone: str = "UTC"

    def x(self, at: datetime | float) -> float:
        """Where a moment lies, kept inside the axis."""
        seconds = at if isinstance(at, int | float) else at.timestamp()
        share = (seconds - self.start) / max(self.end - self.start, 1e-9)
        return self.left + min(max(share, 0.0), 1.0) * (self.right - self.left)

    def holds(self, at: datetime) -> bool:
        """Whether a moment lies on the axis."""
        return self.start <= at.timestamp() <= self.end

    def local(self, seconds: float) -> datetime:
        """The moment, in the axis's zone."""
        return datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(self.zone))

    def ticks(self, room: float) -> list[tuple[float, str]]:
        """Round moments and their words, at least `room` pixels apart."""
        length = self.end - self.start
        most = max((self.right - self.left) / room, 1)
        step = next((s for s in _SECONDS if length / s <= most), math.ceil(length / most / 604800) * 604800)
        offset = self.local(self.start).utcoffset()
        shift = offset.total_seconds() if offset else 0.0
        first = math.ceil((self.start + shift) / step) * step - shift
        moments = [first + i * step for i in range(int((self.end - first) // step) + 1)] if first <= self.end else []
        shape = "%H:%M:%S" if step < 60 else "%H:%M" if step < 86400 else "%d %b"
        return [(at, f"{self.local(at):{shape}}") for at in moments]

    def name(self) -> str:
        """What stands below the axis: `UTC, 12 August 2024`, with both days when they differ."""
        first, last = self.local(self.start), self.local(self.end)
        days = [f"{day.day} {day:%B %Y}" for day in (first, last)]
        zones = list(dict.fromkeys(f"{day:%Z}" for day in (first, last)))
        return f"{'/'.join(zones)}, {' – '.join(dict.fromkeys(days))}"


def value_ticks(top: float, most: int = 5) -> list[float]:
    """Round values from 0 to at least `top`."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
    return [i * step for i in range(math.ceil(top / step - 1e-9) + 1)]


def time_axis(axis: TimeAxis, top: float, bottom: float, *, room: float) -> list[str]:
    """Vertical grid lines, their words, and the name of the zone and day below."""
    drawn = []
    for at, words in axis.ticks(room):
        x = axis.x(at)
        anchor = "start" if x < axis.left + 14 and axis.left < 20 else "end" if x > axis.right - 10 else "middle"
        drawn.append(f'<line class="grid" x1="{n(x)}" x2="{n(x)}" y1="{n(top)}" y2="{n(bottom)}" stroke="#e4e1d9"/>')
        drawn.append(f'<text class="tick" x="{n(x)}" y="{n(bottom + 16)}" text-anchor="{anchor}">{xml(words)}</text>')
    drawn.append(
        f'<text class="tick zone" x="{n(axis.right)}" y="{n(bottom + 33)}" text-anchor="end">{xml(axis.name())}</text>'
    )
    return drawn


def picture(name: str, size: tuple[float, float], title: str, description: str, drawn: list[str]) -> str:
    """The whole SVG, with its words for those who do not see it."""
    width, height = size
    ids = f"{name}-{n(width)}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="chart {name}" viewBox="0 0 {n(width)} {n(height)}" role="img"'
        f' aria-labelledby="{ids}-t {ids}-d" font-family="system-ui, sans-serif" font-size="11" fill="#5c6470">\n'
        f'<title id="{ids}-t">{xml(title)}</title>\n<desc id="{ids}-d">{xml(description)}</desc>\n'
        f'<rect class="sheet" width="{n(width)}" height="{n(height)}" fill="#ffffff"/>\n'
        + "\n".join(drawn)
        + "\n</svg>"
    )
