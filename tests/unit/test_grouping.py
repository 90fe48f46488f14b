"""The rules by which an alert finds its incident, its severity and its headline."""

from datetime import UTC, datetime, timedelta

import pytest

from unrepeat.incidents import grouping
from unrepeat.incidents.grouping import RULES, Near, Seen, choose
from unrepeat.incidents.headline import headline
from unrepeat.incidents.severity import MEANS, severity_of, worse

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
WINDOW = timedelta(minutes=30)
GRAPH = {"shop": {"sessions", "database"}, "sessions": {"shop"}, "database": {"shop"}}


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def near(number: int = 1, service: str = "sessions", *, firing: int = 1, last: float = 0, **more) -> Near:
    return Near(number, START, START, at(last), firing, {service} if service else set(), **more)


def rule(seen: Seen, *incidents: Near) -> tuple[str, int | None]:
    choice = choose(seen, incidents, GRAPH, WINDOW)
    return choice.rule, choice.incident.number if choice.incident else None


def seen(service: str = "sessions", minutes: float = 5, severity: str = "critical", ended: float | None = None) -> Seen:
    return Seen(service, "HighMemoryUsage", severity, at(minutes), None if ended is None else at(ended))


def test_the_same_service_joins_while_the_incident_is_alive():
    assert rule(seen(), near()) == ("same_service", 1)
    assert rule(seen(minutes=600), near()) == ("same_service", 1)  # an alert of it fires still
    assert rule(seen(minutes=30), near(firing=0)) == ("same_service", 1)
    assert rule(seen(minutes=31), near(firing=0)) == ("nothing_near", None)
    assert rule(seen(minutes=-31), near()) == ("nothing_near", None)


def test_a_neighbour_joins_and_a_neighbours_neighbour_does_not():
    assert rule(seen("shop"), near()) == ("neighbour", 1)
    assert rule(seen("database"), near()) == ("nothing_near", None)


def test_the_same_service_goes_before_a_neighbour_and_the_newest_before_the_older():
    young = Near(3, at(2), at(2), at(2), 1, {"sessions"})
    assert rule(seen(), near(1), near(2, "shop"), young) == ("same_service", 3)
    assert rule(seen("shop"), near(1), near(2, "shop"), young) == ("same_service", 2)


def test_an_incident_that_ended_by_itself_comes_back_and_one_that_a_person_ended_does_not():
    quiet = near(firing=0, is_open=False, by_itself=True, resolved_at=START)
    ended = near(firing=0, is_open=False, resolved_at=START)
    assert rule(seen(), quiet) == ("came_back", 1)
    assert rule(seen(minutes=31), quiet) == ("nothing_near", None)
    assert rule(seen("shop"), quiet) == ("nothing_near", None)
    assert rule(seen(), ended) == ("nothing_near", None)


def test_what_lies_within_a_past_outage_is_added_to_it():
    past = near(firing=0, is_open=False, last=60, resolved_at=at(60))
    assert rule(seen(minutes=10, ended=20), past) == ("looking_back", 1)
    assert rule(seen(minutes=10, ended=70), past) == ("nothing_near", None)
    assert rule(seen(minutes=10), past) == ("nothing_near", None)


def test_info_joins_its_service_and_nothing_else():
    quiet = near(firing=0, is_open=False, by_itself=True, resolved_at=START)
    assert rule(seen(severity="info"), near()) == ("same_service", 1)
    assert rule(seen("shop", severity="info"), near()) == ("nothing_near", None)
    assert rule(seen(severity="info"), quiet) == ("nothing_near", None)


def test_an_alert_without_a_service_goes_by_its_name():
    assert rule(seen(""), near(service="", nameless={"HighMemoryUsage"})) == ("same_service", 1)
    assert rule(seen(""), near(service="", nameless={"DiskFull"})) == ("nothing_near", None)


def test_the_table_of_rules_that_people_read_is_the_one_in_force():
    listed = [line.split("|")[1].strip() for line in (grouping.__doc__ or "").splitlines() if line.startswith("| ")]
    assert tuple(listed[1:]) == RULES


@pytest.mark.parametrize(
    ("label", "severity"),
    [
        ("page", "critical"),
        ("CRITICAL", "critical"),
        ("error", "major"),
        ("warning", "minor"),
        ("none", "info"),
        ("", "major"),
        ("odd", "major"),
    ],
)
def test_severity_comes_from_the_label(label, severity):
    assert severity_of(label) == severity


def test_each_label_means_one_thing_and_worse_is_an_order():
    labels = [label for labels in MEANS.values() for label in labels]
    assert len(labels) == len(set(labels))
    assert worse("critical", "major") and worse("minor", "info") and worse("info", "")
    assert not worse("minor", "minor") and not worse("info", "minor")


@pytest.mark.parametrize(
    ("name", "service", "summary", "title"),
    [
        ("HighMemoryUsage", "sessions", "Sessions holds 1.2 GB", "Sessions holds 1.2 GB"),
        ("HighMemoryUsage", "sessions", "", "High memory usage on sessions"),
        ("High memory usage", "sessions", "High memory usage", "High memory usage on sessions"),
        ("high_memory_usage", "", "", "High memory usage"),
        ("HTTPErrors", "shop", "", "HTTP errors on shop"),
        ("sessions down", "sessions", "", "sessions down"),
        ("", "", "", "An alert without a name"),
        ("A", "s", "long " * 100, "long " * 38 + "long…"),
    ],
)
def test_an_incidents_title_reads_like_a_headline(name, service, summary, title):
    assert headline(name, service, summary) == title
    assert len(title) <= 200
