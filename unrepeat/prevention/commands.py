"""What people and machines can do with guards: check, then write, in one transaction with the entries in the logs of the
incidents whose measures the guard watches over.

Locks are always taken in one order: the guard's row, then the incidents by number.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from django.db import transaction

from unrepeat.incidents import checks
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import entries as e
from unrepeat.incidents import queries as incident_queries
from unrepeat.prevention import store
from unrepeat.prevention.kind import OUTPUT, SAID, Outcome, Target, checked, kind_of
from unrepeat.prevention.models import Guard, Proof, Run
from unrepeat.prevention.proving import digest, digest_of, verdict
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Conflict, Invalid, NotAllowed

Side = Literal["now", "failure", "fix"]
SOONEST = 1  # seconds: the server runs no guard more often
SUMMARY = ("colour", "turned_at", "ran_at", "ran_said")  # what a guard's row says of its newest regular run
NAME = r"[a-z0-9][a-z0-9._-]{0,119}"


@dataclass(frozen=True, slots=True)
class Declared:
    """A guard as somebody declares it. `every` 0: the server does not run it by itself."""

    name: str
    kind: str
    spec: Mapping[str, Any]
    service: str = ""
    every: int = 0
    origin: Literal["page", "api", "terminal", "repository"] = "api"
    place: str = ""


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that has been made: where, on what, when it began, how long it took."""

    outcome: Outcome
    target: Target = field(default_factory=Target)
    at: datetime | None = None
    seconds: float = 0.0
    where: Literal["server", "check"] = "server"
    key: str | None = None


def declare(declared: Declared, *, by: str) -> Guard:
    """Make a guard, or give the one of that name another text; what was proven of the old text says nothing about the new."""
    by, name = checks.text("author", by, checks.NAME), _name(declared.name)
    kind = kind_of(declared.kind)
    spec = checked(declared.kind, declared.spec).model_dump(mode="json", exclude_defaults=True)
    every = _every(declared.every, declared.kind, safe=kind.SAFE)
    now, made = clock.now(), digest_of(declared.kind, spec)
    common = {
        "kind": declared.kind,
        "service": checks.optional("service", declared.service, checks.NAME),
        "spec": spec,
        "digest": made,
        "every": every,
        "origin": declared.origin,
        "place": declared.place[:300],
        "retired_at": None,
        "due_at": now if every else None,
    }
    with transaction.atomic():
        found = store.guard_named(name, hold=True)
        if found is None:
            found = store.make_guard(name=name, made_by=by, made_at=now, changed_at=now, **common)
            store.add_text(found, by=by, at=now)
        elif found.digest == made:
            store.save_guard(found, **common)
        else:
            unrun = {"colour": "", "turned_at": None, "ran_at": None, "ran_said": "", "flaky": False}
            store.save_guard(found, changed_at=now, **common, **unrun)
            store.add_text(found, by=by, at=now)
            _tell(found, [e.GuardChanged(found.pk, made)], by=by)
        if every:
            wakeups.stand("prevention", "patrol", due_at=now)
        return found


def in_repository(found: Guard) -> NotAllowed:
    """The refusal to people who would change here what is declared in a service's repository."""
    return NotAllowed(
        f"The text of {found.name} stands in its service’s repository.",
        f"It was declared in {found.place or 'unrepeat.toml'}.",
        "Change it there, where it is reviewed like code; `unrepeat check` brings it here.",
    )


def tie(number: int, incident: int, measure: int, *, by: str) -> bool:
    """Let a guard watch over a measure; whether it did not before. Its colour and a proof that stands come along."""
    with transaction.atomic():
        found = store.guard(number, hold=True)
        state = incident_queries.state_of(incident)
        checks.needs_measure(state, measure, incident)
        if not store.tie(found, incident, measure):
            return False
        entries: list[e.Entry] = [e.GuardTied(measure, found.pk, found.name, found.kind, found.digest)]
        if found.colour:
            entries.append(_turned(found, found.colour, "", found.ran_said))
        proof = store.newest_proof(found)
        if proof is not None and proof.proven:
            entries.append(_proven(found, proof))
        incidents.append(incident, entries, by=by)
        return True


