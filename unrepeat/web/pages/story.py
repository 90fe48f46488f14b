"""The story of an incident in one picture: harm, alerts, changes, suspects and people on one time axis, drawn to scale. Pure.

Made of numbers only; `pages/incident/_story.html` turns them into SVG attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from unrepeat.incidents import entries as e
from unrepeat.incidents.state import State
from unrepeat.postmortems.charts import runs
from unrepeat.postmortems.hurt import OverTime
from unrepeat.support import words

CHARACTER = 6.6  # width of a letter of the labels, in the drawing's units
HALF_A_TIME = 17.0  # half the width of `15:15`
BESIDE = 8.0  # shapes nearer than this stand one below the other, so that none hides another
CROWDED = 4.0  # notes nearer than this to the one before are not drawn
BAR = 22.0  # from one alert's bar to the next
SHORTEST = timedelta(minutes=10)  # that the picture shows, so that it has a time or two on it from the beginning
STEPS = [timedelta(minutes=m) for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]
MOST_BARS = 4  # alerts drawn one above the other


@dataclass(frozen=True, slots=True)
class Frame:
    """Where things stand in a drawing of this width: the axis runs from `left` to `right`; lane names beside it or above each lane."""

    width: float
    left: float
    right: float
    lane: float
    ticks: int
    names_above: bool = False


WIDE = Frame(1000, 96, 930, 34, 8)
NARROW = Frame(358, 6, 340, 44, 4, names_above=True)


@dataclass(frozen=True, slots=True)
class HarmLine:
    """A share over time as SVG path data: `line`, and the `area` under it. `look`: slowed or lost."""

    look: str
    line: str
    area: str


@dataclass(frozen=True, slots=True)
class HarmLane:
    """Who was hurt over time, from `foot` (nobody) up to `top` (`most` percent of them); `deep`: how much room it takes."""

    top: float
    foot: float
    most: int
    deep: float
    lines: list[HarmLine]


@dataclass(slots=True)
class Sign:
    """A shape on a lane. `label` stands right of it (`anchor` start) or left of it (end); empty when there is no room."""

    x: float
    y: float
    shape: str
    title: str
    label: str = ""
    label_x: float = 0.0
    anchor: str = "start"
    above: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time on a lane: an alert that fired."""

    x: float
    y: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the axis."""

    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A moment that all lanes share: detected, mitigated, resolved, now."""

    x: float
    label: str
    anchor: str
    soft: bool


@dataclass(slots=True)
class Story:
    """The picture: its size, the axis, the lanes and what is on them. `said` tells it in words."""

    frame: Frame
    height: float
    ticks: list[Tick]
    lanes: list[tuple[str, float]]
    flags: list[Flag]
    harm: HarmLane | None = None
    bars: list[Bar] = field(default_factory=list)
    signs: list[Sign] = field(default_factory=list)
    said: str = ""

    @property
    def foot(self) -> float:
        """Where the lines of the axis end, above the times."""
        return self.height - 16


def story(
    state: State, log: Sequence[e.Logged], now: datetime, frame: Frame = WIDE, over_time: OverTime | None = None
) -> Story | None:
    """The picture of an incident, or None when there is nothing to draw yet. `now` ends it while it goes on; `over_time`: who was hurt."""
    start = state.started_at or state.detected_at
    if start is None:
        return None
    end = state.resolved_at or max(now, state.last_at or now)
    axis = _Axis.around(start, end, [change.at for change in state.changes.values()], frame)
    rows = {alert: row for row, alert in enumerate(list(state.alerts)[:MOST_BARS])}
    harm = harm_lane(over_time, axis) if over_time else None
    lanes, y = [], (62.0 if frame.names_above else 52.0) + (harm.deep if harm else 0.0)
    for name, deep in (("Alerts", max(1, len(rows))), ("Changes", 1), ("Suspects", 1), ("People", 1)):
        lanes.append((name, y))
        y += frame.lane + (deep - 1) * BAR
    drawn = Story(frame, y + 8, axis.ticks(state.time_zone), lanes, _flags(state, axis, now, start), harm)
    at = dict(lanes)
    _draw_alerts(drawn, state, axis, end, rows)
    _draw_changes(drawn, state, axis, at["Changes"])
    _draw_people(drawn, log, axis, at["Suspects"], at["People"])
    if not drawn.signs and harm is None:
        return None  # nothing but the beginning: an empty picture says nothing
    _label(drawn)
    drawn.said = f"Who was hurt, {_said(state)}" if harm else _said(state)
    return drawn


