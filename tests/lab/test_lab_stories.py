"""The lab's stories: found by their names, and what a flash sale complains of."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lab.stories import DEFAULT, names, story
from lab.stories.flash_sale import Rush, complaints
from lab.told import Raised, raised


@pytest.mark.parametrize("name", names())
def test_a_story_can_be_played_and_says_what_it_is(name):
    found = story(name)
    assert found.TITLE
    assert found.ABOUT_SECONDS > 0
    assert callable(found.play)


def test_the_outage_is_played_when_nothing_is_said():
    assert DEFAULT == "never-twice"
    assert DEFAULT in names()


def test_the_command_line_names_all_stories():
    told = subprocess.run([sys.executable, "-m", "lab", "run", "--help"], capture_output=True, text=True, check=True)
    assert all(name in told.stdout for name in names())


def entry(kind: str, name: str, reason: str, by: str = "unrepeat") -> dict:
    return {"by": by, "entry": {"kind": kind, "suspect_kind": "service", "suspect": name, "reason": reason}}


def test_what_the_machine_raised_or_convicted_is_read_and_what_people_said_is_not():
    log = [
        entry("suspect_raised", "sessions", "Memory rose: the shape of a leak."),
        entry("suspect_raised", "shop", "CPU of shop rose.", by="Ada"),
        entry("suspect_cleared", "database", "No leak here."),
    ]
    assert raised(log) == [Raised("service", "sessions", "Memory rose: the shape of a leak.")]


def rush(**changed) -> Rush:
    values = {"usual_per_second": 4.0, "sale_per_second": 32.0, "incidents": [{"number": 1}], "raised": []}
    return Rush(**{**values, **changed})


def test_a_flash_sale_may_name_who_is_slow_but_no_leak():
    slow = Raised("service", "shop", "Requests to shop: average time rose from 10 ms to 900 ms.")
    leak = Raised("service", "sessions", "Memory rose without a rest: the shape of a leak.")
    assert complaints(rush(raised=[slow])) == []
    assert complaints(rush(raised=[slow, leak])) == [
        "service sessions was taken for a leak: Memory rose without a rest: the shape of a leak."
    ]
    assert "FIGURE lab_flash_sale_leak_named=1 unit=suspects against=0" in rush(raised=[leak]).figures()


def test_a_sale_that_nobody_came_to_or_nobody_looked_at_shows_nothing():
    assert "only 1.0 times" in complaints(rush(sale_per_second=4.0))[0]
    assert "no incident was opened" in complaints(rush(incidents=[]))[0]
    assert complaints(rush(incidents=[], raised=None)) == []
