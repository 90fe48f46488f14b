"""Takes what runners report: results of regular runs, and trials on the failure and on the fix. A report is for one service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import transaction

from unrepeat.prevention import commands, store
from unrepeat.prevention.commands import Ran
from unrepeat.prevention.kind import checked, kind_of
from unrepeat.prevention.models import Guard, Proof
from unrepeat.prevention.proving import digest_of
from unrepeat.support.problems import Conflict, Invalid, NotAllowed, NotFound, Problem


@dataclass(frozen=True, slots=True)
class Result:
    """A regular run of a guard's text with that digest, made by a runner."""

    guard: str
    digest: str
    ran: Ran


@dataclass(frozen=True, slots=True)
class Declaration:
    """What declaring came to. `changed`: the guard has a text that it did not have, and is unproven."""

    guard: Guard
    new: bool
    changed: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a result: kept (also when it was before), what it changed, or why it could not be taken."""

    guard: str
    kept: bool
    present: bool = False  # whether the text that ran is the guard's present one; otherwise it changes nothing
    colour: str = ""
    flaky: bool = False
    problem: Problem | None = None


def report(service: str, results: Sequence[Result], *, by: str) -> list[Taken]:
    """Keep results of one service's guards, each in a transaction of its own. NotAllowed, and nothing is kept, when one is of
    another service's guard.
    """
    found = {name: store.guard_named(name) for name in {result.guard for result in results}}
    for guard in found.values():
        if guard is not None:
            _needs_service(guard, service)
    return [_take(result, found, by=by) for result in results]


def declare(
    declared: commands.Declared, measures: Sequence[tuple[int, int]], *, by: str, reviewed: bool = True
) -> Declaration:
    """Declare a guard and tie it to measures (incident and number), all or nothing; ties that it has besides stay.

    `reviewed`: it comes from the repository by its runner, or from who owns the server. Otherwise NotAllowed when it would change
    what is declared in a repository.
    """
    with transaction.atomic():
        before = store.guard_named(declared.name, hold=True)
        if before is not None and before.origin == "repository" and not reviewed:
            declared = _unchanged(declared, before)
        known = before.digest if before else ""
        made = commands.declare(declared, by=by)
        for incident, measure in sorted(measures):
            commands.tie(made.pk, incident, measure, by=by)
        return Declaration(made, new=before is None, changed=known != made.digest)


def _unchanged(declared: commands.Declared, before: Guard) -> commands.Declared:
    spec = checked(declared.kind, declared.spec).model_dump(mode="json", exclude_defaults=True)
    now = (digest_of(declared.kind, spec), declared.service, declared.every)
    if now != (before.digest, before.service, before.every):
        raise commands.in_repository(before)
    return replace(declared, origin="repository", place=before.place)


def prove(name: str, service: str, digest: str, failure: Ran, fix: Ran, *, by: str) -> Proof:
    """Keep a trial that a runner made. Sent twice with the same keys, it is kept once."""
    with transaction.atomic():
        found = store.guard_named(name, hold=True)
        if found is None:
            raise _unknown(name)
        _needs_service(found, service)
        _needs_difference(found, failure, fix)
        if failure.key:  # one key for the whole trial, in a room of its own
            key = f"check:{found.pk}:{{}}:{failure.key}"
            failure, fix = replace(failure, key=key.format("failure")), replace(fix, key=key.format("fix"))
            before = store.run_by_key(failure.key or "")
            kept = store.proof_of_run(before) if before else None
            if kept is not None:
                return kept
        return commands.record_proof(found.pk, failure, fix, by=by, guard_digest=digest)


def _take(result: Result, found: Mapping[str, Guard | None], *, by: str) -> Taken:
    guard = found[result.guard]
    try:
        if guard is None:
            raise _unknown(result.guard)
        if guard.retired_at is not None:
            raise Conflict(f"The guard {guard.name} is out of service.", "It was retired.", "Declare it anew.")
        key = f"check:{guard.pk}:now:{result.ran.key}" if result.ran.key else None
        kept = commands.record(guard.pk, replace(result.ran, key=key), by=by, guard_digest=result.digest)
    except Problem as problem:
        return Taken(result.guard, kept=False, problem=problem)
    now = store.guard(guard.pk)
    return Taken(guard.name, kept=True, present=kept.guard_digest == now.digest, colour=now.colour, flaky=now.flaky)


def _needs_service(guard: Guard, service: str) -> None:
    if guard.service != service:
        raise NotAllowed(
            f"The guard {guard.name} is not one of {service or 'no service'}.",
            f"It guards {guard.service or 'no service'}, and a report is for one service.",
            "Report for the service that the guard belongs to, with a token of that service.",
        )


def _needs_difference(guard: Guard, failure: Ran, fix: Ran) -> None:
    targets = kind_of(guard.kind).TARGETS
    for ran in (failure, fix):
        if ran.target.kind not in targets:
            raise Invalid(
                f"A {guard.kind} guard is not proven on a {ran.target.kind}.",
                f"The trial ran on “{ran.target.words}”.",
                f"It can be proven on: {', '.join(targets)}.",
            )
    if (failure.target.kind, failure.target.ref or failure.target.words) == (
        fix.target.kind,
        fix.target.ref or fix.target.words,
    ):
        raise Invalid(
            "The failure and the fix are the same.",
            f"Both are “{fix.target.words}”.",
            "Name what shows the failure, and what shows it gone.",
        )


def _unknown(name: str) -> NotFound:
    return NotFound(
        f"The server knows no guard {name}.",
        "It was not declared there.",
        "Declare it: `unrepeat guard declare`, or let `unrepeat check` declare unrepeat.toml.",
    )
