"""Wakeups: planned with what causes them, held by one worker at a time, never lost, and swept when long done."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.support.wakeups import Claim, LeaseLost

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
LEASE = timedelta(seconds=30)


@pytest.fixture
def time():
    """A clock that stands at the outage's start."""
    simulated = clock.SimulatedClock(START)
    with clock.using(simulated):
        yield simulated


def plan(key: str, after: float = 0) -> bool:
    with transaction.atomic():
        return wakeups.plan("incidents", "remind", {"key": key}, due_at=clock.now() + timedelta(seconds=after), key=key)


def test_a_wakeup_comes_when_it_is_due_and_not_before(db, time):
    plan("remind:1", after=60)
    assert wakeups.claim("one", LEASE) is None
    assert wakeups.next_due() == START + timedelta(seconds=60)
    time.advance(seconds=60)
    claimed = wakeups.claim("one", LEASE)
    assert (claimed.key, claimed.subject, claimed.attempt) == ("remind:1", {"key": "remind:1"}, 1)
    wakeups.finish(claimed, "Reminded.")
    assert wakeups.claim("one", LEASE) is None
    assert wakeups.next_due() is None


def test_the_longest_due_comes_first(db, time):
    plan("second", after=2)
    plan("first", after=1)
    time.advance(seconds=5)
    assert [wakeups.claim("one", LEASE).key for _ in range(2)] == ["first", "second"]


def test_one_key_is_planned_once(db, time):
    assert plan("remind:1")
    assert not plan("remind:1")
    assert Wakeup.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_wakeup_is_planned_in_the_transaction_of_its_cause():
    with pytest.raises(RuntimeError, match="in the transaction"):
        wakeups.plan("incidents", "remind", {}, due_at=START, key="remind:1")


def test_what_is_rolled_back_plans_nothing(db, time):
    with transaction.atomic():
        plan("remind:1")
        transaction.set_rollback(True)
    assert not Wakeup.objects.exists()


def test_a_dead_workers_wakeup_goes_to_the_next_and_the_dead_one_cannot_finish_it(db, time):
    plan("remind:1")
    dead = wakeups.claim("dead", LEASE)
    assert wakeups.claim("next", LEASE) is None
    time.advance(seconds=30)
    alive = wakeups.claim("next", LEASE)
    assert (alive.key, alive.attempt, alive.fence) == (dead.key, 2, dead.fence + 1)
    for act in (wakeups.finish, lambda c: wakeups.put_back(c, "oh"), lambda c: wakeups.extend(c, LEASE)):
        with pytest.raises(LeaseLost):
            act(dead)
    wakeups.finish(alive)


def test_a_lease_can_be_held_longer(db, time):
    plan("remind:1")
    held = wakeups.claim("one", LEASE)
    time.advance(seconds=29)
    held = wakeups.extend(held, LEASE)
    time.advance(seconds=29)
    assert wakeups.claim("two", LEASE) is None
    wakeups.finish(held)


def test_a_failed_try_comes_again_later_and_later_and_is_given_up_in_the_end(db, time):
    plan("remind:1")
    pauses = []
    while claimed := wakeups.claim("one", LEASE):
        wakeups.put_back(claimed, "The mail server is away.")
        if due := wakeups.next_due():
            pauses.append((due - clock.now()).total_seconds())
            time.move_to(due)
    assert pauses[:7] == [1, 5, 15, 60, 300, 900, 900]
    assert len(pauses) == wakeups.GIVE_UP_AFTER - 1
    assert Wakeup.objects.get().outcome == "given up: The mail server is away."


def test_a_cancelled_wakeup_does_not_come_and_cannot_be_finished(db, time):
    for key in ("page:1:a", "page:1:b", "page:10:a"):
        plan(key)
    held = wakeups.claim("one", LEASE)
    assert wakeups.cancel("page:1:", "Acknowledged.") == 2
    with pytest.raises(LeaseLost):
        wakeups.finish(held)
    assert wakeups.claim("one", LEASE).key == "page:10:a"


