"""The worker: reads what has arrived, groups it into incidents, and does what has fallen due.

One thread beside the server by default, woken the moment something happens; a tick of one second is only the safety net. What
asks the outside world has threads of its own, so that a slow Prometheus holds up no alert.
Rooms are found by scan: `unrepeat.<room>.jobs` may have `HANDLERS` (wakeup's `what` to handler, run in one transaction with
the wakeup's end), `PREPARATIONS` (the same names; run before that transaction, for what asks the outside world, its answer is
the handler's second argument) and, in incidents, `group_news(limit)`.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction

import unrepeat
from unrepeat.arrivals.lead import lead
from unrepeat.arrivals.reading import read_waiting
from unrepeat.arrivals.reading_aside import Aside
from unrepeat.support import bell, clock, wakeups
from unrepeat.support.config import config

TICK = 1.0  # seconds
BREATHS = (0.02, 1.0)  # seconds, shortest and longest pause after a reading; twelve times as long as the reading took
LITTLE = 2.0  # seconds: a reader that is less behind pauses, so that storing comes first; one more behind does not
NEAR = 0.5  # seconds: a reader that is no more behind reads in this process, unless senders crowd
SHARE = 0.1  # of the time may go to grouping and wakeups in a flood, and while deliveries wait to be read
LOOK_AGAIN = 0.04  # seconds, in a flood
GROUPED_TOGETHER = 100  # alerts or changes a call
PREPARING = 2  # wakeups of one kind (room and what) that may ask the outside world at once
GRACE = 5.0  # seconds that these get to end at a stop; after that their leases run out, and the next worker takes them
TOPICS: set[str] = {"deliveries", "alerts", "changes", "wakeups", "closing"}

log = structlog.get_logger(__name__)
Handler = Callable[..., str | wakeups.Again]


@dataclass(frozen=True, slots=True)
class Jobs:
    """What the rooms want done, by (room, what)."""

    handlers: dict[tuple[str, str], Handler] = field(default_factory=dict)
    preparations: dict[tuple[str, str], Callable[[wakeups.Claim], Any]] = field(default_factory=dict)
    group_news: Callable[[int], int] | None = None


@cache
def jobs() -> Jobs:
    """All rooms' jobs, found by scan."""
    found = Jobs()
    group_news = None
    for room in sorted(m.name for m in pkgutil.iter_modules(unrepeat.__path__) if m.ispkg):
        if importlib.util.find_spec(f"unrepeat.{room}.jobs") is None:
            continue
        module = importlib.import_module(f"unrepeat.{room}.jobs")
        found.handlers.update({(room, what): h for what, h in getattr(module, "HANDLERS", {}).items()})
        found.preparations.update({(room, what): p for what, p in getattr(module, "PREPARATIONS", {}).items()})
        group_news = getattr(module, "group_news", group_news)
    return Jobs(found.handlers, found.preparations, group_news)


class Preparers:
    """Threads for wakeups that ask the outside world, never more than PREPARING of one kind: each does one, under the lease it was claimed with.

    Each kind has its own, so that a trial of a guard that takes minutes holds up neither a question to Prometheus nor the look for past failures.
    """

    def __init__(self, do: Callable[[wakeups.Claim], None]) -> None:
        self._do = do
        self._lock = threading.Lock()
        self._busy: dict[threading.Thread, wakeups.Place] = {}

    def full(self) -> list[wakeups.Place]:
        """The kinds of which no more can be taken now."""
        with self._lock:
            counted = Counter(self._busy.values())
        return [place for place, busy in counted.items() if busy >= PREPARING]

    def take(self, claimed: wakeups.Claim) -> None:
        """Do it beside the others."""
        thread = threading.Thread(target=self._run, args=(claimed,), name=f"prepare {claimed.key}", daemon=True)
        with self._lock:
            self._busy[thread] = (claimed.room, claimed.what)
        thread.start()

    def stop(self) -> None:
        """Wait for those that are at it, GRACE seconds for all together."""
        until = time.monotonic() + GRACE
        with self._lock:
            waiting = list(self._busy)
        for thread in waiting:
            thread.join(max(0.0, until - time.monotonic()))

    def _run(self, claimed: wakeups.Claim) -> None:
        try:
            self._do(claimed)
        except Exception:
            log.exception("a wakeup could not be put back; its lease runs out", key=claimed.key)
        finally:
            connection.close()
            with self._lock:
                del self._busy[threading.current_thread()]
            bell.ring("wakeups")


