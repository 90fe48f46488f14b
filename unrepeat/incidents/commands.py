"""What people and machines can do to an incident: check against the fold, then append, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from unrepeat.arrivals import queries as arrivals
from unrepeat.incidents import acts, checks, moves, store
from unrepeat.incidents.batch import noticed
from unrepeat.incidents.decide import decide, open_by_hand
from unrepeat.incidents.entries import Entry, Happened, Logged
from unrepeat.incidents.fold import MACHINE, fold
from unrepeat.incidents.state import State
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Invalid

AHEAD = timedelta(minutes=1)  # how far a clock of somebody else may be before ours


def perform(number: int, act: acts.Act, *, by: str, at: datetime | None = None, key: str | None = None) -> list[Logged]:
    """Do `act` to an incident and return what was written. `at`: when it happened (default now); `key`: at most once under it.

    Raises NotFound, Conflict or Invalid, and then has written nothing.
    """
    by, at = _author(by), _moment(at)
    with transaction.atomic():
        others = (act.into,) if isinstance(act, acts.Merge) and act.into != number else ()
        store.lock(number, *others)
        if key is not None and (before := store.known_key(key)):
            return before
        state = fold(store.log_of(number))
        if isinstance(act, acts.Merge) and others:
            return _merge(number, act, state, by=by, at=at, key=key)
        if isinstance(act, acts.Split):
            return _split(number, act, state, by=by, at=at, key=key)
        if isinstance(act, acts.Mitigate) and act.change is not None and act.change not in state.changes:
            state = _notice(number, act.change, at, state)
        entries = decide(state, act, number=number, at=at)
        return store.append(number, entries, by=by, at=at, key=key, state=state)


def open_incident(title: str, *, service: str, severity: str, by: str, at: datetime | None = None) -> int:
    """Open an incident by hand; returns its number."""
    by, at = _author(by), _moment(at)
    opened = open_by_hand(title, service, severity, config().time_zone)
    return begin([opened], by=by, at=at)


def begin(entries: list[Entry | Happened], *, by: str, at: datetime) -> int:
    """Open an incident whose log begins with `entries`, opened at `at`; returns its number."""
    with transaction.atomic():
        number = store.new_row(at)
        store.append(number, entries, by=by, at=at, state=State())
        return number


def append(
    number: int, entries: list[Entry], *, by: str, at: datetime | None = None, key: str | None = None
) -> list[Logged]:
    """Append what a machine found out (evidence, for example), without asking the state; NotFound."""
    return store.append(number, entries, by=_author(by), at=_moment(at), key=key)


def append_considered(
    number: int, consider: Callable[[list[Logged]], list[Entry]], *, by: str, key: str | None = None
) -> list[Logged]:
    """Append what a machine says after it has read the log, with nobody else writing in between; NotFound."""
    with transaction.atomic():
        store.lock(number)
        log = store.log_of(number)
        return store.append(number, consider(log), by=_author(by), at=clock.now(), key=key)


def redact(number: int, seq: int, *, by: str, reason: str) -> list[Logged]:
    """Blank the words of entry `seq` for ever: the one audited way to take a secret or personal data out of a log."""
    return store.redact(number, seq, by=_author(by), reason=checks.text("reason", reason, checks.REASON))


def rebuild() -> tuple[int, int]:
    """Make all summary rows again from the logs; returns how many there are and how many were wrong."""
    return store.rebuild()


def _merge(number: int, act: acts.Merge, state: State, *, by: str, at: datetime, key: str | None) -> list[Logged]:
    into = fold(store.log_of(act.into))
    entries = decide(state, act, number=number, at=at, into=into)
    received = moves.receive_merge(state, number, into, act.reason.strip(), at)
    store.append(act.into, received, by=by, at=at, state=into)
    store.move_alerts(state.alerts, act.into)
    return store.append(number, entries, by=by, at=at, key=key, state=state)


def _split(number: int, act: acts.Split, state: State, *, by: str, at: datetime, key: str | None) -> list[Logged]:
    decide(state, act, number=number, at=at)
    begun = moves.begin_split(state, act, number, state.time_zone)
    new = begin([*begun], by=by, at=begun[0].at)
    store.move_alerts(act.alerts, new)
    entries = decide(state, act, number=number, at=at, new=new)
    return store.append(number, entries, by=by, at=at, key=key, state=state)


def _notice(number: int, change: int, at: datetime, state: State) -> State:
    """The state after the named change has been noticed, though grouping has not seen it near; NotFound."""
    row = arrivals.change(change)
    happened = Happened(noticed(row), min(row.at, clock.now()), row.source.name)
    store.append(number, [happened], by=MACHINE, at=at, state=state)
    return store.present(store.lock(number)[number])


def _author(by: str) -> str:
    return checks.text("author", by, checks.NAME)


def _moment(at: datetime | None) -> datetime:
    now = clock.now()
    if at is None:
        return now
    if at.tzinfo is None:
        raise Invalid("The time has no zone.", "Without one nobody knows which moment is meant.", "Add an offset or Z.")
    if at > now + AHEAD:
        raise Invalid(
            f"{at:%Y-%m-%d %H:%M} UTC has not come yet.", "A log holds what has happened.", "Give a moment in the past."
        )
    checks.not_too_old(at)
    return at
