"""The server runs the safe guards that are due: a few at a time, outside any transaction, each within its own time.

One standing wakeup does it for all guards, so that ten thousand of them cost one row of the wakeups table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.db import connection, transaction

from unrepeat.prevention import commands, store
from unrepeat.prevention.kind import Outcome, Recorded, Spec, Target, Tools, broken, checked, kind_of
from unrepeat.prevention.models import Guard
from unrepeat.support import clock
from unrepeat.support.problems import Problem

TOGETHER = 8  # guards that run at the same time
ROUND = 64  # guards in one round; the rest is due at once again
PATIENCE = 15.0  # seconds for one guard run by the server
IDLE = timedelta(seconds=60)  # the longest time between two looks at what is due

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A run that has been made: of which guard and which of its texts."""

    guard: int
    digest: str
    ran: commands.Ran


def run_due() -> list[Made]:
    """Run what is due, the longest overdue first, at most a round. Nothing is written."""
    due = list(store.due(clock.now(), ROUND))
    if not due:
        return []
    tools = Tools(PATIENCE, known_recordings())
    asked = [_asker(guard, tools) for guard in due]
    with ThreadPoolExecutor(max_workers=TOGETHER, thread_name_prefix="guard") as crew:
        return list(crew.map(lambda ask: ask(), asked))


def keep(made: list[Made]) -> datetime:
    """Write the runs, each in a transaction of its own, and say when a guard is due next."""
    for one in made:
        with transaction.atomic():
            commands.record(one.guard, one.ran, by="unrepeat", guard_digest=one.digest)
            guard = store.guard(one.guard)
            began = one.ran.at or clock.now()
            store.save_guard(guard, due_at=next_due(began, guard.every) if guard.every else None)
    return min(store.next_due() or clock.now() + IDLE, clock.now() + IDLE)


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


def _asker(guard: Guard, tools: Tools) -> Callable[[], Made]:
    """What runs a guard in a thread: it touches no database."""
    number, digest, kind, spec = guard.pk, guard.digest, guard.kind, guard.spec

    def ask() -> Made:
        at = clock.now()
        try:
            text = checked(kind, spec)
            _needs_safe(kind)
        except Problem as problem:
            outcome, seconds = broken(f"{problem.what} {problem.why}", problem.remedy), 0.0
        else:
            outcome, seconds = run_safely(kind, text, Target(), tools)
        connection.close()
        return Made(number, digest, commands.Ran(outcome, Target(), at=at, seconds=seconds))

    return ask


def _needs_safe(kind: str) -> None:
    """NotAllowed when the server must not run such guards, whoever asks."""
    if not kind_of(kind).SAFE:
        raise Problem(
            f"The server does not run {kind} guards.",
            "They run commands, which only a runner of your own may do.",
            "Call `unrepeat check` in CI.",
            status=403,
        )
