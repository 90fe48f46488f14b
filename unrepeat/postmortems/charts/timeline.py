"""Figure: the timeline to scale, in lanes: alerts, changes, people, suspects. Facts in, SVG text out."""

from __future__ import annotations

from datetime import datetime

from unrepeat.postmortems import measured, times
from unrepeat.postmortems.charts._axes import TimeAxis, n, picture, time_axis
from unrepeat.postmortems.charts._labels import fit, pack
from unrepeat.postmortems.charts._labels import width as text_width
from unrepeat.postmortems.charts._moments import outage
from unrepeat.postmortems.charts._shapes import shape, words
from unrepeat.postmortems.report import Facts, Figure, Line
from unrepeat.support.words import zone_name

NAME = "timeline"
ORDER = 3
MOST_ALERTS, MOST_SUSPECTS = 5, 8
MOST_NAMED = 16  # marks with words in a lane
ROW = 21.0  # pixels
LABELLED = ("page", "verified", "alert")  # marks of people that carry words; notes are dots


def figure(facts: Facts, results: measured.Results) -> Figure:
    """The figure; there is always one, since a draft has at least a beginning."""
    del results
    wide, narrow = (draw(facts, width) for width in (660, 340))
    start, _ = _bounds(facts)
    hidden = sum(line.at.timestamp() < start for line in facts.timeline)
    early = f" {hidden} earlier {'entry is' if hidden == 1 else 'entries are'} left out here." if hidden else ""
    caption = f"The timeline to scale, {zone_name(facts.started_at, facts.zone)}. The shaded part is the outage; a dot is a person's note.{early}"
    return Figure(
        NAME,
        "The timeline to scale",
        caption,
        f"log of incident {facts.incident}, entries 1 to {facts.last_seq}",
        wide,
        narrow,
        alt="Alerts, changes, people and suspects in lanes over one time axis; all that it shows stands in the Timeline, in words.",
    )


def draw(facts: Facts, width: float) -> str:
    """The picture at a width in pixels. Where it is narrow the names of the lanes stand above them."""
    wide = width > 500
    start, end = _bounds(facts)
    axis = TimeAxis(start, end, 92.0 if wide else 14.0, width - (18 if wide else 14), facts.zone)
    top, y = 16.0, 24.0
    drawn: list[str] = []
    for name, rows in (
        ("Alerts", _alerts(facts, axis)),
        ("Changes", _points(facts, axis, "changes")),
        ("People", _points(facts, axis, "people")),
        ("Suspects", _suspects(facts, axis)),
    ):
        if not rows:
            continue
        if drawn:
            y += 7
            drawn.append(
                f'<line class="lane" x1="{n(8)}" x2="{n(width - 8)}" y1="{n(y - 3)}" y2="{n(y - 3)}" stroke="#e4e1d9"/>'
            )
        drawn.append(words(name, 14, y + 13, look="label strong"))
        if not wide:
            y += 18
        for row in rows:
            drawn.append(f'<g transform="translate(0 {n(y)})">{"".join(row)}</g>')
            y += ROW
    bottom = y + 4
    behind = [outage(facts, axis, top, bottom), *time_axis(axis, top, bottom, room=82 if wide else 66)]
    return picture(NAME, (width, bottom + 44), "The timeline to scale", _described(facts), behind + drawn)


def _bounds(facts: Facts) -> tuple[float, float]:
    """From a little before the first thing that matters to a little after the end (unix seconds)."""
    start = facts.started_at.timestamp()
    end = max(
        [facts.resolved_at.timestamp()]
        if facts.resolved_at
        else [line.at.timestamp() for line in facts.timeline] + [start + 60]
    )
    length = max(end - start, 60.0)
    reach = start - max(3600.0 if length > 1200 else length, length / 2)
    if facts.trigger and start - facts.trigger.at.timestamp() < length * 6:
        reach = min(reach, facts.trigger.at.timestamp())
    early = [line.at.timestamp() for line in facts.timeline if line.at.timestamp() >= reach]
    late = [line.at.timestamp() for line in facts.timeline if line.at.timestamp() <= end + length]
    first, last = min([start, *early]), max([end, *late])
    pad = (last - first) * 0.03
    return first - pad, last + pad


def _bar(start: float, end: float, look: str, colour: str) -> str:
    return (
        f'<line class="bar {look}" x1="{n(start)}" x2="{n(max(end, start + 1))}" y1="9" y2="9" stroke="{colour}"'
        ' stroke-opacity="0.35" stroke-width="5"/>'
    )


