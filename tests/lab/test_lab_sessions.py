"""The session service: what a shop may rely on, in every release."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from lab.sessions import checkpoint
from lab.sessions.drain import Drain, Moved
from lab.sessions.releases import tracking, versions
from lab.sessions.service import SessionService
from lab.sessions.store import Busy, Limits, SessionStore, UnknownSession

RELEASES = ("1.4", "2.0", "2.0.1")
SHOWN = [{"id": 7, "name": "Oak Lamp"}]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def store(version: str = "2.0.1", clock: Clock | None = None) -> SessionStore:
    return SessionStore(tracking(version), Limits(time_to_live=10, guard=30), clock or Clock())


def browse(held: SessionStore, pages: int) -> str:
    session = held.create({}, "/", SHOWN)
    for page in range(pages - 1):
        held.touch(session.id, f"/products/{page}", SHOWN)
    return session.id


def test_the_releases_of_the_story_are_there():
    assert versions() == ["1.4", "2.0", "2.0.1"]
    with pytest.raises(ValueError, match=r"1\.4, 2\.0, 2\.0\.1"):
        tracking("3.0")


def test_release_2_0_keeps_the_visits_of_sessions_that_have_ended():
    held = store("2.0")
    held.end(browse(held, pages=6))
    assert (len(held.sessions), len(held.tracking)) == (0, 5)


def test_release_2_0_keeps_the_visits_of_sessions_that_have_expired():
    clock = Clock()
    held = store("2.0", clock)
    browse(held, pages=6)
    clock.now += 11
    assert held.expire() == 1
    assert (len(held.sessions), len(held.tracking)) == (0, 5)


@pytest.mark.parametrize("version", ["1.4", "2.0.1"])
def test_the_healthy_releases_keep_nothing_of_a_session_that_is_over(version):
    clock = Clock()
    held = store(version, clock)
    held.end(browse(held, pages=6))
    browse(held, pages=4)
    clock.now += 11
    held.expire()
    assert (len(held.sessions), len(held.tracking)) == (0, 0)


def test_the_tracked_visits_of_a_live_session_are_there_in_order():
    held = store("2.0")
    session = held.get(browse(held, pages=3))
    assert [visit.page for visit in held.tracking.of(session)] == ["/", "/products/0", "/products/1"]


def test_a_session_lives_as_long_as_it_is_touched():
    clock = Clock()
    held = store(clock=clock)
    session = browse(held, pages=1)
    for _ in range(3):
        clock.now += 9
        held.touch(session, "/", SHOWN)
    clock.now += 11
    with pytest.raises(UnknownSession):
        held.touch(session, "/", SHOWN)


@pytest.mark.parametrize("step", ["begin", "reserve"])
def test_the_guard_refuses_a_step_that_is_in_progress_until_it_runs_out(step):
    clock = Clock()
    held = SessionStore(tracking("1.4"), Limits(time_to_live=100, guard=30), clock)
    session = browse(held, pages=1)
    act = getattr(held, step)
    act(session)
    clock.now += 29
    with pytest.raises(Busy):
        act(session)
    clock.now += 2
    act(session)


def test_an_order_is_committed_once_and_lifts_the_guard():
    held = store()
    session = browse(held, pages=1)
    held.add_to_cart(session, {"product": 7, "quantity": 1, "price": 900})
    held.begin(session)
    held.reserve(session)
    held.commit(session, "order-1")
    held.commit(session, "order-1")
    assert held.get(session).orders == ["order-1"]
    assert held.get(session).cart == []
    held.begin(session)


@pytest.mark.parametrize("version", RELEASES)
def test_a_restart_loses_no_session(version, tmp_path: Path):
    held = store(version)
    session = browse(held, pages=3)
    held.add_to_cart(session, {"product": 7, "quantity": 2, "price": 900})
    checkpoint.write(tmp_path / "saved.gz", held)

    again = store(version)
    assert checkpoint.load(tmp_path / "saved.gz", again) == 1
    assert again.get(session).cart == held.get(session).cart
    assert again.tracking.of(again.get(session)) == held.tracking.of(held.get(session))


def test_a_first_start_finds_no_checkpoint(tmp_path: Path):
    assert checkpoint.load(tmp_path / "none.gz", store()) == 0


@pytest.mark.parametrize("version", RELEASES)
def test_the_shop_can_take_a_visitor_all_the_way_to_a_paid_order(version, tmp_path: Path):
    with TestClient(SessionService(version, tmp_path / "saved.gz").app()) as shop:
        seen = {"page": "/", "shown": SHOWN}
        one = f"/sessions/{shop.post('/sessions', json=seen).json()['id']}"
        assert shop.post(f"{one}/touch", json=seen).status_code == 200
        line = {"product": 7, "quantity": 1, "price": 900}
        assert shop.post(f"{one}/cart", json={**seen, "line": line}).json()["cart"] == [line]
        assert shop.post(f"{one}/checkout", json=seen).status_code == 200
        assert shop.post(f"{one}/checkout", json=seen).status_code == 409
        assert shop.post(f"{one}/payment", json=seen).status_code == 200
        assert shop.post(f"{one}/payment", json=seen).status_code == 409
        assert shop.post(f"{one}/paid", json={**seen, "order": "o-1"}).json()["orders"] == ["o-1"]
        assert shop.delete(one).status_code == 204
        assert shop.get(one).status_code == 404


@pytest.mark.parametrize(("old", "new"), [("1.4", "2.0"), ("2.0", "2.0.1")])
def test_a_deploy_hands_over_every_live_session_with_its_visits(old, new, tmp_path: Path):
    before = SessionService(old, tmp_path / "old.gz")
    after = SessionService(new, tmp_path / "new.gz")
    with TestClient(before.app()) as leaving, TestClient(after.app()) as coming:
        seen = {"page": "/", "shown": SHOWN}
        session = leaving.post("/sessions", json=seen).json()["id"]
        leaving.post(f"/sessions/{session}/touch", json=seen)
        visits = before.store.tracking.of(before.store.get(session))

        handed = leaving.post("/handover").json()
        assert coming.post("/take", json=handed).json() == {"taken": 1}
        leaving.post("/go")

        assert leaving.get(f"/sessions/{session}").status_code == 421
        assert coming.get(f"/sessions/{session}").status_code == 200
        assert after.store.tracking.of(after.store.get(session)) == visits


def test_a_deploy_that_is_called_off_leaves_the_old_release_serving(tmp_path: Path):
    with TestClient(SessionService("1.4", tmp_path / "saved.gz").app()) as service:
        session = service.post("/sessions", json={"page": "/"}).json()["id"]
        service.post("/handover")
        service.post("/resume")
        assert service.get(f"/sessions/{session}").status_code == 200


def test_calls_wait_while_sessions_are_handed_over_and_are_then_sent_on():
    async def scene() -> None:
        drain = Drain()
        drain.hold()
        waiting = asyncio.create_task(drain.admit())
        await asyncio.sleep(0)
        assert not waiting.done()
        drain.go()
        with pytest.raises(Moved):
            await waiting

    asyncio.run(scene())


def test_the_service_tells_its_release_and_what_it_holds(tmp_path: Path):
    service = SessionService("2.0", tmp_path / "saved.gz")
    browse(service.store, pages=3)
    service.save()
    read = service.metrics.registry.get_sample_value
    assert read("sessions_build_info", {"version": "2.0"}) == 1
    assert (read("sessions_live"), read("sessions_tracked_visits")) == (1, 3)
    assert read("sessions_checkpoint_seconds_count") == 1
    assert read("process_resident_memory_bytes") > 0
