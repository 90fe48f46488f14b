"""What somebody asks the server to run: a guard at once, or a trial of it on the failure and on the fix.

Planned as a wakeup, so that a page or the API answers at once and the run survives a restart. Only safe kinds.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from unrepeat.prevention import commands, store
from unrepeat.prevention.kind import Target, Tools, broken, checked, kind_of
from unrepeat.prevention.models import Guard
from unrepeat.prevention.running import patrol
from unrepeat.prevention.running.targets import target_of
from unrepeat.support import clock, secret, wakeups
from unrepeat.support.problems import Conflict, Invalid, NotAllowed, Problem
from unrepeat.support.wakeups import Claim

PATIENCE = 300.0  # seconds for one side of a trial that somebody waits for


@dataclass(frozen=True, slots=True)
class Tried:
    """The runs that were made, of which text of which guard: one for a run, two (failure, fix) for a trial."""

    guard: int
    digest: str
    runs: tuple[commands.Ran, ...]


def plan_run(number: int, *, by: str) -> None:
    """Let the server run a guard as soon as it can; a Problem when it may not."""
    _plan("run", number, {}, by=by)


def plan_proof(number: int, failure: str, fix: str, *, by: str) -> None:
    """Let the server try a guard on the failure and on the fix, said in the words of `targets.py`; a Problem when it cannot."""
    if failure.strip() == fix.strip():
        raise Invalid(
            "The failure and the fix are the same.",
            "A proof is red on the one and green on the other.",
            "Choose what shows the failure, and what shows it gone.",
        )
    found = store.guard(number)
    for words in (failure, fix):
        _needs_target(found, target_of(words, patrol.known_recordings()))
    _plan("prove", number, {"failure": failure.strip(), "fix": fix.strip()}, by=by)


def under_way(number: int) -> bool:
    """Whether a run or a trial of the guard was asked for and has not ended."""
    return wakeups.under_way(f"asked:{number}:")


def make(claim: Claim) -> Tried:
    """Run what was asked for, outside any transaction."""
    found = store.guard(int(claim.subject["guard"]))
    known = patrol.known_recordings()
    words = [claim.subject[side] for side in ("failure", "fix")] if claim.what == "prove" else ["now"]
    return Tried(found.pk, found.digest, tuple(_run(found, one, Tools(PATIENCE, known)) for one in words))


def keep(claim: Claim, tried: Tried) -> str:
    """Write the runs, and what follows from them."""
    by = str(claim.subject["by"])
    if claim.what == "prove":
        failure, fix = tried.runs
        return commands.record_proof(tried.guard, failure, fix, by=by, guard_digest=tried.digest).said
    return commands.record(tried.guard, tried.runs[0], by=by, guard_digest=tried.digest).said


def _plan(what: str, number: int, subject: dict[str, str], *, by: str) -> None:
    with transaction.atomic():
        found = store.guard(number, hold=True)
        if found.retired_at is not None:
            raise Conflict(f"The guard {found.name} is out of service.", "It was retired.", "Declare it anew.")
        if not kind_of(found.kind).SAFE:
            raise NotAllowed(
                f"The server does not run {found.kind} guards.",
                "They run commands, which only a runner of your own may do.",
                f"Run it where its repository is: {_line_there(what, found)}",
            )
        if under_way(number):
            raise Conflict(f"The guard {found.name} is being run.", "Somebody asked for it.", "Wait for its result.")
        wakeups.plan(
            "prevention",
            what,
            {"guard": number, "by": by, **subject},
            due_at=clock.now(),
            key=f"asked:{number}:{what}:{secret.new_token()[:16]}",
        )


def _line_there(what: str, found: Guard) -> str:
    """What to type on a runner instead of what was asked."""
    return command_line(found) if what == "prove" else f"unrepeat guard run {found.name}"


def command_line(found: Guard, failure: str = "FAILURE", fix: str = "FIX") -> str:
    """The line that proves a guard on a runner of one's own."""
    return f"unrepeat guard prove {found.name} --failure {failure} --fix {fix}"


def _needs_target(found: Guard, target: Target) -> None:
    if target.kind not in kind_of(found.kind).TARGETS:
        raise Invalid(
            f"A {found.kind} guard cannot run on “{target.words}”.",
            f"That is a {target.kind}.",
            f"It can run on: {', '.join(kind_of(found.kind).TARGETS)}.",
        )


def _run(found: Guard, words: str, tools: Tools) -> commands.Ran:
    at, target = clock.now(), Target(words=words)
    try:
        target = target_of(words, tools.recordings)
        spec = checked(found.kind, found.spec)
    except Problem as problem:
        outcome, seconds = broken(f"{problem.what} {problem.why}", problem.remedy), 0.0
    else:
        outcome, seconds = patrol.run_safely(found.kind, spec, target, tools)
    return commands.Ran(outcome, target, at=at, seconds=seconds)
