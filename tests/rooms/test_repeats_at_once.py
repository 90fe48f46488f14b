"""Many workers compare one incident at once: each likeness is said once, and a person's word is not overridden. On both databases."""

from __future__ import annotations

import pytest

from tests.rooms.test_postmortems_at_once import at_once
from tests.rooms.test_repeats import AGAIN, an_outage, grouped, said
from tests.support.world import alert, change, minutes, the_shop
from unrepeat.incidents import acts
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import queries as incident_queries
from unrepeat.prevention.repeats import matching as repeats

pytestmark = pytest.mark.django_db(transaction=True)


def seen_again() -> tuple[int, int]:
    """A past report and the incident in which its failure seems to be back."""
    the_shop()
    past = an_outage()
    change("sessions", AGAIN - minutes(30), version="2.0")
    return past, grouped(alert("sessions", "HighMemoryUsage", AGAIN))


def test_a_likeness_that_many_workers_see_is_said_once():
    past, incident = seen_again()
    at_once(lambda _: repeats.match(incident))
    assert said(incident) == 1
    assert incident_queries.state_of(incident).repeats[past].standing == "likely"


def test_a_rejection_among_many_workers_stands():
    past, incident = seen_again()
    repeats.match(incident)

    def do(i: int) -> object:
        if i == 3:
            return incidents.perform(incident, acts.RejectRepeat(past, "Another leak."), by="Ada")
        return repeats.match(incident)

    at_once(do)
    repeats.match(incident)
    assert incident_queries.state_of(incident).repeats[past].standing == "rejected"
    assert said(incident) == 1


def test_a_repeat_that_two_people_name_at_once_is_confirmed_once():
    past, incident = seen_again()
    answers = at_once(lambda i: repeats.name_repeat(incident, past, by=f"person {i}"))
    assert answers.count(None) == 1, "the others are told that it was confirmed before"
    assert said(incident) == 1
