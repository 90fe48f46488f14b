"""Figure: who was hurt over time, as shares: users slowed, and attempts at the business step lost. Data in, SVG text out."""

from __future__ import annotations

from unrepeat.postmortems import hurt, measured, times
from unrepeat.postmortems.charts._axes import TimeAxis, n, picture, time_axis, value_ticks
from unrepeat.postmortems.charts._labels import above, fit
from unrepeat.postmortems.charts._labels import width as text_width
from unrepeat.postmortems.charts._moments import Points, end, marks, moments, outage, path, runs, together
from unrepeat.postmortems.charts._shapes import words
from unrepeat.postmortems.hurt import OverTime
from unrepeat.postmortems.report import Facts, Figure, ImpactFact
from unrepeat.support.shares import percent
from unrepeat.support.words import span, zone_name

NAME = "impact"
ORDER = 1
TITLE = "Who was hurt"
COLOURS = {"slowed": "#8a5a00", "lost": "#b3261e"}


def figure(facts: Facts, results: measured.Results) -> Figure:
    """The figure, or the reason why there is none."""
    impact = facts.impact
    if impact is None:
        return Figure(NAME, TITLE, "", missing=f"Not measured: {facts.impact_missing}")
    lines = hurt.over_time(results.get(impact.digest, {}))
    if not lines.slowed:
        return Figure(NAME, TITLE, "", missing="Not drawn: the counts over time are not at hand")
    each = f"Each point counts the {span(times.seconds(lines.around))} around it"
    caption = (
        f"{TITLE}: the share of users who met a request over {impact.slow_seconds:g} s ({impact.slow_source})"
        f"{f', and of those who tried {impact.step} the share who never succeeded (dashed)' if lines.lost else ''}."
        f" {each}, {zone_name(facts.started_at, facts.zone)}. The shaded part is the outage."
    )
    wide, narrow = (draw(facts, impact, lines, width) for width in (660, 340))
    return Figure(NAME, TITLE, caption, impact.source, wide, narrow, alt=_described(facts, impact, lines))


def draw(facts: Facts, impact: ImpactFact, lines: OverTime, width: float) -> str:
    """The picture at a width in pixels; shares from 0 to at most 100 %."""
    wide = width > 500
    left, right = (58.0, width - 16) if wide else (46.0, width - 10)
    ends = [lines.slowed[0][0], lines.slowed[-1][0], facts.started_at.timestamp(), *end(facts)]
    axis = TimeAxis(min(ends), max(ends), left, right, facts.zone)
    shown = together([mark for mark in marks(facts) if axis.holds(mark[0])], axis)
    placed = above([(axis.x(at), text) for at, text, _ in shown], 4, width - 4)
    top = 14 + 15 * (max((p.row for p in placed), default=0) + 1) + 12
    bottom = top + (132 if wide else 120)
    highest = max([share for _, share in [*lines.slowed, *lines.lost]] or [0.0]) * 100
    ticks = value_ticks(min(100.0, max(highest * 1.04, 5.0)), 4)
    scale = (bottom - top) / ticks[-1] * 100
    drawn = [outage(facts, axis, top, bottom), *_values(ticks, axis, bottom, scale / 100)]
    drawn += time_axis(axis, top, bottom, room=82 if wide else 66)
    for look, points in (("slowed", lines.slowed), ("lost", lines.lost)):
        for run in runs(points, lines.step):
            drawn += _line(run, axis, bottom, scale, look)
    drawn += moments(shown, placed, axis, top, bottom)
    row = bottom + (33 if wide else 50)
    drawn += _legend(impact, lines, left, row, right - left - (140 if wide else 0))
    return picture(NAME, (width, row + 11), TITLE, _described(facts, impact, lines), drawn)


def _values(ticks: list[float], axis: TimeAxis, bottom: float, height_of: float) -> list[str]:
    drawn = []
    for value in ticks:
        y = bottom - value * height_of
        look = "grid" if value else "axis"
        drawn.append(
            f'<line class="{look}" x1="{n(axis.left)}" x2="{n(axis.right)}" y1="{n(y)}" y2="{n(y)}" stroke="#e4e1d9"/>'
        )
        drawn.append(words(f"{value:g} %" if value else "0", axis.left - 7, y + 4, anchor="end", look="tick"))
    return drawn


def _line(run: Points, axis: TimeAxis, bottom: float, scale: float, look: str) -> list[str]:
    line = path(run, axis, lambda share: bottom - share * scale)
    closed = f"{line} L{n(axis.x(run[-1][0]))},{n(bottom)} {n(axis.x(run[0][0]))},{n(bottom)}z"
    return [
        f'<path class="harm-area {look}" d="{closed}" fill="{COLOURS[look]}" fill-opacity="0.2"/>',
        f'<path class="harm-line {look}" d="{line}" fill="none" stroke="{COLOURS[look]}" stroke-width="1.6"{_dash(look)}/>',
    ]


def _dash(look: str) -> str:
    return ' stroke-dasharray="5 2"' if look == "lost" else ""


def _legend(impact: ImpactFact, lines: OverTime, x: float, y: float, room: float) -> list[str]:
    """Which line is which, below the axis."""
    drawn = []
    names = [("slowed", "users slowed")] + ([("lost", f"{impact.step} lost")] if lines.lost else [])
    for look, name in names:
        said = fit(name, room / len(names) - 26)
        drawn.append(
            f'<line class="harm-line {look}" x1="{n(x)}" x2="{n(x + 17)}" y1="{n(y - 4)}" y2="{n(y - 4)}" stroke="{COLOURS[look]}"'
            f' stroke-width="2"{_dash(look)}/>'
        )
        drawn.append(words(said, x + 22, y))
        x += 22 + text_width(said) + 14
    return drawn


def _described(facts: Facts, impact: ImpactFact, lines: OverTime) -> str:
    said = [
        f"Share of users slowed over time ({zone_name(facts.started_at, facts.zone)}): {_highest(facts, lines.slowed)}"
    ]
    if lines.lost:
        said.append(f"Share of those who tried {impact.step} and never succeeded: {_highest(facts, lines.lost)}")
    marked = "; ".join(f"{text} at {times.when(at, facts)}" for at, text, _ in marks(facts))
    return f"{'. '.join(said)}. {hurt.harm(facts, impact)} Marked: {marked}."


def _highest(facts: Facts, points: Points) -> str:
    at, share = max(points, key=lambda point: (point[1], -point[0]))
    return f"highest {percent(round(share * 1000), 1000)} at {times.when(times.moment(at), facts)}"
