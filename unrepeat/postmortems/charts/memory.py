"""Figure: resident memory of the guilty service over the outage, with the moments that matter marked. Data in, SVG text out."""

from __future__ import annotations

from collections.abc import Callable

from unrepeat.postmortems import measured, times
from unrepeat.postmortems.charts._axes import TimeAxis, n, picture, time_axis, value_ticks
from unrepeat.postmortems.charts._labels import above
from unrepeat.postmortems.charts._labels import width as text_width
from unrepeat.postmortems.charts._moments import Points, end, marks, moments, outage, path, runs, together
from unrepeat.postmortems.charts._shapes import words
from unrepeat.postmortems.report import Facts, Figure, MemoryFact
from unrepeat.support.words import zone_name

NAME = "memory"
ORDER = 2
MOST_LINES = 8  # processes, the largest first


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
    shown_marks, points, step = marks(facts), measured.largest(data), measured.step_of(data)
    left, right = (58.0, width - 16) if width > 500 else (54.0, width - 10)
    ends = [points[0][0], points[-1][0], facts.started_at.timestamp(), *end(facts)]
    axis = TimeAxis(min(ends), max(ends), left, right, facts.zone)
    shown = together([m for m in shown_marks if axis.holds(m[0])], axis)
    placed = above([(axis.x(at), text) for at, text, _ in shown], 4, width - 4)
    rows = max((p.row for p in placed), default=0) + 1
    top = 14 + 15 * rows + 12
    bottom = top + (196 if width > 500 else 168)
    unit, factor = ("GB", 1e9) if memory.peak >= 2e9 else ("MB", 1e6)
    ticks = value_ticks(memory.peak / factor * 1.04)
    height_of = (bottom - top) / ticks[-1]

    def y(value: float) -> float:
        return bottom - value / factor * height_of

    drawn = [outage(facts, axis, top, bottom), *_values(ticks, unit, axis, bottom, height_of)]
    drawn += time_axis(axis, top, bottom, room=82 if width > 500 else 66)
    drawn += [_area(run, axis, y, bottom) for run in runs(points, step)]
    drawn += [_curve(run, axis, y) for line in measured.lines(data)[:MOST_LINES] for run in runs(line, step)]
    drawn += moments(shown, placed, axis, top, bottom)
    drawn += _peak(memory, axis, y(memory.peak), [axis.x(at) for at, _, _ in shown])
    return picture(
        NAME, (width, bottom + 44), f"Memory of {memory.service} over the outage", _described(facts, memory), drawn
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


def _area(run: Points, axis: TimeAxis, y: Callable[[float], float], bottom: float) -> str:
    first, last = axis.x(run[0][0]), axis.x(run[-1][0])
    outline = f"{path(run, axis, y)} L{n(last)},{n(bottom)} {n(first)},{n(bottom)}z"
    return f'<path class="area" d="{outline}" fill="#1f5eff" fill-opacity="0.1"/>'


def _curve(run: Points, axis: TimeAxis, y: Callable[[float], float]) -> str:
    return f'<path class="curve" d="{path(run, axis, y)}" fill="none" stroke="#1f5eff" stroke-width="2"/>'


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
    marked = "; ".join(f"{text} at {times.when(at, facts)}" for at, text, _ in marks(facts))
    zone = zone_name(facts.started_at, facts.zone)
    return (
        f"Line chart of the resident memory of {memory.service} over time ({zone}). {measured.size(memory.first)} at {times.when(memory.first_at, facts)},"
        f" highest {measured.size(memory.peak)} at {times.when(memory.peak_at, facts)},"
        f" {measured.size(memory.last)} at {times.when(memory.last_at, facts)}. Marked: {marked}."
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
