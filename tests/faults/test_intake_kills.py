"""kill -9 of the real server in the middle of sending: what was answered 2xx is in the table, and counted once."""

from __future__ import annotations

import threading

import pytest

from tests.support.bodies import alertmanager
from tests.support.sending import send_until_cut
from tests.support.served import Served, until

KILLS = 3
SENDERS = 12


@pytest.fixture
def served(database, tmp_path):
    server = Served(tmp_path / "server", database.url)
    yield server
    server.kill()


def numbered(mark: str):
    """Bodies of three alerts, without end, and their keys."""
    number = 0
    while True:
        keys = [f"{mark}-{number}-{n}" for n in range(3)]
        yield keys, alertmanager(keys)
        number += 1


def test_no_accepted_alert_is_lost_over_several_kills(served, database):
    accepted: list[str] = []
    for kill in range(KILLS):
        served.start()
        before = len(accepted)
        senders = [
            threading.Thread(
                target=send_until_cut, args=(served.port, database.path, numbered(f"{kill}-{n}"), accepted)
            )
            for n in range(SENDERS)
        ]
        for sender in senders:
            sender.start()
        until(lambda before=before: len(accepted) > before + 300, 30, "the server is in the middle of it")
        served.kill()
        for sender in senders:
            sender.join()
    served.start()
    until(database.all_read, 60, "all deliveries are read")
    there = {key for (key,) in database.query("select key from arrivals_alert")}
    assert len(accepted) > KILLS * 300
    assert set(accepted) - there == set()
    counts = database.query("select distinct count from arrivals_alert")
    assert counts == [(1,)], "each delivery was read once, whenever the kill came"
    assert database.one("select count(*) from arrivals_delivery") * 3 == len(there)
