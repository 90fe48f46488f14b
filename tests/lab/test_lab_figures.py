"""The lab's arithmetic: page size, memory budget, shares, what is complained of, and the report's clock."""

from __future__ import annotations

import json
from datetime import date

import pytest

from lab import calibrate, visits
from lab.journal import Act, Delivery, Journal
from lab.record import acts, mapped
from lab.report import Report, complaints
from lab.shop_house import memory_budget
from lab.timemap import TimeMap, stamp

ALERT = 1_795_506_564.941


def test_a_slower_machine_shows_smaller_pages():
    assert calibrate.page_size(calibrate.WANTED_MS) == 24
    assert calibrate.page_size(calibrate.WANTED_MS / 2) == 48
    assert calibrate.page_size(calibrate.WANTED_MS * 3) == 8
    assert calibrate.page_size(1e-6) == calibrate.MOST
    assert calibrate.page_size(1e6) == calibrate.FEWEST
    with pytest.raises(ValueError, match="no time"):
        calibrate.page_size(0)


def test_the_calibrated_visit_costs_what_is_wanted():
    ticks = iter(range(1000))
    made = calibrate.calibrate(lambda: next(ticks) * 0.1)
    assert made.trial_ms == pytest.approx(0.1 * 1000 / calibrate.TRIAL_VISITS)
    assert made.visit_ms == pytest.approx(calibrate.WANTED_MS, abs=made.trial_ms / calibrate.TRIAL_ITEMS)
    assert made.visit_bytes > 1000


def test_the_alert_comes_fifty_seconds_after_the_leak_at_eighty_percent_of_the_budget():
    assert 0.8 * memory_budget(35e6, 40e3) == pytest.approx(35e6 + 50 * 4 * 8.5 * 40e3)


def visit(began: float, *requests: tuple[str, int, float]) -> visits.Visit:
    made = [
        {"at": began + number, "page": page, "status": status, "seconds": seconds}
        for number, (page, status, seconds) in enumerate(requests)
    ]
    return visits.Visit(began, tuple(made), finished=True)


def test_a_visitor_is_slow_by_one_request_and_a_buyer_lost_only_if_no_repeat_succeeds():
    known = [
        visit(10, ("browse", 200, 0.4), ("checkout", 200, 0.1), ("pay", 200, 0.1)),
        visit(11, ("browse", 200, 0.6), ("checkout", 503, 2.0), ("checkout", 409, 0.1), ("checkout", 409, 0.1)),
        visit(12, ("checkout", 503, 2.0), ("checkout", 200, 0.1), ("pay", 200, 0.1)),
        visit(13, ("browse", 200, 0.5)),
        visit(99, ("browse", 200, 3.0)),
    ]
    counted = visits.shares(known, 10, 50)
    assert (counted.visitors, counted.slow, counted.buyers, counted.lost) == (4, 2, 3, 1)
    assert counted.slow_share == 0.5
    assert counted.failed_share == pytest.approx(1 / 3)


def test_a_share_of_nobody_is_not_zero():
    assert visits.shares([], 0, 1).slow_share is None
    assert visits.shares([], 0, 1).failed_share is None


def test_those_who_are_there_in_a_window_are_counted_by_what_they_were_answered_in_it():
    known = [
        visit(10, ("browse", 200, 0.9), ("browse", 200, 0.1)),  # slow before the window, there in it
        visit(11, ("browse", 200, 0.7)),  # answered slowly within it
        visit(14.8, ("browse", 200, 0.1), ("browse", 200, 3.0)),  # slow only after it
        visit(99, ("browse", 200, 3.0)),
    ]
    assert visits.slow_of_those_there(known, 11, 15) == pytest.approx(1 / 3)
    assert visits.slow_of_those_there([], 0, 1) is None


