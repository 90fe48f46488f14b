"""Whether it happened before, on the incident's page, side by side, on the front page, beside the report, and through the API."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.rooms.test_repeats import AGAIN, an_outage, grouped, named
from tests.support.world import alert, change, minutes, the_shop
from unrepeat.incidents import queries as incident_queries
from unrepeat.postmortems import library
from unrepeat.prevention.repeats import matching as repeats
from unrepeat.prevention.repeats.counted import repeat_number
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _people():
    the_shop()
    User.objects.create_user("Ada", role=User.Role.RESPONDER)
    User.objects.create_user("Cleo", role=User.Role.READER)


def as_(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def page(who: str, address: str) -> str:
    answer = as_(who).get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


@pytest.fixture
def again() -> tuple[int, int]:
    """A past report and the incident in which its failure seems to be back."""
    past = an_outage()
    change("sessions", AGAIN - minutes(30), version="2.0")
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "likely"}
    return past, incident


def test_the_incidents_page_says_what_ended_it_then_and_what_is_still_open(again):
    past, incident = again
    said = page("Cleo", f"/incidents/{incident}")
    for words in (
        f"PM-{past}</a> on 12 August 2024",
        "Likely the same cause",
        "sessions 2.0.1 was deployed",
        "1 measure still open",
        "sessions 2.0 was shipped shortly before",
    ):
        assert words in said, words
    assert "It is this again" not in said, "a reader decides nothing"
    assert "Likely the same cause" in page("Cleo", f"/incidents/{incident}/part/seen"), "it comes live"


def test_without_a_likeness_nothing_is_claimed():
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    said = page("Cleo", f"/incidents/{incident}/part/seen")
    assert "PM-" not in said and "Seen in" not in said


def test_one_click_confirms_and_one_click_rejects(again):
    past, incident = again
    answer = as_("Ada").post(f"/incidents/{incident}/act/confirm_repeat", {"postmortem": past, "back": "seen"})
    assert answer["Location"] == f"/incidents/{incident}#seen"
    assert "A repeat" in page("Cleo", f"/incidents/{incident}")
    as_("Ada").post(f"/incidents/{incident}/act/reject_repeat", {"postmortem": past, "back": "seen"})
    assert incident_queries.state_of(incident).repeats[past].standing == "rejected"
    assert "Seen in" not in page("Cleo", f"/incidents/{incident}/part/seen")
    assert as_("Cleo").post(f"/incidents/{incident}/act/confirm_repeat", {"postmortem": past}).status_code == 403


def test_a_responder_names_a_report_by_its_number(again):
    past, _ = again
    other = grouped(alert("billing", "Slow", AGAIN))
    assert as_("Cleo").post(f"/incidents/{other}/repeats", {"postmortem": f"PM-{past}"}).status_code == 403
    as_("Ada").post(f"/incidents/{other}/repeats", {"postmortem": f"pm-{past}"})
    assert incident_queries.state_of(other).repeats[past].standing == "confirmed"
    assert as_("Ada").post(f"/incidents/{other}/repeats", {"postmortem": "the leak"}).status_code == 422
    assert as_("Ada").post(f"/incidents/{other}/repeats", {"postmortem": "999999"}).status_code == 404


def test_then_and_now_stand_side_by_side(again):
    past, incident = again
    said = page("Cleo", f"/incidents/{incident}/repeats/{past}")
    for words in ("HighMemoryUsage on sessions", "deploy of sessions 2.0", "Release a session when it ends", "Same"):
        assert words in said, words
    assert as_("Cleo").get(f"/incidents/{incident}/repeats/999999").status_code == 404


def test_the_number_counts_only_what_a_person_confirmed(again):
    past, incident = again
    before = repeat_number(AGAIN + minutes(60))
    assert (before.this_year, before.ever, before.days) == (0, 0, None)
    repeats.name_repeat(incident, past, by="Ada")
    number = repeat_number(AGAIN + minutes(60 * 24 * 9 + 60))
    assert (number.this_year, number.days, number.incident, number.postmortem) == (1, 9, incident, past)
    next_year = repeat_number(AGAIN.replace(year=AGAIN.year + 1))
    assert (next_year.this_year, next_year.ever, next_year.days) == (0, 1, 365)
    assert "Repeats this year" in page("Cleo", "/")


def test_both_reports_lead_to_the_other(again):
    past, incident = again
    repeats.name_repeat(incident, past, by="Ada")
    Worker().run_until_idle()
    said = page("Cleo", f"/postmortems/{past}")
    assert f'href="/incidents/{incident}/repeats/{past}"' in said


def test_related_reports_stand_beside_a_report():
    one, other = an_outage(), an_outage(AGAIN, version="3.0")
    an_outage(AGAIN + minutes(60 * 24 * 30), service="billing", name="CertificateExpired", version="")
    assert other in [found.number for found in library.related(one)]
    assert f'href="/postmortems/{other}"' in page("Cleo", f"/postmortems/{one}")


def test_the_library_shows_the_nearest_when_nothing_is_like_it():
    an_outage()
    said = page("Cleo", "/postmortems?text=sessions+of+the+choir+sang+out+of+tune")
    assert "Nothing in the library is like this" in said and "The nearest" in said


def test_the_api_tells_and_takes_the_same(again):
    past, incident = again
    cleo, ada = as_("Cleo"), as_("Ada")
    state = cleo.get(f"/api/v1/incidents/{incident}").json()["state"]
    assert [(one["postmortem"], one["standing"]) for one in state["repeats"]] == [(past, "likely")]
    compared = cleo.get(f"/api/v1/incidents/{incident}/repeats/{past}").json()
    assert compared["past"]["ended_by"] == "sessions 2.0.1 was deployed"
    assert {one["what"]: one["agrees"] for one in compared["aspects"]}["Alerts"] == "same"
    body = json.dumps({"postmortem": past})
    assert cleo.post(f"/api/v1/incidents/{incident}/repeats", body, "application/json").status_code == 403
    assert ada.post(f"/api/v1/incidents/{incident}/repeats", body, "application/json").status_code == 200
    assert cleo.get("/api/v1/repeats").json()["ever"] == 1
    assert cleo.get(f"/api/v1/postmortems/{past}/related").json() == {"items": [], "count": 0}
