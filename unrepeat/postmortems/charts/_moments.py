"""What the figures over time share: the moments that matter as vertical lines, the outage as a shade, lines with gaps. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from unrepeat.postmortems.charts._axes import TimeAxis, n
from unrepeat.postmortems.charts._labels import Placed
from unrepeat.postmortems.charts._shapes import shape, words
from unrepeat.postmortems.report import Facts

Points = list[tuple[float, float]]
Mark = tuple[datetime, str, str]  # when, words, shape


def marks(facts: Facts) -> list[Mark]:
    """Start, the change that brought it, detected, patched, resolved: those that there are."""
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


def together(marks: list[Mark], axis: TimeAxis) -> list[Mark]:
    """Marks at one place (closer than 3 pixels) share a line and its words."""
    joined: list[Mark] = []
    for at, text, kind in marks:
        if joined and axis.x(at) - axis.x(joined[-1][0]) < 3:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]}, {text}", joined[-1][2])
        else:
            joined.append((at, text, kind))
    return joined


def end(facts: Facts) -> list[float]:
    """When it was over (unix seconds), if it is."""
    return [facts.resolved_at.timestamp()] if facts.resolved_at else []


def outage(facts: Facts, axis: TimeAxis, top: float, bottom: float) -> str:
    """The outage as a shade behind all else."""
    start = axis.x(facts.started_at)
    end = axis.x(facts.resolved_at) if facts.resolved_at else axis.right
    return (
        f'<rect class="outage" x="{n(start)}" y="{n(top)}" width="{n(max(end - start, 1))}" height="{n(bottom - top)}"'
        ' fill="#fbe9e7" fill-opacity="0.6"/>'
    )


def runs(points: Points, step: float) -> list[Points]:
    """The points, broken where more than two steps are without data."""
    runs: list[Points] = []
    for at, value in points:
        if runs and at - runs[-1][-1][0] <= max(step * 2.5, 1):
            runs[-1].append((at, value))
        else:
            runs.append([(at, value)])
    return runs


def path(run: Points, axis: TimeAxis, y: Callable[[float], float]) -> str:
    """A line as SVG path data."""
    return "M" + " ".join(f"{n(axis.x(at))},{n(y(value))}" for at, value in run)


def moments(shown: list[Mark], placed: list[Placed], axis: TimeAxis, top: float, bottom: float) -> list[str]:
    """The vertical lines, with a shape and words above each."""
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
