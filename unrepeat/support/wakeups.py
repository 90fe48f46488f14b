"""Wakeups: at least once, never lost. Planned in the transaction of the entry that causes them, claimed with a lease and a
fencing token; a dead worker's lease runs out and the next worker takes it.

A handler does its database work and calls `finish` in one transaction, so that work happens exactly once; an effect on the
outside world carries the wakeup's key as its idempotency key.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Min, Q, QuerySet

from unrepeat.support import bell, clock
from unrepeat.support.models import Wakeup

BACKOFF = (1, 5, 15, 60, 300, 900)  # seconds before try 2, 3, ...; the last one repeats
GIVE_UP_AFTER = 20  # tries; the wakeup then stays in the table, done, with its last error as the outcome
KEPT = timedelta(days=30)  # how long a done wakeup stays in the table, and its key cannot be planned again
SWEEP_EVERY = 100  # each wakeup whose number is a multiple of this takes old ones along when it ends
SWEPT_TOGETHER = 1000


Place = tuple[str, str]
"""A wakeup's room and `what`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A wakeup held by one worker until `until` (UTC); only the holder of the present `fence` may finish it."""

    id: int
    room: str
    what: str
    subject: dict[str, Any]
    key: str
    due_at: datetime
    attempt: int
    fence: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Again:
    """What a handler of standing work answers instead of an outcome: what was done, and when (UTC) the same wakeup is due again."""

    outcome: str
    due_at: datetime


class LeaseLost(Exception):
    """Another worker has taken this wakeup over. Throw away what was done for it."""


def plan(room: str, what: str, subject: dict[str, Any], *, due_at: datetime, key: str) -> bool:
    """Plan a wakeup inside the present transaction; False when one with this key was planned before."""
    if not connection.in_atomic_block:
        raise RuntimeError("a wakeup is planned in the transaction of what causes it")
    if Wakeup.objects.filter(key=key).exists():
        return False
    try:
        with transaction.atomic():
            Wakeup.objects.create(room=room, what=what, subject=subject, key=key, due_at=due_at, planned_at=clock.now())
    except IntegrityError:
        return False  # another transaction was first, and has committed since
    bell.ring_on_commit("wakeups")
    return True


def cancel(prefix: str, outcome: str) -> int:
    """End all wakeups whose key begins with `prefix` (mind the colon at its end) and that are not done; returns how many.

    A worker that holds one of them loses it: its `finish` raises LeaseLost, and what it did is rolled back.
    """
    return Wakeup.objects.filter(key__startswith=prefix, done_at=None).update(
        done_at=clock.now(), outcome=outcome, leased_until=None
    )


def claim(worker: str, lease: timedelta, *, without: Collection[Place] = ()) -> Claim | None:
    """Take the wakeup that has been due longest and that nobody holds; None when there is none. `without`: leave these alone."""
    now = clock.now()
    due = _others(_free(now), without).filter(due_at__lte=now).order_by("due_at", "id")
    if not due.exists():
        return None  # asked without a lock: there is mostly nothing to do
    if connection.features.has_select_for_update_skip_locked:
        due = due.select_for_update(skip_locked=True)
    with transaction.atomic():
        row = due.first()
        if row is None:
            return None
        row.leased_by, row.leased_until = worker, now + lease
        row.fence, row.attempts = row.fence + 1, row.attempts + 1
        row.save(update_fields=["leased_by", "leased_until", "fence", "attempts"])
    return Claim(
        row.id, row.room, row.what, row.subject, row.key, row.due_at, row.attempts, row.fence, row.leased_until
    )


def extend(claimed: Claim, lease: timedelta) -> Claim:
    """Hold a wakeup longer: the lease begins anew. LeaseLost when another worker has it by now."""
    until = clock.now() + lease
    _change(claimed, leased_until=until)
    return replace(claimed, until=until)


def finish(claimed: Claim, outcome: str = "") -> None:
    """Mark a wakeup done; LeaseLost when another worker has it by now."""
    _change(claimed, done_at=clock.now(), outcome=outcome, leased_until=None)
    if claimed.id % SWEEP_EVERY == 0:
        sweep(clock.now() - KEPT)


def again(claimed: Claim, answer: Again) -> None:
    """Make a standing wakeup due again, as good as new; LeaseLost as in `finish`."""
    _change(claimed, due_at=answer.due_at, outcome=answer.outcome, leased_until=None, leased_by="", attempts=0)


def stand(room: str, what: str, *, due_at: datetime) -> None:
    """See that standing work is due at `due_at` at the latest, also when it was given up. Its key is `standing:ROOM:WHAT`."""
    key = f"standing:{room}:{what}"
    if plan(room, what, {}, due_at=due_at, key=key):
        return
    rows = Wakeup.objects.filter(key=key)
    rows.exclude(done_at=None).update(done_at=None, due_at=due_at, attempts=0)
    rows.filter(done_at=None, due_at__gt=due_at).update(due_at=due_at)
    bell.ring_on_commit("wakeups")


def put_back(claimed: Claim, error: str) -> None:
    """A try failed: make it due again after a growing pause, or end it after the last try. LeaseLost as in `finish`."""
    if claimed.attempt >= GIVE_UP_AFTER:
        _change(claimed, done_at=clock.now(), outcome=f"given up: {error}", leased_until=None)
    else:
        pause = BACKOFF[min(claimed.attempt - 1, len(BACKOFF) - 1)]
        due_at = clock.now() + timedelta(seconds=pause)
        _change(claimed, due_at=due_at, outcome=error, leased_until=None, leased_by="", fence=F("fence") + 1)


def under_way(prefix: str) -> bool:
    """Whether a wakeup whose key begins with `prefix` (mind the colon at its end) is planned or held, and not done."""
    return Wakeup.objects.filter(key__startswith=prefix, done_at=None).exists()


def next_due(*, without: Collection[Place] = ()) -> datetime | None:
    """When the next wakeup that is not done falls due (UTC), or when its holder's lease runs out. `without`: but these."""
    waiting = _others(Wakeup.objects.filter(done_at=None), without)
    free = waiting.filter(leased_until=None).aggregate(at=Min("due_at"))["at"]
    held = waiting.filter(leased_until__isnull=False).aggregate(at=Min("leased_until"))["at"]
    return min((at for at in (free, held) if at), default=None)


def sweep(before: datetime) -> int:
    """Delete wakeups that were done before that moment, at most `SWEPT_TOGETHER` of them; returns how many."""
    old = Wakeup.objects.filter(done_at__lt=before).order_by("id")
    if connection.features.has_select_for_update_skip_locked:
        old = old.select_for_update(skip_locked=True)
    with transaction.atomic():
        return Wakeup.objects.filter(id__in=[row.id for row in old[:SWEPT_TOGETHER]]).delete()[0]


def _free(now: datetime) -> QuerySet[Wakeup]:
    return Wakeup.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now), done_at=None)


def _others(rows: QuerySet[Wakeup], without: Collection[Place]) -> QuerySet[Wakeup]:
    for room, what in without:
        rows = rows.exclude(room=room, what=what)
    return rows


def _change(claimed: Claim, **columns: Any) -> None:
    if not Wakeup.objects.filter(id=claimed.id, fence=claimed.fence, done_at=None).update(**columns):
        raise LeaseLost(claimed.key)