def test_old_wakeups_are_swept_and_young_ones_stay(db, time):
    Wakeup.objects.bulk_create(
        Wakeup(
            id=n,
            room="r",
            what="w",
            key=f"k{n}",
            due_at=START,
            planned_at=START,
            done_at=START - timedelta(days=31 if n % 2 else 29),
        )
        for n in range(1, 51)
    )
    Wakeup.objects.create(id=wakeups.SWEEP_EVERY, room="r", what="w", key="now", due_at=START, planned_at=START)
    wakeups.finish(wakeups.claim("one", LEASE))
    assert Wakeup.objects.count() == 26


def test_asking_when_there_is_nothing_to_do_takes_no_lock(db, time, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert wakeups.claim("one", LEASE) is None


@pytest.mark.django_db(transaction=True)
def test_no_two_workers_ever_hold_the_same_wakeup():
    with transaction.atomic():
        for n in range(120):
            wakeups.plan("incidents", "remind", {}, due_at=clock.now(), key=f"remind:{n}")
    held, failures = [], []

    def work(name: str) -> None:
        try:
            while claimed := wakeups.claim(name, LEASE):
                held.append((claimed.key, claimed.fence))
                with transaction.atomic():
                    wakeups.finish(claimed)
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)
        finally:
            connection.close()

    workers = [threading.Thread(target=work, args=[f"w{n}"]) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failures == []
    while claimed := wakeups.claim("last", LEASE):  # a worker passes over what another is just taking
        held.append((claimed.key, claimed.fence))
        wakeups.finish(claimed)
    assert sorted(held) == sorted((f"remind:{n}", 1) for n in range(120))


@dataclass
class Holder:
    """A worker of the model. A killed one forgets its claim; a stalled one keeps it and may come back at any time."""

    claim: Claim | None = None
    stalled: list[Claim] = field(default_factory=list)


class Workers(RuleBasedStateMachine):
    """Three workers that stall and are killed at any moment, a clock that only goes on, and a model of what must be."""

    @initialize()
    def begin(self):
        Wakeup.objects.all().delete()
        self.clock = clock.SimulatedClock(START)
        self.using = clock.using(self.clock)
        self.using.__enter__()
        self.workers = [Holder() for _ in range(3)]
        self.due: dict[str, datetime] = {}
        self.effects: dict[str, int] = {}
        self.fences: dict[str, int] = {}
        self.ended: set[str] = set()
        self.left: dict[str, datetime] = {}  # what killed workers held, until their leases run out

    @rule(number=st.integers(0, 30), after=st.integers(0, 120))
    def plan(self, number, after):
        key = f"remind:{number}"
        assert plan(key, after) == (key not in self.due)
        self.due.setdefault(key, self.clock() + timedelta(seconds=after))

    @rule(seconds=st.sampled_from([1, 5, 29, 30, 31, 120, 900]))
    def time_goes_on(self, seconds):
        self.clock.advance(seconds=seconds)

    @rule(which=st.integers(0, 2))
    def claim(self, which):
        worker = self.workers[which]
        if worker.claim is not None:
            return
        got = wakeups.claim(str(which), LEASE)
        ready = {key for key in self.due if key not in self.ended and self.due[key] <= self.clock()} - self.held()
        if got is None:
            assert not ready
            return
        assert got.key in ready
        assert self.due[got.key] == min(self.due[key] for key in ready)
        assert got.fence > self.fences.get(got.key, 0)
        self.fences[got.key] = got.fence
        worker.claim = got

    def held(self) -> set[str]:
        """What is under a valid lease."""
        every = [c for w in self.workers for c in ([w.claim] if w.claim else []) + w.stalled]
        valid = [c.key for c in every if c.until > self.clock() and c.fence == self.fences[c.key]]
        return set(valid) - self.ended | {k for k, until in self.left.items() if until > self.clock()}

    @rule(which=st.integers(0, 2))
    def kill(self, which):
        worker = self.workers[which]
        if worker.claim is not None:
            self.left = {**self.left, worker.claim.key: worker.claim.until}
            worker.claim = None

    @rule(which=st.integers(0, 2))
    def stall(self, which):
        worker = self.workers[which]
        if worker.claim is not None:
            worker.stalled.append(worker.claim)
            worker.claim = None

    def end(self, claimed: Claim, act) -> bool:
        """Finish or put back; whether it counted."""
        current = self.fences[claimed.key] == claimed.fence and claimed.key not in self.ended
        try:
            with transaction.atomic():
                act(claimed)
        except LeaseLost:
            assert not current
            return False
        assert current
        self.left = {key: until for key, until in self.left.items() if key != claimed.key}
        return True

    @rule(which=st.integers(0, 2))
    def finish(self, which):
        claimed, self.workers[which].claim = self.workers[which].claim, None
        if claimed is not None and self.end(claimed, wakeups.finish):
            self.effects[claimed.key] = self.effects.get(claimed.key, 0) + 1
            self.ended.add(claimed.key)

    @rule(which=st.integers(0, 2))
    def a_stalled_worker_comes_back_and_finishes(self, which):
        for claimed in self.workers[which].stalled:
            if self.end(claimed, wakeups.finish):
                self.effects[claimed.key] = self.effects.get(claimed.key, 0) + 1
                self.ended.add(claimed.key)
        self.workers[which].stalled = []

    @rule(which=st.integers(0, 2))
    def fail_and_yet_try_to_finish_later(self, which):
        claimed, self.workers[which].claim = self.workers[which].claim, None
        if claimed is not None and self.end(claimed, lambda c: wakeups.put_back(c, "It failed.")):
            if claimed.attempt >= wakeups.GIVE_UP_AFTER:
                self.ended.add(claimed.key)
            else:
                self.due[claimed.key] = Wakeup.objects.get(key=claimed.key).due_at
                assert self.due[claimed.key] > self.clock()
                self.fences[claimed.key] += 1
            self.workers[which].stalled.append(claimed)

    @invariant()
    def every_wakeup_that_was_planned_is_there(self):
        rows = dict(Wakeup.objects.values_list("key", "done_at"))
        assert rows.keys() == self.due.keys()
        assert {key for key, done in rows.items() if done} == self.ended
        assert all(count == 1 for count in self.effects.values())

    def teardown(self):
        if not hasattr(self, "using"):
            return
        try:
            while (due := wakeups.next_due()) is not None:
                self.clock.move_to(due)
                while claimed := wakeups.claim("healthy", LEASE):
                    assert claimed.key not in self.ended
                    wakeups.finish(claimed)
                    self.effects[claimed.key] = self.effects.get(claimed.key, 0) + 1
            given_up = Wakeup.objects.filter(outcome__startswith="given up").count()
            assert Wakeup.objects.filter(done_at=None).count() == 0
            assert len(self.effects) + given_up == len(self.due)
            assert set(self.effects.values()) <= {1}
        finally:
            self.using.__exit__(None, None, None)


def test_nothing_is_lost_or_done_twice_whatever_happens_to_the_workers(db):
    run_state_machine_as_test(
        Workers,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_standing_work_is_one_wakeup_that_is_due_again_and_again(db, time):
    with transaction.atomic():
        wakeups.stand("prevention", "patrol", due_at=START)
    for turn in range(3):
        claimed = wakeups.claim("one", LEASE)
        assert (claimed.key, claimed.attempt) == ("standing:prevention:patrol", 1), turn
        wakeups.again(claimed, wakeups.Again("looked", clock.now() + timedelta(seconds=60)))
        assert wakeups.claim("one", LEASE) is None
        time.advance(seconds=60)
    assert Wakeup.objects.count() == 1


def test_standing_work_can_be_hurried_but_not_put_off_and_comes_back_after_it_was_given_up(db, time):
    def stand(after: float) -> None:
        with transaction.atomic():
            wakeups.stand("prevention", "patrol", due_at=clock.now() + timedelta(seconds=after))

    stand(60)
    stand(600)
    assert wakeups.next_due() == START + timedelta(seconds=60)
    stand(5)
    assert wakeups.next_due() == START + timedelta(seconds=5)
    Wakeup.objects.update(done_at=START, attempts=20, outcome="given up: no answer")
    stand(7)
    assert wakeups.next_due() == START + timedelta(seconds=7)