def _alerts(facts: Facts, axis: TimeAxis) -> list[list[str]]:
    rows = []
    for alert in facts.alerts[:MOST_ALERTS]:
        start = axis.x(alert.fired_at)
        end = axis.x(alert.resolved_at) if alert.resolved_at else axis.right
        said = f"{alert.name} · {alert.service}" if alert.service else alert.name
        said += f" ({alert.count} times)" if alert.count > 1 else ""
        said = fit(said, axis.right - axis.left - 12)
        x = min(start + 9, axis.right - text_width(said))
        rows.append([_text(said, x)])
        rows.append(
            [_bar(start, end, "alert", "#b3261e"), shape("alert", start, 9, _hint(facts, said, alert.fired_at))]
        )
    if len(facts.alerts) > MOST_ALERTS:
        rows.append([_text(f"and {len(facts.alerts) - MOST_ALERTS} other alerts", axis.left)])
    return rows


def _points(facts: Facts, axis: TimeAxis, lane: str) -> list[list[str]]:
    lines, left_out = _thinned([line for line in facts.timeline if line.lane == lane and axis.holds(line.at)], axis)
    if not lines:
        return []
    items = [(axis.x(line.at), _label(line)) for line in lines]
    placed = pack(items, axis.left - 8, axis.right + 10)
    rows: list[list[str]] = [[] for _ in range(max(p.row for p in placed) + 1)]
    for line, (x, _), place in zip(lines, items, placed, strict=True):
        rows[place.row].append(shape(line.mark, x, 9, _hint(facts, f"{line.key} {line.said}", line.at), line.role))
        if place.text:
            side = 1 if place.side == "right" else -1
            look = "label strong" if line.role else "label"
            rows[place.row].append(_text(place.text, x + side * 9, "start" if side > 0 else "end", look))
    if left_out:
        rows.append([_text(f"and {left_out} others", axis.left)])
    return rows


def _thinned(lines: list[Line], axis: TimeAxis) -> tuple[list[Line], int]:
    """What a lane shows: dots at one place are one dot; of many marks with words, those with a role and the first ones. And how many are not shown."""
    kept: list[Line] = []
    dot, named, left_out = -100.0, 0, 0
    for line in lines:
        if not _label(line):
            if axis.x(line.at) - dot < 3:
                continue
            dot = axis.x(line.at)
        elif named >= MOST_NAMED and not line.role:
            left_out += 1
            continue
        else:
            named += 1
        kept.append(line)
    return kept, left_out


def _label(line: Line) -> str:
    if line.lane == "changes":
        return line.key
    if line.mark not in LABELLED:
        return ""
    return {"Escalated": line.said.removeprefix("to "), "Mitigated": "mitigated", "Resolved": "resolved"}.get(
        line.key, line.key
    )


def _suspects(facts: Facts, axis: TimeAxis) -> list[list[str]]:
    rows = []
    order = {"guilty": 0, "suspect": 1, "cleared": 2}
    chosen = sorted(facts.suspects, key=lambda s: (order[s.verdict], s.raised_at))[:MOST_SUSPECTS]
    for suspect in sorted(chosen, key=lambda s: s.raised_at):
        start, end = axis.x(suspect.raised_at), axis.x(suspect.decided_at)
        word = {"guilty": "guilty", "cleared": "cleared", "suspect": "suspect"}[suspect.verdict]
        row = [_bar(start, end, suspect.verdict, "#8a919c")] if end - start > 1 else []
        if end - start > 10:
            row.append(
                shape("suspect", start, 9, _hint(facts, f"{suspect.name} raised as a suspect", suspect.raised_at))
            )
        row.append(shape(suspect.verdict, end, 9, _hint(facts, f"{suspect.name} {word}", suspect.decided_at)))
        said = f"{suspect.name} · {word}"
        rows.append([*row, *_beside(said, start, end, axis)])
    if len(facts.suspects) > len(chosen):
        rows.append([_text(f"and {len(facts.suspects) - len(chosen)} others", axis.left)])
    return rows


def _beside(said: str, start: float, end: float, axis: TimeAxis) -> list[str]:
    """Words right of the bar when they fit there, else left of it, else cut on the roomier side."""
    right, left = axis.right + 8 - end - 10, start - axis.left - 10
    if text_width(said) <= right or right >= left:
        return [_text(fit(said, right), end + 10)]
    return [_text(fit(said, left), start - 10, "end")]


def _text(said: str, x: float, anchor: str = "start", look: str = "label") -> str:
    return words(said, x, 13, anchor=anchor, look=look)


def _hint(facts: Facts, said: str, at: datetime) -> str:
    return f"{times.clock(at, facts)} {said}"


def _described(facts: Facts) -> str:
    said = [f"{times.clock(line.at, facts)} {line.key} {line.said}".strip() for line in facts.timeline[:40]]
    return f"{len(facts.timeline)} entries from {times.window(facts)[5:]}. " + "; ".join(said) + "."
