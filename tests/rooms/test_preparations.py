"""What asks the outside world has threads of its own: while Prometheus hangs, a new alert is grouped within a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection, transaction
from structlog.testing import capture_logs

from tests.support.world import alert
from unrepeat import worker as working
from unrepeat.incidents import queries
from unrepeat.incidents.entries import EvidenceMissing
from unrepeat.investigation import investigate
from unrepeat.investigation.telemetry import prometheus, using
from unrepeat.investigation.telemetry.prometheus import Prometheus
from unrepeat.support import bell, clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.worker import Jobs, Worker

pytestmark = pytest.mark.django_db(transaction=True)


class Hanging:
    """A real HTTP server that takes its time; `free` lets it answer. `waiting`: how many are being kept."""

    def __init__(self) -> None:
        self.free, self.waiting, self.most = threading.Event(), 0, 0
        lock, hanging = threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with lock:
                    hanging.waiting += 1
                    hanging.most = max(hanging.most, hanging.waiting)
                hanging.free.wait(30)
                with lock:
                    hanging.waiting -= 1
                self.send_response(503)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


@pytest.fixture
def hanging(monkeypatch) -> Iterator[Hanging]:
    monkeypatch.setattr(investigate, "resting", investigate.Resting())
    made = Hanging()
    yield made
    made.free.set()
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def started(hanging) -> Iterator[Callable[..., Worker]]:
    """Starts workers, and stops them all, with nothing left to wait for."""
    running: list[Worker] = []

    def start(jobs: Jobs | None = None) -> Worker:
        running.append(Worker(jobs))
        running[-1].start()
        return running[-1]

    yield start
    hanging.free.set()
    for worker in running:
        worker.stop()


def soon(condition: Callable[[], object], seconds: float = 10.0) -> float:
    """Wait until it holds; how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come about"
        time.sleep(0.01)
    return time.monotonic() - began


def fires(name: str, service: str) -> None:
    """An alert that has just been read."""
    with transaction.atomic():
        alert(service, name, at=clock.now())
        bell.ring_on_commit("alerts")


def plan(key: str, *, what: str = "ask", room: str = "investigation") -> None:
    with transaction.atomic():
        wakeups.plan(room, what, {}, due_at=clock.now(), key=key)


def outcome(key: str) -> str | None:
    row = Wakeup.objects.get(key=key)
    return row.outcome if row.done_at else None


def test_while_prometheus_hangs_a_new_alert_is_grouped_within_a_second(hanging, started):
    with using(Prometheus(hanging.url)):
        started()
        fires("Memory high", "sessions")
        soon(lambda: hanging.waiting > 0)
        fires("Disk full", "archive")
        took = soon(lambda: len(queries.open_incidents()) == 2)
        assert hanging.waiting > 0, "it hangs all the while"
        assert took < 1.0
        hanging.free.set()
        soon(lambda: not wakeups.under_way("gather:"), 20)
    first = min(row.pk for row in queries.open_incidents())
    missing = [one.entry for one in queries.log_of(first) if isinstance(one.entry, EvidenceMissing)]
    assert any("answered with status 503" in one.reason for one in missing)


def jobs(**preparations: Callable[[wakeups.Claim], object]) -> Jobs:
    """Wakeups `ask` of these rooms, and `plain`, which asks nobody."""
    handlers: dict = {(room, "ask"): lambda claimed, answer: f"answered {answer}" for room in preparations}
    handlers["investigation", "plain"] = lambda claimed: "done"
    return Jobs(handlers, {(room, "ask"): prepare for room, prepare in preparations.items()})


def test_no_more_than_a_few_ask_at_once_and_all_are_answered(hanging, started):
    asking: list[str] = []

    def ask(claimed: wakeups.Claim) -> str:
        asking.append(claimed.key)
        hanging.free.wait(30)
        return claimed.key

    for n in range(5):
        plan(f"ask:{n}")
    started(jobs(investigation=ask))
    soon(lambda: len(asking) == working.PREPARING)
    plan("plain:1", what="plain")
    assert soon(lambda: outcome("plain:1") == "done") < 1.0
    assert len(asking) == working.PREPARING
    hanging.free.set()
    soon(lambda: all(outcome(f"ask:{n}") == f"answered ask:{n}" for n in range(5)))


