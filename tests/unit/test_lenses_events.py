"""Lenses for what happened at one moment: a restart, silence, an end, and what comes from outside."""

from __future__ import annotations

import numpy as np

from tests.support.looking import against, seen
from tests.support.made_up_outages import ALERT, MINUTE, Outage, shop


class TestRestarts:
    def test_a_process_that_started_again_is_named(self):
        outage = shop()
        started = np.where(outage.times >= ALERT - MINUTE, ALERT - MINUTE, ALERT - 86400)
        outage.shaped("sessions|process_start_time_seconds", started, noise=0)
        (finding,) = seen("restarts", outage.tables())
        assert finding.sentence == "sessions started again once during the harm."

    def test_a_process_that_always_starts_again_is_not_news(self):
        outage = shop()
        outage.shaped("report|uptime_seconds", (np.arange(len(outage.times)) % 5) * 60.0, noise=0)
        assert seen("restarts", outage.tables()) == []


class TestMissing:
    def silent(self, *services):
        outage = shop()
        gone = [index for index, column in enumerate(outage.columns) if column.split("|")[0] in services]
        for index in gone:
            outage.values[index] = np.where(outage.harmed, np.nan, outage.values[index])
        return outage.tables()

    def test_a_service_that_falls_silent_is_named(self):
        assert against("missing", self.silent("sessions")) == {"sessions"}

    def test_when_everything_stops_the_monitoring_did(self):
        assert seen("missing", self.silent("balancer", "shop", "sessions", "database")) == []


class TestOutside:
    def test_load_that_rises_everywhere_comes_from_outside(self):
        outage = Outage()
        for service in ("shop", "sessions", "database"):
            outage.healthy(service, busier=5)
        (finding,) = seen("load", outage.tables())
        assert finding.service == ""
        assert "comes from outside" in finding.sentence

    def test_load_on_one_callee_does_not(self):
        outage = Outage()
        outage.healthy("shop").healthy("sessions").healthy("database", busier=5)
        assert seen("load", outage.tables()) == []

    def test_a_certificate_that_ran_out_is_named(self):
        outage = shop().shaped("shop|tls_cert_seconds_until_expiry", ALERT - 3 * MINUTE - shop().times, noise=0)
        (finding,) = seen("expiry", outage.tables())
        assert finding.service == "shop"
        assert finding.onset == ALERT - 3 * MINUTE

    def test_a_full_machine_is_nobodys_fault(self):
        outage = shop().jumps("node-7|node_cpu_utilization_ratio", 0.4, 0.97, noise=0.01)
        (finding,) = seen("machine", outage.tables())
        assert finding.service == ""
