"""The server's patrol: guards run when they are due, their runs are written together, and none holds up the others."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection

from tests.support.api import a_filled_database
from unrepeat.incidents import acts, queries
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import entries as e
from unrepeat.prevention import commands, jobs, store
from unrepeat.prevention.guards import http_check
from unrepeat.prevention.kind import Outcome, Target
from unrepeat.prevention.models import Guard, Run
from unrepeat.prevention.running import patrol
from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.worker import Worker


@pytest.fixture
def says(monkeypatch):
    """What each guard's address says, by the last part of its path; else it is well. Only the way out is put in place of the real one."""
    answers: dict[str, object] = {}

    def run(spec, target, tools) -> Outcome:
        answer = answers.get(spec.url.rpartition("/")[2], "green")
        if isinstance(answer, threading.Event):
            answer.wait(30)
            answer = "green"
        return Outcome(answer, f"It is {answer}.", "Look at it." if answer == "broken" else "")

    monkeypatch.setattr(http_check, "run", run)
    yield answers
    for answer in answers.values():
        if isinstance(answer, threading.Event):
            answer.set()


def a_guard(name: str, every: int = 60) -> Guard:
    declared = commands.Declared(name, "http_check", {"url": f"http://192.0.2.1/{name}"}, "sessions", every)
    return commands.declare(declared, by="Ada")


def a_turn() -> int:
    """One turn of the worker for the patrol, which is due now; returns how many runs were written."""
    Wakeup.objects.filter(key="standing:prevention:patrol").update(due_at=clock.now())
    claim = wakeups.claim("worker", timedelta(seconds=30))
    while claim is not None and claim.what != "patrol":
        wakeups.finish(claim, "another's")
        claim = wakeups.claim("worker", timedelta(seconds=30))
    assert claim is not None
    made = jobs.PREPARATIONS["patrol"](claim)
    answer = jobs.HANDLERS["patrol"](claim, made)
    assert isinstance(answer, wakeups.Again)
    wakeups.again(claim, answer)
    return made


@pytest.mark.django_db(transaction=True)
def test_a_turn_runs_each_guard_that_is_due_once_and_says_when_it_is_due_again(says):
    says["b"], says["c"] = "red", "broken"
    numbers = {name: a_guard(name).pk for name in "abc"}
    later = a_guard("later")
    store.save_guard(later, due_at=clock.now() + timedelta(seconds=30))
    assert a_turn() == 3
    for name, colour in (("a", "green"), ("b", "red"), ("c", "broken")):
        guard, (run,) = store.guard(numbers[name]), store.runs(numbers[name])
        assert (guard.colour, guard.runs, guard.ran_at, guard.ran_said) == (colour, 1, run.at, run.said)
        assert guard.due_at == run.at + timedelta(seconds=60)
        assert (run.by, run.where, run.side) == ("unrepeat", "server", "now")
    assert store.guard(later.pk).runs == 0
    assert Wakeup.objects.get(key="standing:prevention:patrol").due_at == store.guard(later.pk).due_at


@pytest.mark.django_db(transaction=True)
def test_runs_that_are_written_together_tell_every_log_what_is_news_and_nothing_twice(says):
    world = a_filled_database()
    for text in ("End sessions", "Watch memory"):
        incidents.perform(world.incident, acts.ProposeMeasure("task", text, "Ben", None), by="Ada")
    for measure, name in enumerate("ab", start=max(queries.state_of(world.incident).measures) - 1):
        commands.tie(a_guard(name).pk, world.incident, measure, by="Ada")
    says["a"] = "red"
    for expected in (2, 0):
        before = len(queries.log_of(world.incident))
        Guard.objects.update(due_at=clock.now())
        assert a_turn() == 2
        turned = [one.entry for one in queries.log_of(world.incident, before) if isinstance(one.entry, e.GuardTurned)]
        assert len(turned) == expected
    assert {guard.colour for guard in queries.state_of(world.incident).guards.values()} == {"red", "green"}


