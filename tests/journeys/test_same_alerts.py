"""Many senders tell the same alerts over and over; each becomes one occurrence, on the real server.

`UNREPEAT_TEST_FULL=1` sends 10,000 alerts from 64 clients; without it, 1,000, so that a test run stays short.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.support.bodies import alertmanager
from tests.support.sending import send_all
from tests.support.served import ROOT, Served, until

ALERTS = 10_000 if os.environ.get("UNREPEAT_TEST_FULL") else 1_000
CLIENTS = 64
TOGETHER = 5  # alerts a body


@pytest.fixture
def served(database, tmp_path):
    server = Served(tmp_path / "server", database.url)
    yield server
    server.kill()


def test_the_same_alerts_three_times_over_mixed_with_resolves_are_that_many_occurrences(served, database):
    served.start()
    keys = [f"{n:016x}" for n in range(ALERTS)]
    shuffled = random.Random(2024)
    requests = []
    for time in range(3):
        shuffled.shuffle(keys)
        groups = [keys[n : n + TOGETHER] for n in range(0, ALERTS, TOGETHER)]
        requests += [(database.path, alertmanager(group)) for group in groups]
        if time:
            requests += [(database.path, alertmanager(group, "resolved")) for group in groups[: len(groups) // 2]]
    shuffled.shuffle(requests)
    resolved = (
        {key for path, body in requests if b'"status": "resolved"' in body for key in keys if key.encode() in body}
        if ALERTS <= 1_000
        else None
    )

    answers = send_all(served.port, requests, clients=CLIENTS)
    until(database.all_read, 120, "all deliveries are read")

    assert set(answers) <= {202, 503} and answers[202] == len(requests)
    assert database.one("select count(*) from arrivals_alert") == ALERTS
    assert database.one("select count(distinct key) from arrivals_alert") == ALERTS
    if resolved is not None:
        ended = {key for (key,) in database.query("select key from arrivals_alert where ends_at is not null")}
        assert ended == resolved
    assert database.one("select count(*) from arrivals_delivery where state = 2") == 0
    until(lambda: not database.query("select 1 from arrivals_alert where news limit 1"), 120, "all alerts are grouped")
    assert database.one("select count(*) from incidents_incident") == 1, "one service, one outage"
    assert database.one("select count(*) from incidents_membership") == ALERTS


SENDER = """
import sys
from tests.support.sending import send_all
port, path, body, times = int(sys.argv[1]), sys.argv[2], sys.argv[3].encode(), int(sys.argv[4])
print(dict(send_all(port, [(path, body)] * times, clients=8)))
"""


def test_the_same_body_a_thousand_times_from_several_processes_makes_one_alert(served, database):
    served.start()
    arguments = [str(served.port), database.path, alertmanager(["one"]).decode(), "250"]
    senders = [
        subprocess.Popen([sys.executable, "-c", SENDER, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [sender.communicate(timeout=120)[0].strip() for sender in senders]
    until(database.all_read, 30, "all deliveries are read")
    assert said == ["{202: 250}"] * 4
    assert database.query("select key, count from arrivals_alert") == [("one", 1000)], "told a thousand times"


def test_an_alert_can_be_read_within_a_second_of_its_post(served, database):
    served.start()
    send_all(served.port, [(database.path, alertmanager(["a"]))], clients=1)
    until(lambda: database.one("select count(*) from arrivals_alert") == 1, 5, "the alert is there")
