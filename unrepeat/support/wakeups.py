"""Wakeups: at least once, never lost. Planned in the transaction of the entry that causes them, claimed with a lease and a
fencing token; a dead worker's lease runs out and the next worker takes it.

A handler does its database work and calls `finish` in one transaction, so that work happens exactly once; an effect on the
outside world carries the wakeup's key as its idempotency key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q

from unrepeat.support import bell, clock
from unrepeat.support.models import Wakeup

BACKOFF = (1, 5, 15, 60, 300, 900)  # seconds before try 2, 3, ...; the last one repeats
GIVE_UP_AFTER = 20  # tries; the wakeup then stays in the table, done, with its last error as the outcome


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


class LeaseLost(Exception):
    """Another worker has taken this wakeup over. Throw away what was done for it."""


def plan(room: str, what: str, subject: dict[str, Any], *, due_at: datetime, key: str) -> bool:
    """Plan a wakeup inside the present transaction; False when one with this key was planned before."""
    if not connection.in_atomic_block:
        raise RuntimeError("a wakeup is planned in the transaction of what causes it")
    planned = Wakeup(room=room, what=what, subject=subject, key=key, due_at=due_at, planned_at=clock.now())
    before = Wakeup.objects.filter(key=key).exists()
    Wakeup.objects.bulk_create([planned], ignore_conflicts=True)
    bell.ring_on_commit("wakeups")
    return not before


def cancel(prefix: str, outcome: str) -> int:
    """End all wakeups whose key begins with `prefix` and that are not done; returns how many."""
    return Wakeup.objects.filter(key__startswith=prefix, done_at=None).update(
        done_at=clock.now(), outcome=outcome, leased_until=None
    )


def claim(worker: str, lease: timedelta) -> Claim | None:
    """Take the wakeup that has been due longest and that nobody holds; None when there is none."""
    now = clock.now()
    free = Q(leased_until=None) | Q(leased_until__lte=now)
    for row in Wakeup.objects.filter(free, done_at=None, due_at__lte=now).order_by("due_at", "id")[:8]:
        with transaction.atomic():
            won = Wakeup.objects.filter(free, id=row.id, fence=row.fence, done_at=None).update(
                leased_by=worker, leased_until=now + lease, fence=F("fence") + 1, attempts=F("attempts") + 1
            )
        if won:
            return Claim(
                row.id,
                row.room,
                row.what,
                row.subject,
                row.key,
                row.due_at,
                row.attempts + 1,
                row.fence + 1,
                now + lease,
            )
    return None


def finish(claimed: Claim, outcome: str = "") -> None:
    """Mark a wakeup done; LeaseLost when another worker has it by now."""
    _end(claimed, done_at=clock.now(), outcome=outcome, leased_until=None)


def put_back(claimed: Claim, error: str) -> None:
    """A try failed: make it due again after a growing pause, or end it after the last try. LeaseLost as in `finish`."""
    if claimed.attempt >= GIVE_UP_AFTER:
        _end(claimed, done_at=clock.now(), outcome=f"given up: {error}", leased_until=None)
    else:
        pause = BACKOFF[min(claimed.attempt - 1, len(BACKOFF) - 1)]
        _end(claimed, due_at=clock.now() + timedelta(seconds=pause), outcome=error, leased_until=None, leased_by="")


def next_due() -> datetime | None:
    """When the next wakeup that is not done falls due (UTC), or when its holder's lease runs out."""
    waiting = Wakeup.objects.filter(done_at=None).order_by("due_at").values_list("due_at", "leased_until")[:50]
    moments = [max(due, lease) if lease else due for due, lease in waiting]
    return min(moments, default=None)


def _end(claimed: Claim, **columns: Any) -> None:
    if not Wakeup.objects.filter(id=claimed.id, fence=claimed.fence, done_at=None).update(**columns):
        raise LeaseLost(claimed.key)
