"""One batch of news grouped: alerts and changes in, entries out, with few and bulky writes. Runs inside one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unrepeat.arrivals import queries as arrivals
from unrepeat.arrivals.models import Alert, Change
from unrepeat.incidents import entries as e
from unrepeat.incidents import store
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.grouping import Choice, Near, Seen, choose
from unrepeat.incidents.headline import headline
from unrepeat.incidents.models import Incident
from unrepeat.incidents.severity import severity_of, worse
from unrepeat.incidents.state import State

SUMMARY = 1_000  # characters of an alert's or change's summary that an entry keeps


@dataclass(frozen=True, slots=True)
class Terms:
    """What grouping goes by: the present moment, the dependency graph, and the settings."""

    now: datetime
    graph: Mapping[str, set[str]]
    window: timedelta
    look_back: timedelta
    time_zone: str


@dataclass(slots=True)
class _Touched:
    """An incident that the batch adds to."""

    near: Near
    state: State
    severity: str
    news: list[e.Happened] = field(default_factory=list)
    joined: list[int] = field(default_factory=list)
    acknowledged: bool = False
    changes: dict[int, str] = field(default_factory=dict)  # change -> status, as the log will have it
    look_around: bool = False  # it is new, or has a new service: its changes must be looked up

    def tell(self, entry: e.Entry, at: datetime, by: str) -> None:
        """Add an entry."""
        self.news.append(e.Happened(entry, at, by))


class Batch:
    """Groups one batch. Make it, call `group`, and everything stands in the tables."""

    def __init__(self, alerts: Sequence[Alert], changes: Sequence[Change], terms: Terms) -> None:
        self.alerts, self.changes, self.terms = alerts, changes, terms
        members = store.memberships(alert.pk for alert in alerts)
        moments = [self._past(alert.starts_at) - terms.window for alert in alerts]
        moments += [self._past(change.at) for change in changes]
        self.rows = {row.pk: row for row in store.lock_near(min(moments), members.values())}
        self.near = {pk: _near(row) for pk, row in self.rows.items()}
        self.home = {alert: self.near[number] for alert, number in members.items()}
        self.touched: dict[int, _Touched] = {}
        if any(not alert.service for alert in alerts):
            for number, names in store.nameless(self.near).items():
                self.near[number].nameless = names

    def group(self) -> None:
        """Do it."""
        for at, _, alert, do in sorted(self._events(), key=lambda event: event[:2]):
            do(alert, at)
        for change in self.changes:
            self._notice_news(change)
        for number in sorted(self.touched):
            self._write(number, self.touched[number])

    def _events(self) -> Iterator[tuple[datetime, tuple[int, int], Alert, Callable[[Alert, datetime], None]]]:
        for alert in self.alerts:
            began = self._past(alert.starts_at)
            yield began, (alert.pk, 0), alert, self._fired
            if alert.acknowledged_at:
                yield max(self._past(alert.acknowledged_at), began), (alert.pk, 1), alert, self._acknowledged
            if alert.ends_at:
                yield max(self._past(alert.ends_at), began), (alert.pk, 2), alert, self._resolved

    def _past(self, at: datetime) -> datetime:
        """`at`, or now when a sender's clock is ahead of ours: a log holds what has happened."""
        return min(at, self.terms.now)

    # --- alerts

    def _fired(self, alert: Alert, at: datetime) -> None:
        if alert.pk in self.home:
            return
        severity = severity_of(alert.severity)
        choice = choose(
            Seen(alert.service, alert.name, severity, at, alert.ends_at),
            self.near.values(),
            self.terms.graph,
            self.terms.window,
        )
        if choice.incident is None and severity == "info":
            return
        touched = self._touch(choice.incident) if choice.incident else self._open(alert, at, severity, choice.rule)
        self._join(touched, alert, at, severity, choice)

    def _join(self, touched: _Touched, alert: Alert, at: datetime, severity: str, choice: Choice) -> None:
        near = touched.near
        if choice.rule == "came_back":
            touched.tell(e.Reopened(choice.why), at, MACHINE)
            near.is_open, near.by_itself, near.resolved_at = True, False, None
        self.home[alert.pk] = near
        touched.joined.append(alert.pk)
        touched.tell(_fired(alert, severity, choice.why), at, alert.source.name)
        if worse(severity, touched.severity) and not touched.state.severity_by_hand:
            touched.tell(e.SeverityChanged(severity, f"{alert.name} fired."), at, MACHINE)
            touched.severity = severity
        near.firing += 1
        near.since, near.last_sign = min(near.since, at), max(near.last_sign, at)
        if alert.service and alert.service not in near.services:
            near.services.add(alert.service)
            touched.look_around = True
        elif not alert.service:
            near.nameless.add(alert.name)

    def _acknowledged(self, alert: Alert, at: datetime) -> None:
        near = self.home.get(alert.pk)
        if near is None or not near.is_open:
            return
        touched = self._touch(near)
        if not touched.acknowledged:
            touched.acknowledged = True
            touched.tell(e.Acknowledged(), at, alert.source.name)

    def _resolved(self, alert: Alert, at: datetime) -> None:
        near = self.home.get(alert.pk)
        if near is None:
            return
        touched = self._touch(near)
        known = touched.state.alerts.get(alert.pk)
        if known is None or known.resolved_at is None:
            touched.tell(e.AlertResolved(alert.pk, alert.name), at, alert.source.name)
            near.firing = max(0, near.firing - 1)
            near.last_sign = max(near.last_sign, at)

    # --- incidents

    def _open(self, alert: Alert, at: datetime, severity: str, rule: str) -> _Touched:
        number = store.new_row(at)
        near = self.near[number] = Near(number, at, at, at)
        touched = self.touched[number] = _Touched(near, State(), severity, look_around=True)
        title = headline(alert.name, alert.service, alert.summary)
        touched.tell(e.IncidentOpened(title, severity, alert.service, self.terms.time_zone, rule), at, MACHINE)
        return touched

    def _touch(self, near: Near) -> _Touched:
        touched = self.touched.get(near.number)
        if touched is None:
            state = store.present(self.rows[near.number])
            touched = self.touched[near.number] = _Touched(
                near,
                state,
                state.severity,
                acknowledged=state.status not in ("detected", "reopened"),
                changes={number: change.status for number, change in state.changes.items()},
            )
        return touched

    def _write(self, number: int, touched: _Touched) -> None:
        if touched.look_around:
            since = touched.near.since - self.terms.look_back
            for change in arrivals.changes_of(sorted(self._around(touched.near)), since, self.terms.now):
                self._notice(touched, change)
        store.append(number, touched.news, by=MACHINE, at=self.terms.now, state=touched.state)
        store.add_members(touched.joined, number)

    # --- changes

    def _notice_news(self, change: Change) -> None:
        at = self._past(change.at)
        for near in self.near.values():
            over = not near.is_open and (near.resolved_at is None or at > near.resolved_at)
            if over or at < near.since - self.terms.look_back:
                continue
            if not change.service or change.service in self._around(near):
                self._notice(self._touch(near), change)

    def _notice(self, touched: _Touched, change: Change) -> None:
        if touched.changes.get(change.pk) != change.status:
            touched.changes[change.pk] = change.status
            touched.tell(noticed(change), self._past(change.at), change.source.name)

    def _around(self, near: Near) -> set[str]:
        return near.services.union(*(self.terms.graph.get(service, set()) for service in near.services))


def noticed(change: Change) -> e.ChangeNoticed:
    """The entry that a change near an incident becomes."""
    return e.ChangeNoticed(
        change.pk,
        change.kind,
        change.status,
        change.service,
        change.version,
        change.previous,
        change.summary[:SUMMARY],
        change.author,
        change.url,
    )


def _fired(alert: Alert, severity: str, why: str) -> e.AlertFired:
    return e.AlertFired(
        alert.pk, alert.name, alert.service, severity, alert.summary[:SUMMARY], alert.source.name, alert.url, why
    )


def _near(row: Incident) -> Near:
    return Near(
        row.pk,
        row.opened_at,
        row.started_at or row.opened_at,
        row.last_at if row.is_open else row.resolved_at or row.last_at,
        row.open_alerts if row.is_open else 0,
        set(row.services),
        is_open=row.is_open,
        resolved_at=row.resolved_at,
        by_itself=row.resolved_by_itself,
    )