@dataclass(frozen=True, slots=True)
class _Axis:
    start: datetime
    end: datetime
    frame: Frame

    @classmethod
    def around(cls, start: datetime, end: datetime, changes: list[datetime], frame: Frame) -> _Axis:
        """From a little before the first thing worth showing to the end, ten minutes at least; changes long before stay outside."""
        length = max(end - start, SHORTEST)
        reach = max(length, timedelta(hours=1))
        earliest = min([at for at in changes if at >= start - reach] + [start])
        return cls(earliest - length * 0.05, start + length * 1.01, frame)

    def x(self, at: datetime) -> float:
        share = (at - self.start) / (self.end - self.start)
        return round(self.frame.left + (self.frame.right - self.frame.left) * min(max(share, 0.0), 1.0), 1)

    def at(self, seconds: float) -> float:
        """Where a moment in unix seconds stands."""
        return self.x(datetime.fromtimestamp(seconds, UTC))

    def holds(self, at: datetime) -> bool:
        return self.start <= at <= self.end

    def ticks(self, zone: str) -> list[Tick]:
        """A few round times, told in the zone; days where the steps are days."""
        length = self.end - self.start
        step = next((step for step in STEPS if length / step <= self.frame.ticks), length / self.frame.ticks)
        local = words.in_zone(self.start, zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + step * (int((local - midnight) / step) + 1)
        made = []
        while at <= self.end:
            label = f"{at.day} {at:%b}" if step >= timedelta(days=1) else f"{at:%H:%M}"
            if self.x(at) >= HALF_A_TIME:  # a label must not be cut off at the edge
                made.append(Tick(self.x(at), label))
            at += step
        return made


def harm_lane(over_time: OverTime, axis: _Axis) -> HarmLane | None:
    """The lane, or None when nothing was counted in the time that the picture shows. Gaps in what was counted stay gaps."""
    begin, end = axis.start.timestamp(), axis.end.timestamp()
    shown = {
        look: [(at, share) for at, share in points if begin <= at <= end]
        for look, points in (("slowed", over_time.slowed), ("lost", over_time.lost))
    }
    highest = max([share for points in shown.values() for _, share in points], default=0.0)
    if not shown["slowed"]:
        return None
    most = next(most for most in (10, 25, 50, 100) if highest * 100 <= most)
    top, foot = (58.0, 118.0) if axis.frame.names_above else (34.0, 100.0)
    height = (foot - top) / most * 100
    lines = []
    for look, points in shown.items():
        for run in runs(points, over_time.step):
            line = " ".join(f"{axis.at(at):.1f},{foot - share * height:.1f}" for at, share in run)
            first, last = axis.at(run[0][0]), axis.at(run[-1][0])
            lines.append(HarmLine(look, f"M{line}", f"M{line} L{last:.1f},{foot:.1f} {first:.1f},{foot:.1f}z"))
    return HarmLane(top, foot, most, foot - top + (36.0 if axis.frame.names_above else 24.0), lines)


def _flags(state: State, axis: _Axis, now: datetime, start: datetime) -> list[Flag]:
    """The moments that all lanes share; each label right or left of its line, or left out where there is no room."""
    moments = [(start, "start", False)]
    if state.mitigated_at:
        moments.append((state.mitigated_at, "harm stopped", True))
    if state.resolved_at:
        moments.append((state.resolved_at, "resolved", True))
    elif state.is_open:
        moments.append((max(now, state.last_at or now), "now", True))
    made: list[Flag] = []
    taken: list[tuple[float, float]] = []  # what labels cover; the start's and the end's come before the one between
    for at, label, soft in sorted(moments, key=lambda one: one[1] == "harm stopped"):
        x, width = axis.x(at), len(label) * 7.2 + 6
        sides = [("start", x, x + width), ("end", x - width, x)]
        if label == "harm stopped":
            sides.reverse()
        free = [
            (anchor, begin, end)
            for anchor, begin, end in sides
            if begin >= 0 and end <= axis.frame.width and all(end <= left or begin >= right for left, right in taken)
        ]
        anchor, begin, end = free[0] if free else ("start", x, x)
        taken.append((begin, end))
        made.append(Flag(x, label if free else "", anchor, soft))
    return made


def _draw_alerts(drawn: Story, state: State, axis: _Axis, end: datetime, rows: dict[int, int]) -> None:
    y = dict(drawn.lanes)["Alerts"]
    for number, row in rows.items():
        alert, down = state.alerts[number], y + row * BAR
        x = axis.x(alert.fired_at)
        until = axis.x(alert.resolved_at or end)
        name = f"{alert.name} · {alert.service}" if alert.service else alert.name
        drawn.bars.append(Bar(x, down - 2, round(max(until - x, 2), 1), name))
        drawn.signs.append(Sign(x, down, "alert", name, name))


def _draw_changes(drawn: Story, state: State, axis: _Axis, y: float) -> None:
    guilty = {suspect.name for suspect in state.suspects.values() if suspect.verdict == "guilty"}
    for change in sorted(state.changes.values(), key=lambda one: one.at):
        if not axis.holds(change.at):
            continue
        name = (
            " ".join(part for part in (change.service, change.version) if part)
            or change.summary
            or f"change {change.change}"
        )
        mends = change.change == state.mitigating_change
        shape = "change mending" if mends else "change guilty" if name in guilty else "change"
        drawn.signs.append(Sign(axis.x(change.at), y, shape, f"{name}, {change.kind} {change.status}", name))


def _draw_people(drawn: Story, log: Sequence[e.Logged], axis: _Axis, suspects_y: float, people_y: float) -> None:
    last_note = -CROWDED
    for logged in log:
        entry, x = logged.entry, axis.x(logged.at)
        if not axis.holds(logged.at):
            continue
        if isinstance(entry, e.SuspectRaised | e.SuspectCleared | e.SuspectConvicted):
            shape, word = {
                e.SuspectRaised: ("suspect", "suspect"),
                e.SuspectCleared: ("cleared", "cleared"),
                e.SuspectConvicted: ("guilty-disc", "guilty"),
            }[type(entry)]
            drawn.signs.append(
                Sign(x, suspects_y, shape, f"{entry.suspect}: {word}", entry.suspect if word != "suspect" else "")
            )
        elif isinstance(entry, e.Escalated):
            drawn.signs.append(Sign(x, people_y, "person", f"escalated to {entry.team}", entry.team))
        elif isinstance(entry, e.Acknowledged):
            drawn.signs.append(Sign(x, people_y, "person", f"{logged.by} is on it", logged.by))
        elif isinstance(entry, e.NoteWritten) and abs(x - last_note) >= CROWDED:
            last_note = x
            drawn.signs.append(Sign(x, people_y, "note", f"{logged.by}: {entry.text[:120]}"))


def _label(drawn: Story) -> None:
    """Put each label right of its shape, or left, or leave it out, so that nothing covers anything on its lane."""
    by_lane: dict[float, list[Sign]] = {}
    for sign in drawn.signs:
        by_lane.setdefault(sign.y, []).append(sign)
    for signs in by_lane.values():
        signs.sort(key=lambda sign: sign.x)
        for before, sign in pairwise(signs):
            if sign.x - before.x < BESIDE and before.y <= sign.y:
                sign.y += BESIDE
        taken = drawn.frame.left - 8
        for here, sign in enumerate(signs):
            following = signs[here + 1].x if here + 1 < len(signs) else drawn.frame.width + 8
            taken = _put(sign, taken, following, drawn.frame.width)


def _put(sign: Sign, taken: float, following: float, width: float) -> float:
    """Place one label between what is taken on its left and the following shape; returns what is taken then."""
    if sign.label and sign.shape == "alert":  # its bar runs on at its height: the words stand above
        room = int((width - sign.x) / CHARACTER)
        sign.label = sign.label if len(sign.label) <= room else f"{sign.label[: max(room - 1, 0)]}…"
        sign.label_x, sign.above = sign.x - 5, True
        return sign.x + 6
    long = len(sign.label) * CHARACTER
    if sign.label and sign.x + 10 + long < following - 8:
        sign.label_x, sign.anchor = sign.x + 10, "start"
        return sign.x + 10 + long
    if sign.label and sign.x - 10 - long > taken + 6:
        sign.label_x, sign.anchor = sign.x - 10, "end"
        return sign.x + 6
    sign.label = ""
    return max(taken, sign.x + 6)


def _said(state: State) -> str:
    """The picture in words, for those who cannot see it."""
    alerts, changes, suspects = len(state.alerts), len(state.changes), len(state.suspects)
    return (
        f"{alerts} alert{'' if alerts == 1 else 's'}, {changes} change{'' if changes == 1 else 's'}, "
        f"{suspects} suspect{'' if suspects == 1 else 's'} and what people did, on one time axis. The timeline below says the same in words."
    )
