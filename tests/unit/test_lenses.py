"""Each way of looking sees what it is for, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.made_up_outages import ALERT, MINUTE, Outage, replaced, shop
from unrepeat.investigation.lenses import Calls, LogCounts, LogLine, Spans, scene_of
from unrepeat.investigation.ranking.rank import lenses
from unrepeat.investigation.weights import weights


def seen(lens, tables):
    """What one lens says."""
    return lenses()[lens].look(scene_of(tables, weights()))


def against(lens, tables):
    """Whom a lens speaks against."""
    return {finding.service for finding in seen(lens, tables) if finding.score > 0}


def growing(outage, start, gained):
    """A number that grows by `gained` from an hour before the alert on."""
    since = np.clip((outage.times - (ALERT - 60 * MINUTE)) / (outage.times[-1] - (ALERT - 60 * MINUTE)), 0, 1)
    return start + gained * since


class TestLeak:
    def test_memory_that_only_grows_under_the_same_load_is_a_leak(self):
        outage = shop()
        replaced(outage, "sessions|memory_bytes", growing(outage, 200e6, 600e6))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_connections_that_are_never_given_back_are_a_leak(self):
        outage = shop().shaped("sessions|open_connections", np.linspace(20, 190, len(shop().times)))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_a_sawtooth_over_a_rising_floor_is_a_leak(self):
        outage = shop()
        teeth = 60e6 * (np.arange(len(outage.times)) % 7) / 7
        replaced(outage, "sessions|memory_bytes", np.linspace(200e6, 800e6, len(outage.times)) + teeth)
        assert against("leak", outage.tables()) == {"sessions"}

    def test_memory_that_follows_a_flash_sale_is_no_leak(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (50 * MINUTE), 0, 1)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 5 * ramp))
            outage.shaped(f"{service}|memory_bytes", 200e6 * (1 + 3 * ramp))
        assert seen("leak", outage.tables()) == []

    def test_a_leak_that_hid_behind_a_growing_load_shows_when_the_load_rests(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        steady = np.arange(len(outage.times)) / len(outage.times)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 4 * ramp))
        outage.shaped("shop|memory_bytes", 200e6 * (1 + ramp))
        outage.shaped("sessions|memory_bytes", 200e6 * (1 + 3 * steady))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_connections_are_as_many_as_requests_come_times_as_long_as_each_takes(self):
        """In a rush that slows a service down, it holds more connections than it has more requests, and goes on to while the load rests."""
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        slower = np.where(outage.times < ALERT, 1, 1 + 9 * np.clip((outage.times - ALERT) / (10 * MINUTE), 0, 1))
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + 5 * ramp))
            outage.shaped(f"{service}|latency_p50", 0.02 * slower)
        rising = np.linspace(1, 3, len(outage.times))
        outage.shaped("sessions|open_connections", 20 * (1 + 5 * ramp) * rising)
        assert seen("leak", outage.tables()) == []

    def test_connections_that_grow_beyond_both_are_a_leak_all_the_same(self):
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (30 * MINUTE), 0, 1)
        for service in ("shop", "sessions"):
            outage.shaped(f"{service}|requests_per_second", 100 * (1 + ramp))
            outage.shaped(f"{service}|latency_p50", 0.02 * np.ones(len(outage.times)))
        outage.shaped("sessions|open_connections", np.linspace(20, 190, len(outage.times)))
        assert against("leak", outage.tables()) == {"sessions"}

    def test_a_cache_that_fills_is_no_leak(self):
        outage = shop()
        filling = 200e6 + 500e6 * (1 - np.exp(-np.arange(len(outage.times)) / 25))
        replaced(outage, "sessions|memory_bytes", filling)
        assert seen("leak", outage.tables()) == []

    def test_noise_is_no_leak(self):
        assert seen("leak", shop().tables()) == []


class TestLoad:
    def busy(self, times):
        """Few visitors, who come by chance: the worst fifth of the rows is half as much again as the usual, whatever happens."""
        outage = Outage(began=10)
        for service in ("shop", "sessions", "database"):
            load = np.where(outage.harmed, 30.0 * times, 30.0)
            outage.shaped(f"{service}|requests_per_second", outage.random.poisson(load / 5) * 5.0, noise=0)
        return outage.tables()

    def test_peaks_of_chance_are_no_load_from_outside(self):
        assert seen("load", self.busy(1.15)) == []

    def test_a_rush_is(self):
        (finding,) = seen("load", self.busy(4))
        assert "The load rose" in finding.sentence

    def test_connections_are_judged_by_the_requests_and_not_by_a_number_that_only_looks_like_load(self):
        """A counter of checkpoints that were asked for stands before the one of the requests; it says nothing of the load."""
        outage = Outage(began=60)
        ramp = np.clip((outage.times - outage.start) / (50 * MINUTE), 0, 1)
        outage.steady("database|checkpoints_requested_per_second", 0.0)
        outage.shaped("database|requests_per_second", 100 * (1 + 5 * ramp))
        outage.shaped("database|open_connections", 20 * (1 + 4 * ramp))
        assert seen("leak", outage.tables()) == []


class TestSaturation:
    def test_a_pool_whose_limit_is_known_is_named_with_it(self):
        outage = shop().jumps("sessions|db_pool_in_use", 12, 50, noise=0).steady("sessions|db_pool_max", 50, noise=0)
        (finding,) = seen("saturation", outage.tables())
        assert finding.service == "sessions"
        assert "ran full: 50 of 50, usually 12" in finding.sentence

    def test_a_disk_near_its_end_is_named(self):
        outage = shop().jumps("database|disk_used_ratio", 0.6, 0.995, noise=0.001)
        assert against("saturation", outage.tables()) == {"database"}

    def test_what_was_always_full_is_not(self):
        outage = shop().steady("database|buffer_used_ratio", 0.99, noise=0.001)
        assert seen("saturation", outage.tables()) == []


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


def calls(gaps, *, quiet=True):
    """Calls between pairs: (caller, callee) to (usual gap, gap in the harm), 50 a minute."""
    rows = [
        (*pair, at, gap) for pair, both in gaps.items() for at, gap in zip((ALERT - 3600, ALERT), both, strict=True)
    ]
    first = np.array([row[2] < ALERT for row in rows])
    return Calls(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows]),
        np.full(len(rows), 50.0),
        np.array([row[3] for row in rows]),
        first if quiet else np.zeros(len(rows), dtype=bool),
    )


class TestEdges:
    def test_time_lost_on_the_way_to_one_service_points_at_it(self):
        slow = calls(
            {
                ("balancer", "shop"): (0.002, 0.002),
                ("shop", "sessions"): (0.002, 0.4),
                ("shop", "database"): (0.002, 0.002),
            }
        )
        (finding,) = seen("edges", shop().tables(calls=slow))
        assert finding.service == "sessions"
        assert "lose 400 ms on the way; in quiet it is 2 ms" in finding.sentence

    def test_time_lost_on_the_way_to_all_callees_points_at_the_caller(self):
        slow = calls({("shop", name): (0.002, 0.4) for name in ("sessions", "database", "search")})
        assert against("edges", shop().tables(calls=slow)) == {"shop"}

    def test_where_quiet_was_not_recorded_the_time_before_stands_for_it(self):
        slow = calls({("shop", "sessions"): (0.002, 0.4), ("shop", "database"): (0.002, 0.002)}, quiet=False)
        assert against("edges", shop().tables(calls=slow)) == {"sessions"}


def spans(operations):
    """Span statistics: (service, operation) to ((count, own seconds) in quiet, the same in the harm)."""
    rows = [
        (*name, at, *numbers)
        for name, both in operations.items()
        for at, numbers in zip((ALERT - 3600, ALERT), both, strict=True)
    ]
    return Spans(
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        np.array([row[2] for row in rows]),
        np.array([float(row[3]) for row in rows]),
        np.array([row[4] for row in rows]),
        np.array([row[4] for row in rows]),
        np.array([row[2] < ALERT for row in rows]),
    )


class TestSpans:
    def test_own_time_points_at_the_service_that_spends_it(self):
        found = spans({("sessions", "load"): ((100, 0.01), (100, 0.3)), ("shop", "page"): ((100, 0.02), (100, 0.02))})
        assert against("own_time", shop().tables(spans=found)) == {"sessions"}

    def test_error_handling_that_starts_is_named(self):
        found = spans(
            {
                ("sessions", "ErrorController.error"): ((0, 0.0), (9, 0.001)),
                ("sessions", "load"): ((90, 0.01), (90, 0.01)),
            }
        )
        (finding,) = seen("operations", shop().tables(spans=found))
        assert finding.direction == "new"

    def test_an_operation_that_is_no_longer_reached_is_named(self):
        found = spans({("sessions", "save"): ((40, 0.01), (0, 0.0)), ("sessions", "load"): ((90, 0.01), (90, 0.01))})
        (finding,) = seen("operations", shop().tables(spans=found))
        assert finding.direction == "gone"
        assert "save" in finding.sentence

    def test_less_load_is_not_an_operation_that_stops(self):
        found = spans({("sessions", "save"): ((6, 0.01), (1, 0.01)), ("sessions", "load"): ((90, 0.01), (15, 0.01))})
        assert seen("operations", shop().tables(spans=found)) == []


class TestLogs:
    def test_errors_are_passed_up_to_where_they_come_from(self):
        names, errors = ("shop", "sessions", "database", "balancer", "search"), [40.0, 42.0, 1.0, 3.0, 2.0]
        counts = LogCounts(names, np.full(5, ALERT), np.full(5, 200.0), np.array(errors))
        findings = {one.service: one for one in seen("log_errors", shop().tables(log_counts=counts))}
        assert findings["shop"].because == "sessions"
        assert findings["sessions"].score > findings["shop"].score

    def test_who_says_something_new_first_is_meant_most(self):
        lines = (
            LogLine(ALERT - 90 * MINUTE, "database", "ERROR", "deadlock found, retrying 7"),
            LogLine(ALERT - MINUTE, "database", "ERROR", "deadlock found, retrying 8"),
            LogLine(ALERT - MINUTE, "sessions", "ERROR", "out of memory: cannot keep session 4711"),
            LogLine(ALERT, "shop", "ERROR", "sessions answered 500"),
        )
        findings = {one.service: one for one in seen("new_messages", shop().tables(log_lines=lines))}
        assert set(findings) == {"sessions", "shop"}
        assert findings["sessions"].score > findings["shop"].score


class TestWaiting:
    def test_the_callee_that_only_the_waiting_caller_has_is_suspected(self):
        outage = shop()
        outage.jumps("shop|client_latency_p90_seconds", 0.02, 0.9).steady("sessions|client_latency_p90_seconds", 0.02)
        assert against("waiting", outage.tables()) == {"sessions"}


class TestCallers:
    def test_a_service_that_says_nothing_is_seen_through_its_callers(self):
        outage = shop()
        outage.columns += ["shop|SuccessRate@shop->payment", "shop|SuccessRate@shop->sessions"]
        outage.values += [np.where(outage.harmed, 60.0, 100.0), np.full(len(outage.times), 100.0)]
        assert against("callers", outage.tables()) == {"payment"}


@pytest.mark.parametrize("lens", sorted(lenses()))
class TestHardTables:
    """Constant, empty, all gaps: a lens says nothing, and never fails."""

    def test_constant_numbers(self, lens):
        outage = Outage()
        for column in ("shop|cpu_utilization", "shop|latency_seconds", "shop|error_ratio", "shop|requests_per_second"):
            outage.steady(column, 0.5, noise=0)
        assert seen(lens, outage.tables()) == []

    def test_nothing_but_gaps(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, values=np.full(tables.values.shape, np.nan))) == []

    def test_no_columns(self, lens):
        assert seen(lens, Outage().tables()) == []

    def test_no_rows(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, times=tables.times[:0], values=tables.values[:0])) == []

    def test_a_single_row(self, lens):
        tables = shop().tables()
        assert seen(lens, replace(tables, times=tables.times[-1:], values=tables.values[-1:])) == []

    def test_no_quiet_time(self, lens):
        tables = shop().tables()
        seen(lens, replace(tables, alert=float(tables.times[0])))
