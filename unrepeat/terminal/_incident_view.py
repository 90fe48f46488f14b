"""How an incident looks in the terminal. A state is a shape and a word; colour only repeats them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unrepeat.incidents.entries import Logged
from unrepeat.incidents.fold import fold
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.models import Incident
from unrepeat.incidents.queries import Listing
from unrepeat.incidents.state import NearChange, State
from unrepeat.postmortems.prevention_words import STATE_LOOKS, STATES
from unrepeat.support import clock, words
from unrepeat.web.pages import telling

SHAPES = {
    "alert": ("■", "red"),
    "page": ("▲", "blue"),
    "change": ("◆", "magenta"),
    "cleared": ("○", "green"),
    "suspect": ("◐", "yellow"),
    "guilty": ("●", "red"),
    "verified": ("✓", "green"),
    "note": ("·", "dim"),
}
STATUSES = {
    "detected": ("alert", "bold red"),
    "acknowledged": ("page", "bold blue"),
    "mitigated": ("cleared", "bold yellow"),
    "resolved": ("verified", "bold green"),
    "reopened": ("alert", "bold red"),
    "merged": ("note", "dim"),
}
VERDICTS = {"suspect": "suspect", "cleared": "cleared", "guilty": "guilty"}


def listing(console: Console, found: Listing) -> None:
    """A page of incidents."""
    if not found.total:
        console.print("No incidents.")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("nr", "status", "severity", "title", "services", "began (UTC)", "lasted"):
        wraps = name in ("title", "services")
        table.add_column(
            name,
            justify="right" if name in ("nr", "lasted") else "left",
            no_wrap=not wraps,
            min_width=10 if wraps else None,
        )
    for row in found:
        began = row.started_at or row.opened_at
        lasted = words.span((row.resolved_at or clock.now()) - began) if row.is_open or row.resolved_at else "–"
        table.add_row(
            str(row.pk),
            _status(row.status),
            row.severity,
            Text(row.title),
            ", ".join(row.services),
            f"{began:%d %b %H:%M}" if began.year == clock.now().year else f"{began:%d %b %Y}",
            lasted,
        )
    console.print(table)
    if found.pages > 1:
        console.print(f"Page {found.page} of {found.pages}; {found.total} incidents.", style="dim")


def whole(console: Console, row: Incident, log: Sequence[Logged]) -> None:
    """One incident: head, suspects, alerts, changes, measures, timeline."""
    state = fold(log)
    console.print()
    console.print(Text(state.title, style="bold"), Text(f"incident {row.pk}", style="dim"))
    console.print(_head(state))
    console.print(Padding(_facts(state), (1, 0, 0, 2)))
    for name, table in (
        ("Suspects", _suspects(state)),
        ("Alerts", _alerts(state)),
        ("Changes", _changes(state)),
        ("Measures", _measures(state)),
    ):
        if table.row_count:
            console.print(Text(f"\n{name}", style="bold"))
            console.print(Padding(table, (0, 0, 0, 2)))
    console.print(Text.assemble(("\nTimeline", "bold"), (f" ({state.time_zone})", "dim")))
    console.print(Padding(_timeline(log, state.time_zone), (0, 0, 1, 2)))


def written(console: Console, log: Iterable[Logged], zone: str) -> None:
    """What an act has written."""
    console.print(_timeline(list(log), zone))


def _status(status: str) -> Text:
    shape, style = STATUSES.get(status, ("note", ""))
    return Text(f"{SHAPES[shape][0]} {status}", style=style)


def _head(state: State) -> Text:
    parts = [_status(state.status), Text(state.severity or "no severity")]
    if state.services:
        parts.append(Text(", ".join(state.services)))
    if state.roles.get("lead"):
        parts.append(Text(f"{state.roles['lead']} leads"))
    if state.merged_into:
        parts.append(Text(f"goes on as incident {state.merged_into}"))
    return Text(" · ").join(parts)


def _facts(state: State) -> Table:
    table = Table.grid(padding=(0, 2))
    zone = state.time_zone
    for name, at, length in (
        ("Started", state.started_at, None),
        ("Detected", state.detected_at, state.time_to_detect),
        ("Acknowledged", state.acknowledged_at, state.time_to_acknowledge),
        ("Cause found", state.cause_found_at, state.time_to_cause),
        ("Mitigated", state.mitigated_at, state.time_to_mitigate),
        ("Resolved", state.resolved_at, state.time_to_resolve),
    ):
        if at is None:
            continue
        since = "from the start" if name == "Detected" else "from detection"
        small = f"{words.span(length)} {since}" if length else ""
        table.add_row(Text(name, style="dim"), _moment(at, zone), Text(small, style="dim"))
    end = state.resolved_at or clock.now()
    if state.started_at:
        lasted = words.span(max(end - state.started_at, end - end))
        table.add_row(Text("Lasted" if state.resolved_at else "Lasts for", style="dim"), Text(lasted, style="bold"))
    return table


def _suspects(state: State) -> Table:
    table = _plain()
    order = {"guilty": 0, "suspect": 1, "cleared": 2}
    for suspect in sorted(state.suspects.values(), key=lambda one: (order[one.verdict], one.raised_at)):
        table.add_row(
            _mark(VERDICTS[suspect.verdict], suspect.verdict),
            Text(suspect.name, style="bold"),
            suspect.kind,
            _said(suspect.by),
            Text(suspect.reason),
        )
    return table


def _alerts(state: State) -> Table:
    table = _plain()
    for alert in state.alerts.values():
        firing = alert.resolved_at is None
        until = "fires" if firing else f"until {words.clock_time(alert.resolved_at, state.time_zone)}"  # type: ignore[arg-type]
        table.add_row(
            _mark("alert" if firing else "verified", str(alert.alert)),
            Text(alert.name, style="bold"),
            alert.service,
            f"{words.clock_time(alert.fired_at, state.time_zone)}, {until}",
            Text(alert.summary),
        )
    return table


def _changes(state: State) -> Table:
    table = _plain()
    ordered: list[NearChange] = sorted(state.changes.values(), key=lambda one: one.at)
    for change in ordered:
        version = f"{change.previous} → {change.version}" if change.previous else change.version
        table.add_row(
            _mark("change", str(change.change)),
            Text(f"{change.service} {version}".strip() or change.summary, style="bold"),
            f"{change.kind} {change.status}",
            _moment(change.at, state.time_zone),
            Text(change.author),
        )
    return table


def _measures(state: State) -> Table:
    table = _plain()
    for measure in state.measures.values():
        due = f"due {measure.due}" if measure.due else ""
        standing = f"dropped: {measure.dropped}" if measure.dropped else measure.owner
        names = [f"{g.name} ({'proven' if g.is_proven else 'not proven'})" for g in guards_of(state, measure)]
        table.add_row(
            _mark(STATE_LOOKS[measure.state][1], str(measure.number)),
            STATES[measure.state],
            measure.kind,
            Text("\n".join([measure.text, *names])),
            Text(standing),
            Text(due, style="dim"),
        )
    return table


def _timeline(log: Sequence[Logged], zone: str) -> Table:
    table = Table.grid(padding=(0, 1))
    for _ in range(2):
        table.add_column(no_wrap=True)
    for line in telling.lines(log, zone):
        if line.day:
            table.add_row("", "", Text(line.day, style="dim"))
        told = line.told
        said = Text.assemble((told.key, "bold"), f" {told.said}" if told.said else "")
        for small in (told.why, f"written down {line.late} later" if line.late else ""):
            if small:
                said.append(f"\n{small}", style="dim")
        table.add_row(Text(words.clock_time(line.at, zone), style="dim"), _mark(told.shape, ""), said)
    return table


def _plain() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    return table


def _mark(shape: str, word: str) -> Text:
    sign, style = SHAPES[shape]
    return Text.assemble((sign, style), f" {word}" if word else "")


def _moment(at: datetime, zone: str) -> str:
    return f"{words.day(at, zone)}, {words.clock_time(at, zone)} {words.zone_name(at, zone)}"


def _said(by: str) -> Text:
    return Text(f"by {by}", style="dim")
