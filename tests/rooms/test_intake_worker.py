"""The worker: what has arrived is read, what is due is done once, and a failure is tried again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from tests.rooms.test_intake_reading import arrives
from tests.support.bodies import alertmanager
from unrepeat.arrivals.models import Alert
from unrepeat.support import bell, clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.worker import Jobs, Worker, jobs

NOON = datetime(2024, 8, 12, 12, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


def plan(what="nudge", *, at=None, key="k"):
    with transaction.atomic():
        wakeups.plan("duty", what, {"n": 1}, due_at=at or clock.now(), key=key)


def worker(handler, preparation=None, **more) -> Worker:
    preparations = {("duty", "nudge"): preparation} if preparation else {}
    return Worker(Jobs({("duty", "nudge"): handler}, preparations, **more), name="Ada's worker")


def the_wakeup() -> Wakeup:
    return Wakeup.objects.get(key="k")


def test_all_rooms_jobs_are_found_by_scan():
    found = jobs()
    assert found.group_news is not None
    assert {room for room, _ in found.handlers} >= {"incidents", "postmortems"}
    assert set(found.preparations) <= set(found.handlers)


def test_what_is_due_is_done_once_with_its_outcome():
    done = []
    plan()
    plan(at=clock.now() + timedelta(hours=1), key="later")
    assert worker(lambda claim: done.append(claim.subject) or "Nudged.").run_until_idle() == 1
    assert done == [{"n": 1}] and the_wakeup().outcome == "Nudged." and the_wakeup().done_at


def test_what_asks_the_outside_world_is_asked_before_the_transaction():
    seen = []
    depth = len(connection.savepoint_ids)

    def prepare(claim):
        seen.append(len(connection.savepoint_ids) - depth)
        return "an answer"

    def handle(claim, answer):
        seen.append(len(connection.savepoint_ids) - depth)
        return answer

    plan()
    worker(handle, prepare).run_until_idle()
    assert seen == [0, 1] and the_wakeup().outcome == "an answer"


@pytest.mark.parametrize("where", ["handler", "preparation"])
def test_a_failure_undoes_its_work_and_is_tried_again_later(where):
    def fail(claim, *_):
        Wakeup.objects.create(room="duty", what="left over", key="left", due_at=NOON, planned_at=NOON)
        raise ValueError("odd")

    plan()
    failing = worker(fail) if where == "handler" else worker(lambda claim, _: "", fail)
    failing.run_until_idle()
    row = the_wakeup()
    assert row.done_at is None and "odd" in row.outcome and row.due_at > clock.now()
    assert where == "preparation" or not Wakeup.objects.filter(key="left").exists()


def test_a_wakeup_that_no_room_knows_is_kept_for_a_newer_server():
    plan("unheard of")
    worker(lambda claim: "").run_until_idle()
    assert the_wakeup().done_at is None and the_wakeup().attempts == 1


def test_a_worker_whose_lease_was_taken_over_changes_nothing():
    def overtaken(claim):
        Wakeup.objects.filter(id=claim.id).update(fence=claim.fence + 1)
        return "too late"

    plan()
    assert worker(overtaken).run_until_idle() == 1
    assert the_wakeup().done_at is None and the_wakeup().outcome != "too late"


@pytest.mark.django_db(transaction=True)
class TestInItsThread:
    def test_a_delivery_is_read_at_once_when_the_bell_rings(self):
        started = worker(lambda claim: "")
        read = threading.Event()
        stop = bell.listen(lambda topic: read.set() if topic == "alerts" else None)
        started.start()
        try:
            arrives(alertmanager(["a"]))
            assert read.wait(5)
        finally:
            started.stop()
            stop()
        assert Alert.objects.count() == 1

    def test_it_goes_on_after_an_error_of_its_own(self, monkeypatch):
        monkeypatch.setattr("unrepeat.worker.TICK", 0.05)
        calls = iter([RuntimeError("odd"), None])
        again = threading.Event()

        def group(limit):
            error = next(calls, None)
            if error:
                raise error
            again.set()
            return 0

        started = worker(lambda claim: "", group_news=group)
        started.start()
        try:
            assert again.wait(5)
        finally:
            started.stop()


def test_grouping_has_a_bounded_share_while_deliveries_wait(monkeypatch):
    monkeypatch.setattr("unrepeat.arrivals.reading.MOST_ALERTS", 1)
    for n in range(60):
        arrives(alertmanager([f"k{n}"]))
    grouped = []

    def group(limit):
        pause = threading.Event()
        pause.wait(0.02)
        grouped.append(Alert.objects.count())
        return 0

    worker(lambda claim: "", group_news=group).run_until_idle()
    assert Alert.objects.count() == 60
    before_all_were_read = [count for count in grouped if count < 60]
    assert 0 < len(before_all_were_read) < 40