@pytest.mark.django_db(transaction=True)
def test_guards_that_hang_hold_up_no_other_and_are_written_when_they_end(says, monkeypatch):
    monkeypatch.setattr(patrol, "TURN", 0.5)
    monkeypatch.setattr(patrol, "TOGETHER", 2)
    hangs = threading.Event()
    numbers = []
    for n in range(3):
        says[f"hangs-{n}"] = hangs
        numbers.append(a_guard(f"hangs-{n}").pk)
    well = [a_guard(f"well-{n}", every=1).pk for n in range(30)]
    while min(Guard.objects.filter(pk__in=well).values_list("runs", flat=True)) < 2:
        a_turn()
    assert not Run.objects.filter(guard_id__in=numbers).exists()
    assert all(store.guard(number).due_at > clock.now() for number in numbers), "nobody else runs them meanwhile"
    hangs.set()
    until = time.monotonic() + 10
    while Run.objects.filter(guard_id__in=numbers).count() < 3 and time.monotonic() < until:
        time.sleep(0.01)
    for number in numbers:
        assert (store.guard(number).colour, len(store.runs(number))) == ("green", 1)
    while patrol._left.guards() and time.monotonic() < until:
        time.sleep(0.01)
    assert patrol._left.guards() == set()


@pytest.mark.django_db(transaction=True)
def test_a_run_that_cannot_be_written_stops_no_other(says, monkeypatch):
    numbers = {name: a_guard(name).pk for name in ("bad", "good", "well")}
    whole = commands.record_all

    def refusing(made, *, by) -> None:
        if any(one.guard == numbers["bad"] for one in made):
            raise ValueError("this one is not taken")
        whole(made, by=by)

    monkeypatch.setattr(commands, "record_all", refusing)
    a_turn()
    assert [store.guard(numbers[name]).runs for name in ("bad", "good", "well")] == [0, 1, 1]
    assert store.guard(numbers["bad"]).due_at > clock.now(), "it is tried again, but not at once"


@pytest.mark.django_db(transaction=True)
def test_many_runs_cost_few_transactions(says):
    for n in range(60):
        a_guard(f"well-{n}")
    begun: list[str] = []

    def count(execute, sql, params, many, context):
        if sql.startswith('INSERT INTO "prevention_run"'):
            begun.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        assert a_turn() == 60
    assert len(begun) < 12


@pytest.mark.django_db(transaction=True)
def test_the_patrol_of_a_worker_that_lost_its_wakeup_ends(says, monkeypatch):
    a_guard("well", every=1)
    claim = wakeups.claim("worker", timedelta(seconds=30))
    while claim is not None and claim.what != "patrol":
        wakeups.finish(claim, "another's")
        claim = wakeups.claim("worker", timedelta(seconds=30))
    Wakeup.objects.filter(pk=claim.id).update(fence=claim.fence + 1)
    with pytest.raises(wakeups.LeaseLost):
        patrol._hold(claim, time.monotonic() - 1000)


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_stops_ends_its_patrol(says):
    for n in range(20):
        a_guard(f"well-{n}", every=1)
    worker = Worker()
    worker.start()
    until = time.monotonic() + 15
    while Run.objects.count() < 40 and time.monotonic() < until:
        time.sleep(0.05)
    worker.stop()
    assert Run.objects.count() >= 40
    assert not [one for one in threading.enumerate() if one.name.startswith("prepare standing:prevention:patrol")]


@pytest.mark.django_db
def test_a_result_that_comes_late_is_kept_and_changes_no_colour():
    guard, now = a_guard("front"), clock.now()
    newest = commands.Ran(Outcome("green", "It is well."), Target(), at=now)
    commands.record(guard.pk, newest, by="unrepeat")
    late = commands.Ran(Outcome("red", "It was not well."), Target(), at=now - timedelta(hours=2))
    commands.record(guard.pk, late, by="check of sessions")
    found = store.guard(guard.pk)
    assert (found.colour, found.ran_said, found.runs) == ("green", "It is well.", 2)


@pytest.mark.django_db
def test_a_late_result_of_the_same_commit_in_the_other_colour_shows_that_the_guard_is_flaky():
    guard, now, on = a_guard("front"), clock.now(), Target("ref", "3f2a", ref="3f2a")
    for colour, ago in (("green", 0), ("red", 2)):
        made = commands.Ran(Outcome(colour, "As it said."), on, at=now - timedelta(hours=ago), where="check")
        commands.record(guard.pk, made, by="check of sessions")
    assert (store.guard(guard.pk).colour, store.guard(guard.pk).flaky) == ("green", True)
