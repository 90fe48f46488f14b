"""The numbers around an alert, asked of the telemetry and put into the tables that lenses look at.

All of a service's series in one question, several services at a time, and no longer than BUDGET seconds for all.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from unrepeat.investigation.catalogue import Place, labels_said, selector
from unrepeat.investigation.columns import Column, Grid, columns_of, scraped_every
from unrepeat.investigation.gathering import FEWEST, step_for
from unrepeat.investigation.lenses import Change, Tables
from unrepeat.investigation.lenses._words import listed
from unrepeat.investigation.telemetry import Series, Silent, Telemetry, Unanswered
from unrepeat.investigation.telemetry.trace_source import TraceSource
from unrepeat.investigation.telemetry.traces import LEAD, Traced, traced

BUDGET = 8.0  # seconds for all questions together
AT_A_TIME = 4
TRACED = 6  # services that are asked about in traces; whom they call is in theirs
BEFORE, AFTER = timedelta(hours=1), timedelta(hours=1)  # round the alert
BEFORE_CHANGE = timedelta(minutes=30)  # a change near the alert is seen with so much of what was before it
FURTHEST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service's series are, and by which labels they were found; `reason` says why there are none."""

    place: Place
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    series: tuple[Series, ...] = ()
    reason: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Who calls whom, and where that is from. `seen`: what traces showed, None when there were none; `silent`: why nobody answered."""

    edges: tuple[tuple[str, str], ...]
    said: str
    seen: Traced | None = field(default=None, hash=False)
    silent: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """What was seen: the tables, and behind every column the question that anybody can ask again."""

    tables: Tables
    source: str
    start: datetime
    end: datetime
    step: float
    answers: Mapping[str, Answer] = field(hash=False)
    columns: Mapping[str, Column] = field(hash=False)
    graph: Graph

    @property
    def missing(self) -> dict[str, str]:
        """Service -> why nothing is known of it."""
        return {name: answer.reason for name, answer in self.answers.items() if answer.reason}


def window(alert: datetime, changes: Sequence[datetime], now: datetime) -> tuple[datetime, datetime]:
    """From an hour before the alert, or from before the changes that came before it, to now or an hour after the alert."""
    near = [at for at in changes if alert - FURTHEST <= at <= alert]
    start = min([alert - BEFORE, *(at - BEFORE_CHANGE for at in near)])
    return start, min(now, alert + AFTER)


def view(
    telemetry: Telemetry,
    places: Sequence[Place],
    alert: datetime,
    changes: Sequence[Change],
    start: datetime,
    end: datetime,
    traces: TraceSource | None = None,
) -> View:
    """Ask for all that is known of these services; never raises for what the telemetry does."""
    until = time.monotonic() + BUDGET
    pool = ThreadPoolExecutor(1, thread_name_prefix="traces")
    try:
        called = pool.submit(graph_of, traces, places, alert, start, end)
        table = _numbers(telemetry, places, start, end, until)
        wait([called], timeout=max(0.1, until - time.monotonic()))
        late = f"it took more than {BUDGET:.0f} s to answer"
        graph = called.result() if called.done() else Graph(catalogued(places), _not_seen(late), silent=late)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return _view(telemetry.source, table, graph, alert, changes)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What the services answered, and over which window and step."""

    answers: dict[str, Answer]
    start: datetime
    end: datetime
    step: float


