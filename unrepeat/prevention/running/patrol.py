"""The server runs the safe guards that are due: a few at a time, outside any transaction, each within its own time.

One standing wakeup does it for all guards, so that ten thousand of them cost one row of the wakeups table. A turn of it lasts some
seconds and writes what was made as it comes, many runs in one transaction, each with the time at which its guard is due again:
a guard's due time, not the wakeup, says what has been done.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.db import connection, transaction

from unrepeat.prevention import commands, store
from unrepeat.prevention.kind import Outcome, Recorded, Spec, Target, Tools, broken, checked, kind_of
from unrepeat.prevention.models import Guard
from unrepeat.prevention.running.crew import Crew, Job
from unrepeat.support import clock, wakeups
from unrepeat.support.config import config
from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Problem

TOGETHER = 8  # guards that run at the same time
MOST = 64  # together with those that only wait for an answer
AHEAD = 128  # guards that are read together, before there is a thread for them
TURN = 4.0  # seconds after which a turn begins nothing more; a worker that stops waits a little longer
PATIENCE = 15.0  # seconds for one guard run by the server
WRITTEN = 64  # runs in one transaction
SOON = 0.2  # seconds that a run waits at most until it is written with others
LINGER = timedelta(seconds=1)  # a turn waits so long for what is due next, rather than to end and be claimed again
IDLE = timedelta(seconds=60)  # the longest time between two looks at what is due

log = structlog.get_logger(__name__)


def turn(claim: wakeups.Claim) -> int:
    """Run what is due, the longest overdue first, for some seconds, and write what came of it; returns how many that were.

    When other guards are due then, what still runs is left alone, and written when it ends.
    """
    tools = Tools(PATIENCE, known_recordings())
    crew = Crew[commands.Patrolled](TOGETHER, max(TOGETHER, MOST - len(_left.guards())), _left.keep)
    try:
        done = _rounds(claim, crew, tools)
    finally:
        crew.leave(_left.add)
    rest = crew.rest()
    keep(rest)
    return done + len(rest)


def _rounds(claim: wakeups.Claim, crew: Crew[commands.Patrolled], tools: Tools) -> int:
    """Ask the crew, write what it made, until nothing is due or the time is over and others are; returns how many were written."""
    done, began, held = 0, time.monotonic(), time.monotonic()
    while True:
        over = time.monotonic() - began > TURN
        if not over and crew.waiting(heavy=False) < AHEAD // 2:
            without = _heavy() if crew.waiting(heavy=True) > AHEAD // 4 else ()
            found = store.due(clock.now(), AHEAD, but=crew.guards(), without=without)
            crew.ask(_job(guard, tools) for guard in found)
        made = crew.made(WRITTEN, SOON)
        keep(made)
        crew.handed_over(one.guard for one in made)
        done += len(made)
        busy = crew.guards()
        if over and (crew.waiting(heavy=False) or crew.waiting(heavy=True) or store.due(clock.now(), 1, but=busy)):
            return done
        if not busy and (over or not _linger()):
            return done
        held = _hold(claim, held)


def again() -> datetime:
    """When the next turn is due."""
    return min(store.next_due() or clock.now() + IDLE, clock.now() + IDLE)


def keep(made: Sequence[commands.Patrolled]) -> None:
    """Write runs, all in one transaction; when that cannot be done, one by one, so that one that cannot be written stops no other."""
    if not made:
        return
    try:
        commands.record_all(made, by="unrepeat")
    except Exception:
        if len(made) == 1:
            log.exception("a run of a guard could not be written", guard=made[0].guard)
            store.put_off({made[0].guard}, clock.now() + IDLE)
            return
        log.exception("runs of guards could not be written together; each is tried alone", runs=len(made))
        for one in made:
            keep([one])


def next_due(began: datetime, every: int) -> datetime:
    """A guard's next time: a whole number of its periods after this one, and not in the past."""
    missed = max(0, int((clock.now() - began).total_seconds() // every))
    return began + timedelta(seconds=every * (missed + 1))


def run_safely(kind: str, spec: Spec, target: Target, tools: Tools) -> tuple[Outcome, float]:
    """The outcome of a run and its seconds; whatever a kind raises becomes `broken`."""
    began = time.monotonic()
    try:
        outcome = kind_of(kind).run(spec, target, tools)
    except Problem as problem:
        outcome = broken(f"{problem.what} {problem.why}", problem.remedy)
    except Exception as error:
        log.exception("a guard stumbled", kind=kind)
        outcome = broken(
            f"The guard itself stumbled: {type(error).__name__}: {error}",
            "This is a fault of Unrepeat; please report it with the guard's text.",
        )
    return outcome, time.monotonic() - began


def known_recordings() -> Mapping[str, Recorded]:
    """The recordings that the server knows, by name."""
    return {row.name: Recorded(row.name, Path(row.folder), row.healthy) for row in store.recordings()}


def _job(guard: Guard, tools: Tools) -> Job[commands.Patrolled]:
    """What runs a guard in a thread: it touches no database."""
    number, digest, kind, spec, every = guard.pk, guard.digest, guard.kind, guard.spec, guard.every

    def run() -> commands.Patrolled:
        at = clock.now()
        try:
            text = checked(kind, spec)
            _needs_safe(kind)
        except Problem as problem:
            outcome, seconds = broken(f"{problem.what} {problem.why}", problem.remedy), 0.0
        else:
            outcome, seconds = run_safely(kind, text, Target(), tools)
        ran = commands.Ran(outcome, Target(), at=at, seconds=seconds)
        return commands.Patrolled(number, digest, ran, next_due(at, every) if every else None)

    return Job(number, run, heavy=kind in _heavy())


def _heavy() -> list[str]:
    """The kinds whose runs work on this machine, rather than wait for an answer."""
    return [name for name, module in kinds("unrepeat.prevention.guards").items() if getattr(module, "HEAVY", False)]


def _linger() -> bool:
    """Wait for what is due next when that is soon; whether it was."""
    due = store.next_due()
    if due is None or due - clock.now() > LINGER:
        return False
    time.sleep(max(SOON / 2, (due - clock.now()).total_seconds()))
    return True


def _hold(claim: wakeups.Claim, since: float) -> float:
    """Hold the wakeup longer when a third of its lease has passed; LeaseLost when another worker has it by now."""
    lease = timedelta(seconds=config().lease)
    if time.monotonic() - since < lease.total_seconds() / 3:
        return since
    with transaction.atomic():
        wakeups.extend(claim, lease)
    return time.monotonic()


class _LeftBehind:
    """Guards that still ran when their turn ended: they are not due until they must have ended, and written when they do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guards: set[int] = set()

    def guards(self) -> set[int]:
        """Those that run in this process."""
        with self._lock:
            return set(self._guards)

    def add(self, guards: Iterable[int]) -> None:
        """These run on."""
        found = set(guards)
        if found:
            with self._lock:
                self._guards |= found
            store.put_off(found, clock.now() + timedelta(seconds=2 * PATIENCE))

    def keep(self, made: commands.Patrolled) -> None:
        """One has ended, in its own thread."""
        try:
            keep([made])
        except Exception:
            log.exception("a run of a guard could not be written", guard=made.guard)
        finally:
            connection.close()
            with self._lock:
                self._guards.discard(made.guard)


_left = _LeftBehind()


def _needs_safe(kind: str) -> None:
    """NotAllowed when the server must not run such guards, whoever asks."""
    if not kind_of(kind).SAFE:
        raise Problem(
            f"The server does not run {kind} guards.",
            "They run commands, which only a runner of your own may do.",
            "Call `unrepeat check` in CI.",
            status=403,
        )
