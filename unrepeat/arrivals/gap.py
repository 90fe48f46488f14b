"""Fills the gap after our own downtime: Alertmanager keeps nothing that fired and resolved while we were away, Prometheus does.

From Prometheus's series ALERTS we see runs: an alert fires from one moment to another. A run that no stored occurrence tells
becomes one; a run that ended closes the open occurrence it belongs to. What still fires is left to Alertmanager, which tells it again.
The result is a body of Alertmanager's shape, stored and read like any other delivery. Pure, but for nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from unrepeat.arrivals.fingerprint import fingerprint
from unrepeat.arrivals.records import Json

Labels = Mapping[str, str]
RECEIVER = "unrepeat-gap"
SUMMARY = "Fired and resolved while nobody was listening; read from Prometheus afterwards."
_OURS = frozenset({"__name__", "alertstate"})  # of the series ALERTS, not of the alert


@dataclass(frozen=True, slots=True)
class Naming:
    """What Prometheus does to an alert's labels on the way to Alertmanager: external labels are added, some are dropped."""

    external: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()  # regular expressions over label names

    def sent(self, labels: Labels) -> dict[str, str]:
        """The labels as Alertmanager gets them."""
        named = {**self.external, **labels}
        return {n: v for n, v in named.items() if v and not any(re.fullmatch(drop, n) for drop in self.dropped)}


@dataclass(frozen=True, slots=True)
class Run:
    """An alert that fired from `first` to `last` (seconds since 1970, on the grid). `ended`: it was seen not to fire afterwards.

    `cut`: it fired already at the beginning of the window.
    """

    labels: Mapping[str, str]
    first: float
    last: float
    ended: bool
    cut: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A stored occurrence. `ends_at` None: open."""

    key: str
    labels: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class Untold:
    """An occurrence, or the end of one, that nobody has told us. `run`: how Prometheus showed it, when the occurrence is new."""

    key: str
    labels: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime
    run: Run | None = None


def runs(series: Iterable[tuple[Labels, Sequence[float]]], beats: Sequence[float]) -> list[Run]:
    """The runs in ALERTS. `beats` are the grid's moments at which Prometheus was there to see: a hole in both ends no run."""
    order = sorted(set(beats))
    place = {beat: number for number, beat in enumerate(order)}
    found = []
    for labels, given in series:
        alert = {name: value for name, value in labels.items() if name not in _OURS}
        moments = sorted(moment for moment in set(given) if moment in place)
        if not moments:
            continue
        breaks = [after for before, after in pairwise(moments) if place[after] - place[before] > 1]
        starts = [moments[0], *breaks]
        for start, following in zip(starts, [*breaks, None], strict=True):
            members = [m for m in moments if m >= start and (following is None or m < following)]
            cut, ended = place[start] == 0, place[members[-1]] < len(order) - 1
            found.append(Run(alert, start, members[-1], ended=ended, cut=cut))
    return sorted(found, key=lambda run: run.first)


def untold(found: Iterable[Run], known: Sequence[Known], naming: Naming, step: float, before: float) -> list[Untold]:
    """What the runs say that the known occurrences do not, of runs that began before `before` (seconds since 1970)."""
    by_key: dict[str, list[Run]] = {}
    named: dict[str, Labels] = {}
    for run in found:
        key, labels = _key(run.labels, known, naming)
        by_key.setdefault(key, []).append(run)
        named[key] = labels
    told = []
    for key, its_runs in by_key.items():
        mine = sorted((one for one in known if one.key == key), key=lambda one: one.starts_at)
        theirs = _Alert(key, named[key], mine)
        told += theirs.untold(its_runs, timedelta(seconds=step), _at(before))
    return told


@dataclass(slots=True)
class _Alert:
    """One alert with its stored occurrences, which `untold` brings up to date as it goes."""

    key: str
    labels: Labels
    known: list[Known]

    def untold(self, its_runs: Sequence[Run], step: timedelta, before: datetime) -> list[Untold]:
        told = []
        for run in its_runs:
            first, end = _at(run.first), _at(run.last) + step
            match = next((number for number, one in enumerate(self.known) if _same(one, run, step)), None)
            if match is None:
                if run.ended and not run.cut and first < before:
                    told.append(Untold(self.key, self.labels, first, end, run))
            elif self.known[match].ends_at is None and its_runs[-1].ended:
                stored = self.known[match] = replace(self.known[match], ends_at=end)
                told.append(Untold(self.key, stored.labels, stored.starts_at, end))
        return told


def _same(one: Known, run: Run, step: timedelta) -> bool:
    """Whether a stored occurrence is this run: they overlap, but for the grid."""
    slack = step + timedelta(seconds=1)
    begins_in_time = one.starts_at <= _at(run.last) + slack
    return begins_in_time and (
        one.ends_at is None or one.ends_at >= _at(run.first) - (timedelta(0) if run.cut else slack)
    )


def _key(labels: Labels, known: Sequence[Known], naming: Naming) -> tuple[str, Labels]:
    """The alert's key: its fingerprint as sent, unless only an alert with more labels is known (labels added on the way)."""
    sent = naming.sent(labels)
    computed = fingerprint(sent)
    if any(one.key == computed for one in known):
        return computed, sent
    wider = [one for one in known if sent.items() <= one.labels.items()]
    closest = min(wider, key=lambda one: len(one.labels), default=None)
    return (closest.key, closest.labels) if closest else (computed, sent)


def body(told: Sequence[Untold], prometheus: str, since: datetime, until: datetime) -> bytes:
    """What is untold, in Alertmanager's shape, with where it comes from."""
    group: Json = {
        "version": "4",
        "receiver": RECEIVER,
        "status": "resolved",
        "groupKey": RECEIVER,
        "truncatedAlerts": 0,
        "filled": {"from": prometheus, "since": _written(since), "until": _written(until)},
        "alerts": [_alert(one) for one in told],
    }
    return json.dumps(group, ensure_ascii=False).encode()


def _alert(one: Untold) -> Json:
    return {
        "status": "resolved",
        "labels": dict(one.labels),
        "annotations": {"summary": SUMMARY} if one.run else {},
        "startsAt": _written(one.starts_at),
        "endsAt": _written(one.ends_at),
        "fingerprint": one.key,
    }


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _written(at: datetime) -> str:
    return at.isoformat()
