"""The report's page: how its measures stand today is there and leads on; amending a measure there loses nothing of it."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.support.api import a_filled_database
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents import entries as e
from unrepeat.postmortems import queries as postmortems
from unrepeat.web.models import User

pytestmark = pytest.mark.django_db


def page(world, name: str = "Cleo") -> str:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/postmortems/{world.report}", headers={"accept": "text/html"})
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def world():
    found = a_filled_database()
    past = postmortems.incident_of(found.report)
    entries: list[e.Entry] = [
        e.CauseNamed(1, "cause", "software_defect", "Nothing lets go of a session"),
        e.MeasureProposed(90, "task", "Let go of sessions", "Ben", "2024-09-01", "prevent", (1,)),
        e.GuardTied(90, 7, "sessions-load-test", "load_test", "t" * 64),
        e.MeasureDone(90),
        e.GuardProven(7, "t" * 64, "1" * 64, "2" * 64, "Red, green.", "v2.0", "v2.0.1"),
        e.GuardTurned(7, "t" * 64, "red", "3" * 64, "It grows again."),
        e.RepeatedBy(found.incident, "Once more"),
    ]
    commands.append(past, entries, by="unrepeat")
    return found


@pytest.fixture
def past(world) -> int:
    """The incident that the report is about."""
    return postmortems.incident_of(world.report)


def test_a_regression_stands_on_top_with_the_run_and_leads_to_the_guard_and_the_incident(world):
    said = page(world)
    assert "Regressed" in said and "3" * 64 in said and "It grows again." in said
    assert '<a href="/guards/sessions-load-test">' in said
    assert f'<a href="/incidents/{world.incident}">incident {world.incident}</a>' in said


def test_a_file_has_no_address_of_this_server(world):
    client = Client()
    client.force_login(User.objects.get(username="Cleo"), backend="django.contrib.auth.backends.ModelBackend")
    text = client.get(f"/postmortems/{world.report}.html").content.decode()
    assert "Regressed" in text
    assert 'href="/' not in text


def test_amending_a_measure_on_the_report_keeps_what_it_does_and_what_it_answers(world, past):
    said = page(world, "Ada")
    form = said[said.index('id="effect-90"') :]
    assert '<option value="prevent" selected>' in form[:400]
    assert '<option value="1" selected>A defect in software: Nothing lets go of a session</option>' in form
    client = Client()
    client.force_login(User.objects.get(username="Ada"), backend="django.contrib.auth.backends.ModelBackend")
    sent = {"measure": "90", "kind": "task", "text": "Let go of all sessions", "owner": "Ben", "due": "2024-09-01"}
    client.post(f"/incidents/{past}/act/amend_measure", {**sent, "effect": "prevent", "answers": ["1"]})
    amended = queries.state_of(past).measures[90]
    assert (amended.text, amended.effect, amended.answers) == ("Let go of all sessions", "prevent", (1,))


def test_dropping_it_takes_it_out_of_what_stands_today(world, past):
    commands.perform(past, acts.DropMeasure(90, "the service goes"), by="Ada")
    assert "Regressed" not in page(world)
