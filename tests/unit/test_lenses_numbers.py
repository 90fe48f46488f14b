"""Lenses for numbers that are worse than in quiet: busy, slow, failing; and for counters."""

from __future__ import annotations

import numpy as np

from tests.support.looking import against, seen
from tests.support.made_up_outages import Outage, replaced, shop


class TestResources:
    def test_a_busy_processor_is_named_with_before_and_after(self):
        outage = shop()
        replaced(outage, "sessions|cpu_utilization", np.where(outage.harmed, 0.97, 0.3))
        (finding,) = seen("resources", outage.tables())
        assert finding.service == "sessions"
        assert (
            finding.sentence.startswith("CPU of sessions rose from 30 % to 97 %") or "rose from 30" in finding.sentence
        )

    def test_a_processor_that_only_follows_its_load_is_hardly_suspicious(self):
        outage = Outage()
        for service in ("shop", "sessions"):
            outage.healthy(service, busier=4)
        fault = shop()
        replaced(fault, "shop|cpu_utilization", np.where(fault.harmed, 0.9, 0.3))
        loaded = max(one.score for one in seen("resources", outage.tables()))
        faulty = max(one.score for one in seen("resources", fault.tables()))
        assert loaded < faulty / 2

    def test_a_change_too_small_to_matter_is_not_named_however_steady_the_number_was(self):
        outage = shop()
        replaced(outage, "sessions|cpu_utilization", np.where(outage.harmed, 0.115, 0.11), noise=1e-6)
        assert seen("resources", outage.tables()) == []


class TestSlowness:
    def slow_sessions(self):
        outage = shop()
        replaced(outage, "sessions|latency_seconds", np.where(outage.harmed, 0.8, 0.05))
        replaced(outage, "shop|latency_seconds", np.where(outage.harmed, 0.85, 0.06))
        return outage

    def test_a_caller_is_cleared_by_its_slow_callee(self):
        findings = {one.service: one for one in seen("slowness", self.slow_sessions().tables())}
        assert findings["sessions"].score > 1
        assert findings["shop"].score <= 0
        assert findings["shop"].because == "sessions"
        assert "Slow only because sessions is slow" in findings["shop"].sentence

    def test_an_enormous_latency_of_a_handful_of_requests_counts_little(self):
        outage = Outage()
        outage.healthy("shop", requests=200)
        outage.steady("admin|requests_per_second", 0.05).jumps("admin|latency_p90_seconds", 0.01, 3600)
        replaced(outage, "shop|latency_seconds", np.where(outage.harmed, 0.9, 0.05))
        scores = {one.service: one.score for one in seen("slowness", outage.tables())}
        assert scores["shop"] > scores.get("admin", 0.0)

    def test_a_service_that_stopped_failing_is_not_slow(self):
        outage = shop()
        replaced(outage, "sessions|error_ratio", np.where(outage.harmed, 0.0, 1.0), noise=0)
        replaced(outage, "sessions|latency_seconds", np.where(outage.harmed, 2.0, 0.05))
        assert "sessions" not in against("slowness", outage.tables())


class TestFailures:
    def test_a_caller_that_fails_with_its_callee_is_cleared(self):
        outage = shop()
        replaced(outage, "sessions|error_ratio", np.where(outage.harmed, 0.3, 0.001))
        replaced(outage, "shop|error_ratio", np.where(outage.harmed, 0.29, 0.001))
        findings = {one.service: one for one in seen("failures", outage.tables())}
        assert findings["sessions"].score > 1
        assert findings["shop"].because == "sessions"

    def test_better_is_not_worse(self):
        outage = shop()
        replaced(outage, "sessions|error_ratio", np.where(outage.harmed, 0.0, 0.5))
        assert seen("failures", outage.tables()) == []

    def test_two_failures_of_two_requests_are_two_failures(self):
        outage = Outage()
        outage.healthy("shop", requests=500)
        outage.steady("report|requests_per_minute", 2, noise=0).jumps("report|error_ratio", 0.0, 1.0, noise=0)
        replaced(outage, "shop|error_ratio", np.where(outage.harmed, 0.2, 0.001))
        scores = {one.service: one.score for one in seen("failures", outage.tables())}
        assert scores["shop"] > 5 * scores.get("report", 0.0)


class TestCounters:
    def test_a_counter_that_is_reset_by_a_restart_does_not_fall(self):
        outage = shop()
        counter = np.arange(len(outage.times)) * 5.0
        counter[60:] -= counter[60]
        outage.shaped("sessions|log_errors_total", counter, noise=0)
        assert all(one.subject != "sessions|log_errors_total" for one in seen("failures", outage.tables()))

    def test_a_counter_that_grows_faster_is_seen(self):
        outage = shop()
        counter = np.cumsum(np.where(outage.harmed, 80.0, 1.0))
        outage.shaped("sessions|log_errors_total", counter, noise=0)
        assert "sessions" in against("failures", outage.tables())
