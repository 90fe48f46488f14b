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
from unrepeat.investigation.telemetry import Series, Silent, Telemetry, Unanswered

BUDGET = 8.0  # seconds for all questions together
AT_A_TIME = 4
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
class View:
    """What was seen: the tables, and behind every column the question that anybody can ask again."""

    tables: Tables
    source: str
    start: datetime
    end: datetime
    step: float
    answers: Mapping[str, Answer] = field(hash=False)
    columns: Mapping[str, Column] = field(hash=False)

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
) -> View:
    """Ask for all that is known of these services; never raises for what the telemetry does."""
    step = float(step_for((end - start).total_seconds()))
    until = time.monotonic() + BUDGET
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
    return _view(telemetry.source, places, answers, alert, changes, start, end, step)


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


def _view(
    source: str,
    places: Sequence[Place],
    answers: dict[str, Answer],
    alert: datetime,
    changes: Sequence[Change],
    start: datetime,
    end: datetime,
    step: float,
) -> View:
    """The tables, with a row as often as there are new samples."""
    rows = int((end - start).total_seconds() // step) + 1
    every = max(1, -int(-scraped_every((one for a in answers.values() for one in a.series), step) // step))
    last = (rows - 1) % every  # rows are counted from the newest one
    grid = Grid(start.timestamp() + last * step, step * every, (rows - 1 - last) // every + 1)
    made = [column for a in answers.values() for column in columns_of(a.place, a.series, grid)]
    known = {column.described.column: column for column in made}
    values = np.array([column.values for column in known.values()]).T if known else np.empty((grid.rows, 0))
    tables = Tables(
        alert=alert.timestamp(),
        times=grid.times,
        values=values,
        series=tuple(column.described for column in known.values()),
        edges=tuple((place.name, callee) for place in places for callee in place.calls),
        changes=tuple(changes),
    )
    return View(tables, source, start, end, step, answers, known)
