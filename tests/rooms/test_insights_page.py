"""The plots of all outages: times, repeats, causes and measures; the same numbers as files; never of people or teams."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.support.api import a_filled_database
from tests.support.pages import propose, signed_in, text_of
from unrepeat.incidents import acts, commands
from unrepeat.incidents import entries as e
from unrepeat.incidents.models import MeasureTurn
from unrepeat.prevention import insights
from unrepeat.support import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return a_filled_database()


def outage(title, days, *, detected=60, named=None, stopped=600):
    """An outage so many days ago; seconds until it was detected, named and stopped."""
    began = clock.now() - timedelta(days=days)
    number = commands.open_incident(
        title, service="shop", severity="major", by="Ben", at=began + timedelta(seconds=detected)
    )
    commands.perform(number, acts.CorrectStart(began), by="Ben")
    if named is not None:
        at = began + timedelta(seconds=detected + named)
        commands.perform(number, acts.ConvictSuspect("shop", "service", "it is"), by="Ben", at=at)
    if stopped is not None:
        commands.perform(
            number, acts.Mitigate("rolled back"), by="Ben", at=began + timedelta(seconds=detected + stopped)
        )
    return number


def table(client, name):
    return list(csv.DictReader(io.StringIO(text_of(client.get(f"/insights/{name}.csv")))))


def test_times_are_told_as_shares_of_outages_and_those_that_are_not_known_are_counted(world):
    for days, stopped in ((1, 60), (2, 120), (3, 600), (4, None)):
        outage("The shop is slow", days, stopped=stopped)
    rows = {row["share of outages"]: row["seconds"] for row in table(signed_in("Cleo"), "to_mitigate")}
    assert (rows["50 %"], rows["all"]) == ("120", "600")
    page = text_of(signed_in("Cleo").get("/insights"))
    assert "Half of the outages within 2 min" in page


def test_repeats_are_counted_in_the_month_in_which_they_opened(world):
    number = outage("The shop is slow again", 0.01, stopped=None)
    commands.append(number, [e.RepeatSuspected(world.report, 2, "The shop was slow", "likely", 0.9)], by="unrepeat")
    commands.perform(number, acts.ConfirmRepeat(world.report), by="Ada")
    last = table(signed_in("Cleo"), "repeats")[-1]
    assert (last["outages"], last["repeats"]) == ("3", "1")  # two are in the filled database


def test_causes_are_counted_in_three_lists(world):
    commands.perform(world.incident, acts.NameCause("trigger", "deploy"), by="Ada")
    commands.perform(world.incident, acts.NameCause("cause", "software_defect"), by="Ada")
    assert table(signed_in("Cleo"), "triggers") == [{"word": "a deploy", "outages": "1"}]
    assert table(signed_in("Cleo"), "causes") == [{"word": "a defect in software", "outages": "1"}]


def test_measures_stand_in_one_state_each_at_the_end_of_a_month(world):
    commands.perform(world.incident, acts.FinishMeasure(propose(world, "Done")), by="Ben")
    propose(world, "Open")
    last = table(signed_in("Cleo"), "measures")[-1]
    assert (last["open"], last["done, not verified"], last["verified"], last["failed"]) == ("1", "1", "0", "0")


def test_a_failure_that_was_closed_stands_in_the_months_in_which_it_lasted(world):
    months = insights.months(clock.now())
    text = "d" * 64
    story = (
        (5, e.MeasureProposed(9, "task", "End sessions", "Ben", "", "prevent")),
        (5, e.GuardTied(9, 77, "sessions-end", "command", text)),
        (4, e.MeasureDone(9, "2.0.1 is out")),
        (4, e.GuardProven(77, text, "r" * 64, "g" * 64, "red, then green", "2.0", "2.0.1")),
        (3, e.GuardTurned(77, text, "red", "x" * 64, "41 of 40 are kept")),
        (1, e.GuardTurned(77, text, "green", "y" * 64, "all end")),
        (1, e.RegressionClosed(9, "2.1.1 is out")),
    )
    for ago, entry in story:
        at = min(insights.began(months[-ago]) + timedelta(days=1), clock.now())
        commands.append(world.incident, [entry], by="Ada", at=at)
    stood = [(one.open, one.done, one.verified, one.failed) for one in insights.measures(months)[-6:]]
    assert stood == [(0, 0, 0, 0), (1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 1), (0, 0, 1, 0)]


def test_what_is_counted_by_month_can_be_made_again_from_the_logs(world):
    commands.perform(world.incident, acts.FinishMeasure(propose(world, "Done")), by="Ben")
    before = insights.measures(insights.months(clock.now()))
    MeasureTurn.objects.all().delete()
    assert commands.rebuild()[1] == 1
    assert insights.measures(insights.months(clock.now())) == before
    assert commands.rebuild()[1] == 0


def test_the_plots_go_back_as_many_years_as_one_asks_for(world):
    outage("The shop was slow", 1200)
    cleo = signed_in("Cleo")
    two, five = (
        list(csv.DictReader(io.StringIO(text_of(cleo.get(f"/insights/repeats.csv?years={n}"))))) for n in (2, 5)
    )
    assert sum(int(row["outages"]) for row in five) - sum(int(row["outages"]) for row in two) == 1
    assert "/insights/repeats.csv?years=5" in text_of(cleo.get("/insights?years=5"))
    assert table(cleo, "repeats") == two


def test_no_plot_is_a_league_table_of_people_or_teams(world):
    propose(world, owner="Ben")
    page = text_of(signed_in("Cleo").get("/insights")).split("<main")[1]
    assert "Ben" not in page and "checkout" not in page


def test_the_plots_are_the_same_bytes_each_time(world):
    outage("The shop is slow", 40)
    once, twice = (
        re.findall(r"<svg.*?</svg>", text_of(signed_in("Cleo").get("/insights")), re.DOTALL) for _ in range(2)
    )
    assert once and once == twice
