"""What the lab reads from an incident's log about Unrepeat's own investigation."""

from __future__ import annotations

from lab.told import told

HEARD = 1_000_000.0


def item(after: float, by: str, kind: str, **entry):
    at = f"1970-01-12T13:46:{40 + after:06.3f}+00:00"
    return {"seq": 1, "at": at, "recorded_at": at, "by": by, "entry": {"kind": kind, **entry}}


def suspect(after: float, name: str, kind: str = "service", *, by: str = "unrepeat", what: str = "suspect_raised"):
    return item(after, by, what, suspect=name, suspect_kind=kind)


def impact(after: float, slowed: int, lost: int):
    shares = [
        {"name": "users slowed", "unit": "users", "numerator": slowed, "denominator": 100},
        {"name": "checkout lost", "unit": "attempts", "numerator": lost, "denominator": 50},
    ]
    return item(after, "unrepeat", "impact_measured", shares=shares)


def test_the_service_and_its_change_are_named_when_both_are():
    heard = told([suspect(1, "sessions"), suspect(2.5, "sessions 2.0", "change")], HEARD)
    assert heard.named_s == 2.5
    assert heard.wronged == ()


def test_what_people_say_is_not_the_machines_merit():
    by_ada = [suspect(1, "sessions", by="Ada"), suspect(2, "sessions 2.0", "change", by="Ada")]
    assert told(by_ada, HEARD).named_s is None


def test_an_innocent_service_that_was_raised_is_told():
    assert told([suspect(1, "database")], HEARD).wronged == ("database",)


def test_the_last_measurement_counts():
    heard = told([impact(3, 40, 1), impact(9, 80, 10)], HEARD)
    assert (heard.slow_share, heard.lost_share) == (0.8, 0.2)


def test_an_empty_log_says_nothing():
    heard = told([], HEARD)
    assert (heard.named_s, heard.slow_share, heard.cleared) == (None, None, ())
