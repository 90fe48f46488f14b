"""Lenses for calls between services, for spans and for logs."""

from __future__ import annotations

import numpy as np

from tests.support.looking import against, seen
from tests.support.made_up_outages import ALERT, MINUTE, shop
from unrepeat.investigation.lenses import Calls, LogCounts, LogLine, Spans


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