class Worker:
    """One worker: `turn` does a bounded piece of all there is to do; `start` and `stop` run it in a thread."""

    def __init__(self, jobs_found: Jobs | None = None, *, name: str = "") -> None:
        self._jobs = jobs_found or jobs()
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._busy_since = time.monotonic()
        self._other_for = 0.0  # seconds since then
        self._has_read = False  # in the last turn
        self._preparers: Preparers | None = None  # only when started: a turn alone does everything where it is called
        self._aside: Aside | None = None  # likewise
        self._gone = False

    def start(self) -> None:
        """Begin to work in a thread."""
        self._preparers = Preparers(self._do)
        self._aside = Aside(lead) if connection.vendor == "sqlite" else None
        self._thread.start()

    def stop(self) -> None:
        """End after the present piece of work. Blocks until then, but not longer than GRACE for what asks the outside world."""
        self._stopping.set()
        bell.ring("closing")
        self._thread.join()
        if self._preparers is not None:
            self._preparers.stop()
        self._gone = True

    def turn(self) -> int:
        """Read a batch, then, within its share of the time, group and do what is due; returns how much was done."""
        began = time.monotonic()
        read = self._read()
        middle = time.monotonic()
        done = read
        self._has_read = read > 0
        idle = not read and not self._flood()
        if idle:
            self._busy_since, self._other_for = began, 0.0
        if idle or self._other_for <= SHARE * (middle - self._busy_since):
            done += self._group() + self._do_due()
            self._other_for += time.monotonic() - middle
        return done

    def _read(self) -> int:
        if self._aside is not None and (lead.flooding() or lead.seconds() > NEAR) and self._aside.ready():
            return self._aside.read()
        return read_waiting()

    def run_until_idle(self) -> int:
        """Do, in this thread, all that can be done at the present time of `clock`; returns how much that was."""
        total = 0
        while done := self.turn():
            total += done
        return total

    def _flood(self) -> bool:
        """Whether storing comes first. Between two commits nothing may wait to be read, and grouping would hold up the next one."""
        return self._preparers is not None and lead.flooding()

    def _group(self) -> int:
        group_news = self._jobs.group_news
        return group_news(GROUPED_TOGETHER) if group_news else 0

    def _do_due(self) -> int:
        lease = timedelta(seconds=config().lease)
        claimed = wakeups.claim(self.name, lease, without=self._held_up())
        if claimed is None:
            return 0
        if self._preparers is not None and (claimed.room, claimed.what) in self._jobs.preparations:
            self._preparers.take(claimed)
        else:
            self._do(claimed)
        return 1

    def _held_up(self) -> list[wakeups.Place]:
        """What has to wait because as many as may be are asking the outside world already."""
        return self._preparers.full() if self._preparers is not None else []

    def _do(self, claimed: wakeups.Claim) -> None:
        place = (claimed.room, claimed.what)
        try:
            handler = self._jobs.handlers[place]
            prepare = self._jobs.preparations.get(place)
            prepared = (prepare(claimed),) if prepare else ()
            if self._gone:
                return  # nobody waits for it any more: its lease runs out
            with transaction.atomic():
                _end(claimed, handler(claimed, *prepared))
        except wakeups.LeaseLost:
            log.warning("another worker has taken a wakeup over", key=claimed.key)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            about = {"key": claimed.key, "room": claimed.room, "what": claimed.what}
            if claimed.attempt == 1:
                log.exception("a wakeup failed", **about)
            else:  # where it failed was told at the first try
                log.error("a wakeup failed again", **about, attempt=claimed.attempt, error=said)  # noqa: TRY400
            self._put_back(claimed, said)

    def _put_back(self, claimed: wakeups.Claim, error: str) -> None:
        try:
            wakeups.put_back(claimed, error)
        except wakeups.LeaseLost:
            log.warning("another worker has taken a failed wakeup over", key=claimed.key)

    def _run(self) -> None:
        while not self._stopping.is_set():
            since, began = bell.heard(), time.monotonic()
            try:
                if not self.turn():
                    if self._aside is not None:
                        self._aside.rest()
                    bell.wait(TOPICS, since, LOOK_AGAIN if self._flood() else self._pause())
                elif self._has_read:
                    self._breathe(time.monotonic() - began)
            except Exception:
                log.exception("the worker stumbled; it goes on")
                connection.close()
                self._stopping.wait(TICK)
            close_old_connections()
        if self._aside is not None:
            self._aside.stop()
        connection.close()

    def _breathe(self, took: float) -> None:
        """While senders crowd and we are little behind, let them store: until we are not, at most twelve times as long as the reading took."""
        shortest, longest = BREATHS
        until = time.monotonic() + min(longest, max(shortest, 12 * took))
        while (
            not self._stopping.is_set()
            and (lead.storing() or lead.flooding())
            and lead.seconds() < LITTLE
            and (left := until - time.monotonic()) > 0
        ):
            self._stopping.wait(min(LOOK_AGAIN, left))
        lead.rested()

    def _pause(self) -> float:
        """Seconds until the next wakeup is due, at most a tick."""
        due = wakeups.next_due(without=self._held_up())
        if due is None:
            return TICK
        return min(TICK, max(0.0, (due - clock.now()).total_seconds()))


def _end(claimed: wakeups.Claim, answer: str | wakeups.Again) -> None:
    """Done, or due again."""
    if isinstance(answer, wakeups.Again):
        wakeups.again(claimed, answer)
    else:
        wakeups.finish(claimed, answer)
