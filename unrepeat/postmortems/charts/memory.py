"""Figure: resident memory of the guilty service over the outage, with the moments that matter marked. Data in, SVG text out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from unrepeat.postmortems import measured, times
from unrepeat.postmortems.charts._axes import TimeAxis, n, picture, time_axis, value_ticks
from unrepeat.postmortems.charts._labels import Placed, above
from unrepeat.postmortems.charts._labels import width as text_width
from unrepeat.postmortems.charts._shapes import shape, words
from unrepeat.postmortems.report import Facts, Figure, MemoryFact
from unrepeat.support.words import zone_name

NAME = "memory"
ORDER = 1
MOST_LINES = 8  # processes, the largest first
Points = list[tuple[float, float]]
Mark = tuple[datetime, str, str]  # when, words, shape


def figure(facts: Facts, results: measured.Results) -> Figure:
    """The figure, or the reason why there is none."""
    memory = facts.memory
    if memory is None:
        who = ", ".join(s.name for s in facts.guilty) or ", ".join(facts.services) or "the service"
        reasons = [reason for title, reason in facts.missing if "memory" in title.casefold()]
        why = reasons[-1] if reasons else "no metrics were at hand when the incident resolved"
        return Figure(NAME, f"Memory of {who}", "", missing=f"Not measured: {why}")
    data = results[memory.digest]
    title = f"Memory of {memory.service} over the outage"
    caption = (
        f"Resident memory of {memory.service}, one point every {_every(memory.step)}, {zone_name(facts.started_at, facts.zone)}."
        + _processes(memory.series)
    )
    source = next((f"{e.source}: {e.query}" for e in facts.evidence if e.digest == memory.digest), "")
    wide, narrow = (draw(facts, memory, data, width) for width in (660, 340))
    return Figure(NAME, title, caption, source, wide, narrow, alt=_described(facts, memory))


def draw(facts: Facts, memory: MemoryFact, data: measured.Data, width: float) -> str:
    """The picture at a width in pixels; bytes in decimal MB or GB, gaps in the data stay gaps."""
    marks, points, step = _marks(facts), measured.largest(data), measured.step_of(data)
    left, right = (58.0, width - 16) if width > 500 else (54.0, width - 10)
    ends = [points[0][0], points[-1][0], facts.started_at.timestamp(), *_end(facts)]
    axis = TimeAxis(min(ends), max(ends), left, right, facts.zone)
    shown = _together([m for m in marks if axis.holds(m[0])], axis)
    placed = above([(axis.x(at), text) for at, text, _ in shown], 4, width - 4)
    rows = max((p.row for p in placed), default=0) + 1
    top = 14 + 15 * rows + 12
    bottom = top + (196 if width > 500 else 168)
    unit, factor = ("GB", 1e9) if memory.peak >= 2e9 else ("MB", 1e6)
    ticks = value_ticks(memory.peak / factor * 1.04)
    height_of = (bottom - top) / ticks[-1]

    def y(value: float) -> float:
        return bottom - value / factor * height_of

    drawn = [_outage(facts, axis, top, bottom), *_values(ticks, unit, axis, bottom, height_of)]
    drawn += time_axis(axis, top, bottom, room=82 if width > 500 else 66)
    drawn += [_area(run, axis, y, bottom) for run in _runs(points, step)]
    drawn += [_curve(run, axis, y) for line in measured.lines(data)[:MOST_LINES] for run in _runs(line, step)]
    drawn += _moments(shown, placed, axis, top, bottom)
    drawn += _peak(memory, axis, y(memory.peak), [axis.x(at) for at, _, _ in shown])
    return picture(
        NAME, (width, bottom + 44), f"Memory of {memory.service} over the outage", _described(facts, memory), drawn
    )


def _marks(facts: Facts) -> list[Mark]:
    marks: list[Mark] = [(facts.started_at, "start", "alert")]
    if facts.trigger:
        marks.append((facts.trigger.at, facts.trigger.name, "change"))
    if facts.detected_at:
        marks.append((facts.detected_at, "detected", "alert"))
    if facts.patch:
        marks.append((facts.patch.at, f"patched: {facts.patch.version or facts.patch.name}", "change"))
    elif facts.mitigated_at:
        marks.append((facts.mitigated_at, "mitigated", "verified"))
    if facts.resolved_at:
        marks.append((facts.resolved_at, "resolved", "verified"))
    return sorted(marks, key=lambda mark: mark[0])


def _together(marks: list[Mark], axis: TimeAxis) -> list[Mark]:
    """Marks at one place (closer than 3 pixels) share a line and its words."""
    joined: list[Mark] = []
    for at, text, kind in marks:
        if joined and axis.x(at) - axis.x(joined[-1][0]) < 3:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]}, {text}", joined[-1][2])
        else:
            joined.append((at, text, kind))
    return joined


def _end(facts: Facts) -> list[float]:
    return [facts.resolved_at.timestamp()] if facts.resolved_at else []


def _outage(facts: Facts, axis: TimeAxis, top: float, bottom: float) -> str:
    start = axis.x(facts.started_at)
    end = axis.x(facts.resolved_at) if facts.resolved_at else axis.right
    return (
        f'<rect class="outage" x="{n(start)}" y="{n(top)}" width="{n(max(end - start, 1))}" height="{n(bottom - top)}"'
        ' fill="#fbe9e7" fill-opacity="0.6"/>'
    )


def _values(ticks: list[float], unit: str, axis: TimeAxis, bottom: float, height_of: float) -> list[str]:
    drawn = []
    for value in ticks:
        y = bottom - value * height_of
        look = "axis" if value == 0 else "grid"
        drawn.append(
            f'<line class="{look}" x1="{n(axis.left)}" x2="{n(axis.right)}" y1="{n(y)}" y2="{n(y)}" stroke="#e4e1d9"/>'
        )
        said = f"{value:g} {unit}" if value else "0"
        drawn.append(words(said, axis.left - 7, y + 4, anchor="end", look="tick"))
    return drawn


def _runs(points: Points, step: float) -> list[Points]:
    """The points, broken where more than two steps are without data."""
    runs: list[Points] = []
    for at, value in points:
        if runs and at - runs[-1][-1][0] <= max(step * 2.5, 1):
            runs[-1].append((at, value))
        else:
            runs.append([(at, value)])
    return runs


def _path(run: Points, axis: TimeAxis, y: Callable[[float], float]) -> str:
    return "M" + " ".join(f"{n(axis.x(at))},{n(y(value))}" for at, value in run)


def _area(run: Points, axis: TimeAxis, y: Callable[[float], float], bottom: float) -> str:
    first, last = axis.x(run[0][0]), axis.x(run[-1][0])
    outline = f"{_path(run, axis, y)} L{n(last)},{n(bottom)} {n(first)},{n(bottom)}z"
    return f'<path class="area" d="{outline}" fill="#1f5eff" fill-opacity="0.1"/>'


def _curve(run: Points, axis: TimeAxis, y: Callable[[float], float]) -> str:
    return f'<path class="curve" d="{_path(run, axis, y)}" fill="none" stroke="#1f5eff" stroke-width="2"/>'


def _moments(shown: list[Mark], placed: list[Placed], axis: TimeAxis, top: float, bottom: float) -> list[str]:
    drawn = []
    for (at, _, kind), place in zip(shown, placed, strict=True):
        x = axis.x(at)
        base = top - 14 - 15 * place.row
        side = 1 if place.side == "right" else -1
        drawn.append(
            f'<line class="moment" x1="{n(x)}" x2="{n(x)}" y1="{n(base - 9)}" y2="{n(bottom)}" stroke="#1b1d21" stroke-dasharray="3 3"/>'
        )
        drawn.append(words(place.text, x + side * 4, base, anchor="start" if side > 0 else "end", look="label strong"))
        drawn.append(shape(kind, x, top - 3, role="patch" if "patched" in place.text else ""))
    return drawn


def _peak(memory: MemoryFact, axis: TimeAxis, y: float, lines: list[float]) -> list[str]:
    """The highest point and its value, on a side where no vertical line runs through the words."""
    x, said = axis.x(memory.peak_at), measured.size(memory.peak)
    long = text_width(said) + 9
    sides = [(x - long, x - 7, "end"), (x + 7, x + long, "start")]
    free = [
        s
        for s in sides
        if s[0] > axis.left and s[1] < axis.right and not any(s[0] - 2 < line < s[1] + 2 for line in lines)
    ]
    start, end, anchor = (free or [s for s in sides if s[0] > axis.left] or sides)[0]
    return [
        f'<circle class="peak" cx="{n(x)}" cy="{n(y)}" r="3" fill="#1f5eff"/>',
        words(said, end if anchor == "end" else start, y - 5, anchor=anchor, look="label value"),
    ]


def _described(facts: Facts, memory: MemoryFact) -> str:
    marks = "; ".join(f"{text} at {times.clock(at, facts)}" for at, text, _ in _marks(facts))
    zone = zone_name(facts.started_at, facts.zone)
    return (
        f"Line chart of the resident memory of {memory.service} over time ({zone}). {measured.size(memory.first)} at {times.clock(memory.first_at, facts)},"
        f" highest {measured.size(memory.peak)} at {times.clock(memory.peak_at, facts)},"
        f" {measured.size(memory.last)} at {times.clock(memory.last_at, facts)}. Marked: {marks}."
    )


def _processes(count: int) -> str:
    if count <= 1:
        return ""
    drawn = f"its {count}" if count <= MOST_LINES else f"the {MOST_LINES} largest of its {count}"
    return f" A line each for {drawn} processes."


def _every(step: int) -> str:
    if step < 60:
        return f"{step} s" if step != 1 else "second"
    minutes = step / 60
    return "minute" if minutes == 1 else f"{minutes:g} min"
