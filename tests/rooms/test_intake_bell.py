"""The bell: a ring wakes who waits, after the commit, and on PostgreSQL in other processes too."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from tests.support.served import until
from unrepeat.support import bell

pytestmark = pytest.mark.django_db(transaction=True)


def rings(topic: str, since: dict[str, int], timeout: float = 5) -> bool:
    return bell.wait({topic}, since, timeout)


def test_a_ring_wakes_who_waits_for_its_topic_only():
    since = bell.heard()
    bell.ring("entries")
    assert rings("entries", since) and not rings("changes", since, 0.05)


def test_it_rings_after_the_commit_and_not_after_a_rollback():
    since = bell.heard()
    with transaction.atomic():
        bell.ring_on_commit("entries")
        assert not rings("entries", since, 0.05)
    assert rings("entries", since)
    since = bell.heard()
    with transaction.atomic():
        bell.ring_on_commit("entries")
        transaction.set_rollback(True)
    assert not rings("entries", since, 0.05)


def test_a_listener_may_stop_while_it_is_rung():
    heard = []
    stop = bell.listen(lambda topic: (heard.append(topic), stop()))
    bell.ring("changes")
    bell.ring("changes")
    assert heard == ["changes"]


def test_on_postgresql_the_rings_of_others_are_heard_and_one_s_own_are_not_doubled():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no NOTIFY: there the tick of one second serves")
    ears = bell.Ears()
    before = bell.heard()
    ears.start()
    try:
        assert rings("entries", before), "what was rung while nobody listened"
        since = bell.heard()
        with transaction.atomic():
            bell.ring_on_commit("entries")
        assert bell.heard()["entries"] == since["entries"] + 1
        with connection.cursor() as cursor:
            cursor.execute("select pg_notify('unrepeat', 'entries somebody')")
            cursor.execute("select pg_notify('unrepeat', 'nonsense somebody')")
        until(lambda: bell.heard()["entries"] > since["entries"] + 1, 5, "the ring of another process is heard")
        assert bell.heard()["entries"] == since["entries"] + 2
    finally:
        ears.stop()
    assert not any(thread.name == "bell-ears" for thread in threading.enumerate())