def untie(number: int, incident: int, measure: int, *, by: str, reason: str = "") -> bool:
    """Let a guard watch over a measure no more; whether it did."""
    with transaction.atomic():
        found = store.guard(number, hold=True)
        if not store.untie(found, incident, measure):
            return False
        said = checks.optional("reason", reason, checks.REASON)
        incidents.append(incident, [e.GuardUntied(measure, found.pk, said)], by=by)
        return True


def retire(number: int, *, by: str, reason: str) -> None:
    """Take a guard out of service: it is untied from its measures, which are not verified by it any more."""
    said = checks.text("reason", reason, checks.REASON)
    with transaction.atomic():
        found = store.guard(number, hold=True)
        if found.retired_at is not None:
            raise Conflict(f"The guard {found.name} is out of service.", "It was retired before.", "")
        for tied in store.ties(number):
            untie(number, tied.incident_id, tied.measure, by=by, reason=said)
        store.save_guard(found, retired_at=clock.now(), due_at=None)


def record(number: int, ran: Ran, *, by: str, guard_digest: str = "") -> Run:
    """Keep a regular run, and what follows from it: the guard's colour, and entries where that is news.

    `guard_digest`: the text that ran, when it may be another than the present one; then the run is kept and changes nothing.
    A run with a key that is known is not kept again.
    """
    with transaction.atomic():
        found = store.guard(number, hold=True)
        if ran.key and (before := store.run_by_key(ran.key)):
            return before
        kept = _keep(found, ran, "now", by=by, guard_digest=guard_digest)
        columns, entry = _following(found, kept)
        both = bool(kept.ref) and kept.guard_digest == found.digest and len(store.colours_on(found, kept.ref)) > 1
        if both or "colour" in columns:
            columns["flaky"] = both
        store.save_guard(found, **columns)
        if entry is not None:
            _tell(found, [entry], by=by)
        return kept


@dataclass(frozen=True, slots=True)
class Patrolled:
    """A regular run by the server: of which guard, of which of its texts, and when the guard is due again (None: not by itself)."""

    guard: int
    digest: str
    ran: Ran
    due_at: datetime | None


def record_all(made: Sequence[Patrolled], *, by: str) -> None:
    """Keep many runs at once, each as `record` does, and when their guards are due again; all or nothing."""
    with transaction.atomic():
        guards = store.hold_guards({one.guard for one in made})
        rows, told = [], defaultdict[int, list[e.Entry]](list)
        for one in made:
            found = guards[one.guard]
            row = _run(found, one.ran, "now", by=by, guard_digest=one.digest)
            columns, entry = _following(found, row)
            rows.append(row)
            for name, value in columns.items():
                setattr(found, name, value)
            if found.retired_at is None:
                found.due_at = one.due_at if found.every else None
            if "colour" in columns:
                found.flaky = False  # the server runs no commit
            if entry is not None:
                for incident in store.incidents_of(found.pk):
                    told[incident].append(entry)
        store.add_runs(rows)
        store.save_guards(guards.values(), ("runs", *SUMMARY, "flaky", "due_at"))
        for incident in sorted(told):
            incidents.append(incident, told[incident], by=by)


def record_proof(number: int, failure: Ran, fix: Ran, *, by: str, guard_digest: str = "") -> Proof:
    """Keep a trial on the failure and on the fix. Only red on the one and green on the other is a proof, of the text that ran."""
    with transaction.atomic():
        found = store.guard(number, hold=True)
        red = _keep(found, failure, "failure", by=by, guard_digest=guard_digest)
        green = _keep(found, fix, "fix", by=by, guard_digest=guard_digest)
        came_to = verdict(failure.outcome.colour, fix.outcome.colour)
        now = clock.now()
        proof = store.add_proof(
            guard=found,
            guard_digest=red.guard_digest,
            failure=red,
            fix=green,
            proven=came_to.proven,
            said=came_to.said,
            by=by,
            at=now,
        )
        store.save_guard(found, runs=found.runs + 2)
        if red.guard_digest == found.digest:
            if came_to.proven:
                store.save_guard(found, proven_digest=found.digest, proven_at=now)
                _tell(found, [_proven(found, proof)], by=by)
            else:
                store.save_guard(found, proven_digest="", proven_at=None)
                _tell(found, [e.GuardNotProven(found.pk, found.digest, _why_not(came_to.said, red, green))], by=by)
        return proof


