"""A storm from many senders on the real server: each outage is one incident, and each alert stands in its log once.

It goes on now: of a storm told long after its end, an incident whose alerts have all resolved may end by itself before its neighbour's come.

`UNREPEAT_TEST_FULL=1` sends 10,000 alerts from 64 clients; without it, 900, so that a test run stays short.
"""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.bodies import alertmanager
from tests.support.sending import send_all
from tests.support.served import Served, until
from tests.support.world import CATALOGUE

ALERTS = 9_999 if os.environ.get("UNREPEAT_TEST_FULL") else 900
CLIENTS = 64
SERVICES = ("sessions", "shop", "billing")  # the first two are neighbours


@pytest.fixture
def served(database, tmp_path):
    server = Served(tmp_path / "server", database.url)
    file = tmp_path / "catalogue.toml"
    file.write_text(CATALOGUE)
    server.command("catalogue", "load", str(file))
    yield server
    server.kill()


def test_a_storm_over_three_services_is_one_incident_for_each_rule_of_grouping(served, database):
    served.start()
    now = datetime.now(UTC)
    times = {"starts": (now - timedelta(hours=1)).isoformat(), "ends": now.isoformat()}
    chance = random.Random(12)
    groups = [
        (SERVICES[n % 3], [f"{n + k:08x}" for k in (0, 3, 6)])
        for start in range(0, ALERTS, 9)
        for n in range(start, start + 3)
    ]
    requests = []
    for time in range(3):
        requests += [(database.path, alertmanager(keys, service=service, **times)) for service, keys in groups]
        if time:
            requests += [
                (database.path, alertmanager(keys, "resolved", service=service, **times)) for service, keys in groups
            ]
    chance.shuffle(requests)

    answers = send_all(served.port, requests, clients=CLIENTS)
    until(database.all_read, 120, "all deliveries are read")
    until(lambda: not database.one("select count(*) from arrivals_alert where news"), 120, "all alerts are grouped")

    assert set(answers) <= {202, 503} and answers[202] == len(requests)
    assert database.one("select count(*) from arrivals_alert") == ALERTS
    homes = database.query(
        "select distinct m.incident_id, a.service from incidents_membership m join arrivals_alert a on a.id = m.alert_id"
    )
    incidents = {service: {number for number, of in homes if of == service} for service in SERVICES}
    assert len(incidents["billing"]) == 1
    assert incidents["sessions"] == incidents["shop"] != incidents["billing"]
    assert database.one("select count(*) from incidents_incident") == 2
    assert database.one("select count(*) from incidents_membership") == ALERTS
    for kind in ("alert_fired", "alert_resolved"):
        assert database.one(f"select count(*) from incidents_entry where kind = '{kind}'") == ALERTS
    assert served.command("incident", "rebuild").startswith("2 summary rows made again from their logs; 0 were wrong.")