def test_a_room_that_asks_for_long_holds_up_no_other(hanging, started):
    def guard(claimed: wakeups.Claim) -> str:
        hanging.free.wait(30)
        return "red"

    for n in range(4):
        plan(f"guard:{n}", room="prevention")
    started(jobs(prevention=guard, investigation=lambda claimed: "at once"))
    plan("ask:1")
    assert soon(lambda: outcome("ask:1") == "answered at once") < 2.0


def test_work_that_asks_for_long_holds_up_no_other_work_of_its_room(hanging, started):
    handlers: dict = {("prevention", what): lambda claimed, answer: f"{answer}" for what in ("prove", "match")}
    preparations: dict = {
        ("prevention", "prove"): lambda claimed: hanging.free.wait(30),
        ("prevention", "match"): lambda claimed: "seen before",
    }
    for n in range(4):
        plan(f"prove:{n}", what="prove", room="prevention")
    started(Jobs(handlers, preparations))
    plan("match:1", what="match", room="prevention")
    assert soon(lambda: outcome("match:1") == "seen before") < 2.0


def test_why_a_wakeup_failed_is_told_whole_once_and_then_in_a_line():
    def fails(claimed: wakeups.Claim) -> str:
        raise OSError("the tracker is away")

    plan("ask:1", what="plain")
    worker = Worker(Jobs({("investigation", "plain"): fails}))
    with capture_logs() as told:
        for _ in range(3):
            worker.turn()
            Wakeup.objects.update(due_at=clock.now())
    assert [line["event"] for line in told] == ["a wakeup failed", "a wakeup failed again", "a wakeup failed again"]
    assert [bool(line.get("exc_info")) for line in told] == [True, False, False]
    assert told[-1]["error"] == "OSError: the tracker is away" and told[-1]["attempt"] == 3


def test_a_worker_that_waits_for_a_free_place_does_not_spin(hanging, started):
    for n in range(5):
        plan(f"ask:{n}")
    worker = started(jobs(investigation=lambda claimed: hanging.free.wait(30)))
    soon(lambda: worker._held_up() != [])
    turns, turn = [], worker.turn
    worker.turn = lambda: turns.append(1) or turn()  # type: ignore[method-assign]
    time.sleep(1.2)  # the time over which it is counted
    assert len(turns) <= 5


def test_at_a_stop_what_hangs_is_left_and_the_next_worker_takes_it(hanging, started, monkeypatch):
    monkeypatch.setattr(working, "GRACE", 0.2)
    done: list[int] = []

    def ask(claimed: wakeups.Claim) -> str:
        hanging.free.wait(30)
        return "late"

    asking = jobs(investigation=ask)
    counted = Jobs(
        {("investigation", "ask"): lambda claimed, answer: done.append(claimed.fence) or answer}, asking.preparations
    )
    plan("ask:1")
    worker = started(counted)
    soon(lambda: Wakeup.objects.get(key="ask:1").leased_until is not None)
    began = time.monotonic()
    worker.stop()
    assert time.monotonic() - began < 3
    hanging.free.set()
    later = clock.now() + timedelta(seconds=60)  # the lease has run out
    with clock.using(lambda: later):
        soon(lambda: Worker(counted).run_until_idle() > 0)
    assert outcome("ask:1") == "late"
    assert done == [2], "only the one who holds it now has done it"


def test_one_whose_lease_ran_out_while_it_asked_throws_its_work_away(hanging, started):
    written: list[str] = []

    def ask(claimed: wakeups.Claim) -> int:
        if claimed.fence == 1:
            hanging.free.wait(30)
        return claimed.fence

    def write(claimed: wakeups.Claim, answer: int) -> str:
        written.append(f"fence {answer}")
        return f"by fence {answer}"

    both = Jobs({("investigation", "ask"): write}, {("investigation", "ask"): ask})
    plan("ask:1")
    started(both)
    soon(lambda: Wakeup.objects.get(key="ask:1").leased_until is not None)
    later = clock.now() + timedelta(seconds=60)
    with clock.using(lambda: later):  # whoever is first takes it: this one, or another thread of the one that waits
        Worker(both).run_until_idle()
        soon(lambda: outcome("ask:1") == "by fence 2")
    hanging.free.set()
    soon(lambda: written == ["fence 2", "fence 1"])
    assert outcome("ask:1") == "by fence 2"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """A second is enough for what must not be waited for."""
    monkeypatch.setattr(prometheus, "SECONDS", 20.0)
    yield
    connection.close()