def made_report(**changed) -> Report:
    values = {
        "slow_share": 0.8,
        "failed_share": 0.2,
        "slow_of_those_there": 0.79,
        "leak_to_alert_s": 55.0,
        "alert_to_webhook_s": 0.01,
        "alert_to_incident_s": 0.2,
        "alert_to_resolve_s": 165.0,
        "patch_took_s": 0.5,
        "incidents": 1,
        "draft": True,
        "resident_mb": {},
        "windows": {},
        "calibration": {},
        "budget_mb": 130.0,
        "contention": 1.1,
        "opened": [],
        "firing_at_end": [],
    }
    return Report(**{**values, **changed})


def test_a_good_run_has_no_complaint_and_four_figures():
    assert complaints(made_report()) == []
    assert [line.split("=")[0] for line in made_report().figures()] == [
        "FIGURE lab_incidents",
        "FIGURE lab_slow_share",
        "FIGURE lab_failed_share",
        "FIGURE lab_alert_to_incident_s",
    ]


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"slow_share": 0.69}, "slow visitors"),
        ({"failed_share": 0.31}, "lost buyers"),
        ({"failed_share": None}, "nobody"),
        ({"incidents": 2}, "2 incidents"),
        ({"draft": False}, "no postmortem draft"),
        ({"firing_at_end": ["High memory usage"]}, "still firing"),
    ],
)
def test_what_is_not_as_it_has_to_be_is_said(changed, word):
    assert word in " ".join(complaints(made_report(**changed)))


def test_a_busy_machine_is_named_when_the_shares_are_off():
    assert "busy" in " ".join(complaints(made_report(slow_share=0.97, contention=2.9)))
    assert "busy" not in " ".join(complaints(made_report(slow_share=0.97, contention=1.1)))
    assert complaints(made_report(contention=2.9)) == []


def test_without_unrepeat_nothing_is_said_of_incidents():
    alone = made_report(incidents=None, draft=None, alert_to_incident_s=None)
    assert complaints(alone) == []
    assert [line.split("=")[0] for line in alone.figures()] == ["FIGURE lab_slow_share", "FIGURE lab_failed_share"]


def test_one_second_is_one_minute_around_the_alert():
    clock = TimeMap(ALERT)
    assert clock.text(ALERT) == "2024-08-12T15:15:00.000Z"
    assert clock.text(ALERT + 165) == "2024-08-12T18:00:00.000Z"
    assert clock.text(ALERT - 55) == "2024-08-12T14:20:00.000Z"
    assert clock.moved(stamp(ALERT)) == "2024-08-12T15:15:00.000Z"
    assert clock.moved("0001-01-01T00:00:00Z") == "0001-01-01T00:00:00Z"


def test_the_times_inside_a_body_move_with_it():
    clock = TimeMap(ALERT)
    alert = {"startsAt": stamp(ALERT), "endsAt": "0001-01-01T00:00:00Z", "labels": {"service": "sessions"}}
    body = {"status": "firing", "alerts": [alert]}
    moved = mapped(Delivery(ALERT + 0.5, "alertmanager", "alertmanager", {}, body), clock)
    assert moved["at"] == "2024-08-12T15:15:30.000Z"
    assert json.loads(moved["body"])["alerts"][0] == {**alert, "startsAt": "2024-08-12T15:15:00.000Z"}
    assert body["alerts"][0]["startsAt"] == stamp(ALERT)

    change = {"service": "sessions", "version": "2.0", "at": stamp(ALERT - 55)}
    moved = mapped(Delivery(ALERT - 54, "pipeline", "generic_change", {}, change), clock)
    assert json.loads(moved["body"]) == {**change, "at": "2024-08-12T14:20:00.000Z"}


def test_due_dates_keep_their_distance_in_days():
    clock = TimeMap(ALERT)
    assert clock.day(date(2026, 12, 8)) == date(2024, 8, 26)
    journal = Journal(acts=[Act(ALERT + 170, "Ada", "propose_measure", {"text": "x", "due": "2026-12-08"})])
    assert acts(journal, clock)[0]["args"]["due"] == "2024-08-26"