def _numbers(telemetry: Telemetry, places: Sequence[Place], start: datetime, end: datetime, until: float) -> _Numbers:
    step = float(step_for((end - start).total_seconds()))
    first = ask(telemetry, places[0], start, end, step) if places else None
    if first is not None and first.silent:
        answers = {place.name: Answer(place, reason=first.reason, silent=True) for place in places}
    else:
        if first is not None:
            start, finer = _finer(first.series, start, end, step)
            if finer < step:
                first, step = ask(telemetry, places[0], start, end, finer), finer
            every = scraped_every(first.series, step)
            step = every * -int(-step // every)  # rows that hold as many samples each
        answers = _ask_all(telemetry, places, start, end, step, until)
    return _Numbers(answers, start, end, step)


def graph_of(
    traces: TraceSource | None, places: Sequence[Place], alert: datetime, start: datetime, end: datetime
) -> Graph:
    """The calls that traces show; of services that no trace shows, the catalogue's dependencies."""
    known = catalogued(places)
    if traces is None:
        return Graph(known, "The call graph is the catalogue's: no traces are connected.")
    window = start.timestamp(), end.timestamp()
    turn = min(max(alert.timestamp() - LEAD, window[0]), window[1])
    names = {name: place.name for place in places for name in place.traced_as}
    try:
        read = traces.read(list(names)[:TRACED], ((window[0], turn), (turn, window[1])))
        found = traced(read, traces.source, alert.timestamp(), window, names)
    except Unanswered as error:
        return Graph(known, _not_seen(str(error)), silent=str(error) if isinstance(error, Silent) else "")
    if not found.services:
        return Graph(known, f"The call graph is the catalogue's: {traces.source} had no trace of these services.")
    rest = tuple(edge for edge in known if not found.services.issuperset(edge) and edge not in found.edges)
    without = sorted({place.name for place in places} - found.services)
    said = f"The call graph was seen in {sum(found.traces)} traces from {traces.source}"
    if without:
        said += f"; what the catalogue says stands for {listed(without, 5)}, which no trace shows"
    unread = f" {found.unreadable} spans could not be read." if found.unreadable else ""
    return Graph((*found.edges, *rest), f"{said}.{unread}", found)


def catalogued(places: Sequence[Place]) -> tuple[tuple[str, str], ...]:
    """Caller and callee, as the catalogue has them."""
    return tuple((place.name, callee) for place in places for callee in place.calls)


def _not_seen(reason: str) -> str:
    return f"The call graph is the catalogue's. Traces could not be seen: {reason}."


def ask(telemetry: Telemetry, place: Place, start: datetime, end: datetime, step: float) -> Answer:
    """All series of one service."""
    try:
        for labels in place.guesses:
            series = telemetry.query_range(selector(labels), start, end, step)
            if any(one.points for one in series):
                return Answer(place, labels, tuple(series))
    except Unanswered as error:
        return Answer(place, reason=str(error), silent=isinstance(error, Silent))
    tried = " or ".join(labels_said(labels) for labels in place.guesses)
    return Answer(place, reason=f"{telemetry.source.split(' (')[0]} has no series {tried}")


def _ask_all(
    telemetry: Telemetry, places: Sequence[Place], start: datetime, end: datetime, step: float, until: float
) -> dict[str, Answer]:
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="investigate")
    try:
        asked: dict[str, Future[Answer]] = {
            place.name: pool.submit(ask, telemetry, place, start, end, step) for place in places
        }
        wait(asked.values(), timeout=max(0.1, until - time.monotonic()))
        late = f"it took more than {BUDGET:.0f} s to answer for all services"
        return {
            place.name: asked[place.name].result()
            if asked[place.name].done()
            else Answer(place, reason=late, silent=True)
            for place in places
        }
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _finer(series: Sequence[Series], start: datetime, end: datetime, step: float) -> tuple[datetime, float]:
    """A later start and a smaller step where the numbers begin late in the window."""
    first = min((one.points[0][0] for one in series if one.points), default=start.timestamp())
    span = end.timestamp() - first
    if span / step >= FEWEST:
        return start, step
    finer = float(step_for(span + step))
    return (datetime.fromtimestamp(first - step, start.tzinfo), finer) if finer < step else (start, step)


def _view(source: str, asked: _Numbers, graph: Graph, alert: datetime, changes: Sequence[Change]) -> View:
    """The tables, with a row as often as there are new samples."""
    answers, step = asked.answers, asked.step
    rows = int((asked.end - asked.start).total_seconds() // step) + 1
    every = max(1, -int(-scraped_every((one for a in answers.values() for one in a.series), step) // step))
    last = (rows - 1) % every  # rows are counted from the newest one
    grid = Grid(asked.start.timestamp() + last * step, step * every, (rows - 1 - last) // every + 1)
    made = [column for a in answers.values() for column in columns_of(a.place, a.series, grid)]
    known = {column.described.column: column for column in made}
    values = np.array([column.values for column in known.values()]).T if known else np.empty((grid.rows, 0))
    tables = Tables(
        alert=alert.timestamp(),
        times=grid.times,
        values=values,
        series=tuple(column.described for column in known.values()),
        edges=graph.edges,
        spans=graph.seen.spans if graph.seen else None,
        calls=graph.seen.calls if graph.seen else None,
        changes=tuple(changes),
    )
    return View(tables, source, asked.start, asked.end, step, answers, known, graph)
