"""By which signs a failure is known again, and what they come to. No database."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import outage
from unrepeat.incidents.fold import fold
from unrepeat.prevention.repeats import past
from unrepeat.prevention.repeats.signs import WEIGHTS, family, past_signs, present_signs, weigh

ALERT, CHANGE, VERSION = "alert:high memory usage|sessions", "change:sessions|deploy", "version:sessions|2.0"
GUILTY, CAUSE = "guilty:service|sessions", "cause:deploy|capacity_exhausted|sessions"
SIGNS = [ALERT, CHANGE, VERSION, GUILTY, CAUSE]


def standing(*signs: str, **more) -> str | None:
    found = weigh({sign: sign for sign in signs}, **more)
    return found.standing if found else None


@pytest.mark.parametrize("name", ["HighMemoryUsage", "High memory usage", "high_memory_usage", "high-memory-usage "])
def test_an_alert_has_one_family_however_it_is_spelled(name):
    assert family(name) == "high memory usage"


def test_the_symptom_alone_is_possible_and_with_the_mechanism_likely():
    assert standing(ALERT) == "possible"
    for mechanism in (CHANGE, VERSION, GUILTY, CAUSE):
        assert standing(ALERT, mechanism) == "likely", mechanism
    assert standing(ALERT, guards=("memory",)) == "likely"


def test_a_change_of_the_same_kind_alone_says_nothing():
    assert standing(CHANGE) is None
    assert standing() is None


def test_two_ways_to_the_mechanism_agree_without_the_symptom():
    assert standing(GUILTY, VERSION) == standing(GUILTY, CAUSE) == standing(VERSION, guards=("memory",)) == "likely"
    assert standing(GUILTY, CHANGE) == "possible", "a deploy of the guilty service comes before many outages"


def test_like_words_alone_are_never_likely():
    assert standing(words=("leak",), sure=1.0) == "possible"
    assert standing(words=("leak",), sure=0.3) is None
    assert standing(ALERT, words=("leak",), sure=1.0) == "possible"


def test_what_many_reports_share_says_nothing_alone():
    assert standing(ALERT, common={ALERT}) is None
    assert standing(ALERT, VERSION, common={ALERT}) == "likely"


@given(st.sets(st.sampled_from(SIGNS)), st.sampled_from(SIGNS), st.floats(0, 1))
def test_one_more_sign_never_makes_it_less_like(signs, more, sure):
    rank = {None: 0, "possible": 1, "likely": 2}
    before = weigh({s: s for s in signs}, words=("leak",), sure=sure)
    after = weigh({s: s for s in {*signs, more}}, words=("leak",), sure=sure)
    assert rank[after.standing if after else None] >= rank[before.standing if before else None]
    if before and after:
        assert 0 <= before.score <= after.score <= 1


def test_every_weight_leaves_room_for_doubt():
    assert all(0 < weight < 1 for weight in WEIGHTS.values())


def test_the_signs_of_the_leak():
    state = fold(outage.log(*outage.outage()))
    signs = past_signs(state)
    assert {ALERT, VERSION, CHANGE, GUILTY} <= signs
    assert signs <= set(present_signs(state)), "what it is known by later can be seen while it goes on"
    assert "2.0.1" in past.ended_by(state)
    assert past.began(state) == "2024-08-12"


def test_a_change_that_came_after_the_alert_did_not_bring_it():
    state = fold(outage.log(*outage.outage()))
    assert not any("2.0.1" in sign for sign in [*past_signs(state), *present_signs(state)])


def test_the_reference_lists_every_sign_with_its_weight():
    text = (Path(__file__).parents[2] / "docs/reference/repeats.md").read_text(encoding="utf-8")
    for kind, weight in WEIGHTS.items():
        assert any(
            line.startswith(f"| `{kind}` |") and line.endswith(f"| {weight:g} |") for line in text.splitlines()
        ), kind