def _keep(found: Guard, ran: Ran, side: Side, *, by: str, guard_digest: str) -> Run:
    made = _run(found, ran, side, by=by, guard_digest=guard_digest)
    store.add_runs([made])
    return made


def _run(found: Guard, ran: Ran, side: Side, *, by: str, guard_digest: str) -> Run:
    """A run as it will be kept, sealed."""
    outcome, now = ran.outcome, clock.now()
    columns: dict[str, Any] = {
        "guard_digest": guard_digest or found.digest,
        "side": side,
        "colour": outcome.colour,
        "at": min(ran.at or now, now),  # a runner whose clock is ahead must not outrun all that come after it
        "seconds": max(0.0, ran.seconds),
        "said": _plain(outcome.said)[:SAID],
        "remedy": _plain(outcome.remedy)[:SAID],
        "output": _plain(outcome.output)[-OUTPUT:],
        "figures": dict(outcome.figures),
        "target": _plain(ran.target.words)[:300],
        "ref": _plain(ran.target.ref)[:120],
        "where": ran.where,
        "environment": dict(outcome.environment),
        "by": by,
    }
    sealed = digest({"guard": found.name, **columns})
    return Run(guard=found, digest=sealed, key=ran.key, **columns)


def _following(found: Guard, kept: Run) -> tuple[dict[str, Any], e.GuardTurned | None]:
    """What a regular run changes in its guard's summary, and the entry for the logs when its colour is news.

    One of an older text, or one that was made before the newest and comes late, is counted and changes nothing else.
    """
    counted: dict[str, Any] = {"runs": found.runs + 1}
    if kept.guard_digest != found.digest or (found.ran_at is not None and kept.at < found.ran_at):
        return counted, None
    news = found.colour != kept.colour
    columns = {
        **counted,
        "colour": kept.colour,
        "turned_at": kept.at if news else found.turned_at,
        "ran_at": kept.at,
        "ran_said": kept.said[:500],
    }
    return columns, _turned(found, kept.colour, kept.digest, kept.said) if news else None


def _tell(found: Guard, entries: list[e.Entry], *, by: str) -> None:
    """Append to the log of each incident whose measures the guard watches over."""
    for incident in store.incidents_of(found.pk):
        incidents.append(incident, entries, by=by)


def _proven(found: Guard, proof: Proof) -> e.GuardProven:
    return e.GuardProven(
        found.pk,
        proof.guard_digest,
        proof.failure.digest,
        proof.fix.digest,
        proof.said,
        proof.failure.target,
        proof.fix.target,
        proof.failure.said,
        proof.fix.said,
        proof.failure.at,
        proof.fix.at,
    )


def _why_not(said: str, failure: Run, fix: Run) -> str:
    """Why a trial is no proof: the verdict, and the words of the run that could not say, else of the one on the failure."""
    told = next((run.said for run in (failure, fix) if run.colour == "broken"), failure.said)
    return f"{said} {told}".strip()


def _turned(found: Guard, colour: str, run: str, said: str) -> e.GuardTurned:
    turned: dict[str, e.Colour] = {"red": "red", "green": "green", "broken": "broken"}
    return e.GuardTurned(found.pk, found.digest, turned[colour], run, said)


def _plain(text: str) -> str:
    """Text that every database keeps: without NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def _name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise Invalid(
            f"“{checks.shortened(name, 40)}” is no name of a guard.",
            "Names stand in addresses, files and results.",
            "Use small letters, digits, dots and dashes, for example sessions-memory-per-session.",
        )
    return name


def _every(every: int, kind: str, *, safe: bool) -> int:
    if every and not safe:
        raise Invalid(
            f"The server does not run {kind} guards.",
            "They run commands, which only a runner of your own may do.",
            "Leave out `every`, and call `unrepeat check` in CI.",
        )
    if every and every < SOONEST:
        raise Invalid("That is too often.", f"The server runs a guard at most every {SOONEST} s.", "Give more seconds.")
    return every
