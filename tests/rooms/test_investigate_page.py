"""The suspects board and the page of a piece of evidence: what a reader sees, and how anybody asks again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from tests.support.monitored_shop import ALERT, monitored
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents.entries import AlertFired, ChangeNoticed, EvidenceMissing, Happened, IncidentOpened
from unrepeat.investigation import investigate
from unrepeat.investigation.models import Result
from unrepeat.investigation.telemetry import using
from unrepeat.support import clock
from unrepeat.web.models import User
from unrepeat.web.pages.suspects import HEIGHT, WIDTH, newest_answer, spark
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def number(monkeypatch) -> int:
    """An open incident that has just been investigated."""
    monkeypatch.setattr(investigate, "resting", investigate.Resting())
    duty.load_catalogue(
        '[services.sessions]\n[services.shop]\ndepends_on = ["sessions", "database"]\n[services.database]'
    )
    story = [
        IncidentOpened("Memory high on sessions", "critical", "sessions"),
        Happened(AlertFired(1, "Memory high", "sessions"), ALERT, "alertmanager"),
        Happened(ChangeNoticed(7, "deploy", "succeeded", "sessions", "2.0"), ALERT - timedelta(minutes=40), "pipeline"),
    ]
    with clock.using(clock.SimulatedClock(ALERT + timedelta(seconds=2))), using(monitored(leak_since=-38)):
        made = commands.begin(story, by="unrepeat", at=ALERT)
        Worker().run_until_idle()
        yield made


@pytest.fixture
def cleo() -> Client:
    """She only reads."""
    client = Client(headers={"accept": "text/html"})
    user = User.objects.create_user("Cleo", password="only reads", role="reader")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def text(answer) -> str:
    return answer.content.decode()


def test_the_board_shows_each_suspect_with_its_sentence_its_picture_and_its_evidence(cleo, number):
    page = text(cleo.get(f"/incidents/{number}/part/suspects"))
    assert "Look at the memory of sessions, then at what sessions 2.0 changed." in page
    assert "the shape of a leak" in page
    assert "Slow only because sessions is slow" in page
    assert page.count('class="card"') == 4
    assert page.count("<svg viewBox") == 4, "each verdict has its picture"
    for digest in re.findall(rf"/incidents/{number}/evidence/(\w+)", page):
        assert cleo.get(f"/incidents/{number}/evidence/{digest}").status_code == 200


def test_evidence_shows_how_to_ask_again_and_whether_it_is_as_it_was_stored(cleo, number):
    digest = queries.state_of(number).suspects["service", "sessions"].evidence[0]
    page = text(cleo.get(f"/incidents/{number}/evidence/{digest}"))
    assert "process_resident_memory_bytes{service=&quot;sessions&quot;}" in page
    assert "As it was stored" in page
    whole = cleo.get(f"/incidents/{number}/evidence/{digest}?format=json").json()
    assert whole["query"] == 'process_resident_memory_bytes{service="sessions"}'
    assert len(whole["data"]["series"][0]["points"]) > 100
    Result.objects.filter(digest=digest).update(query="another")
    assert "Does not fit its digest" in text(cleo.get(f"/incidents/{number}/evidence/{digest}"))


def test_the_whole_ranking_can_be_read(cleo, number):
    (digest,) = [one.digest for one in queries.state_of(number).evidence.values() if one.title == "Suspects"]
    page = text(cleo.get(f"/incidents/{number}/evidence/{digest}"))
    assert "leak, strength" in page
    assert f"/incidents/{number}/evidence/{digest}" in text(cleo.get(f"/incidents/{number}/part/suspects"))


def test_evidence_of_another_incident_is_not_shown(cleo, number):
    digest = queries.state_of(number).suspects["service", "sessions"].evidence[0]
    other = commands.open_incident("Another", service="shop", severity="minor", by="Ada")
    assert cleo.get(f"/incidents/{other}/evidence/{digest}").status_code == 404


def test_what_could_not_be_seen_is_said(cleo, number):
    commands.append(number, [EvidenceMissing("Numbers of cache", "nobody scrapes it")], by="unrepeat")
    assert "cache could not be seen: nobody scrapes it." in text(cleo.get(f"/incidents/{number}/part/suspects"))


def test_the_board_of_a_resolved_incident_says_no_more_what_to_look_at(cleo, number):
    from unrepeat.incidents import acts

    commands.perform(number, acts.Resolve("All is well."), by="Ada")
    assert "<b>Next:</b>" not in text(cleo.get(f"/incidents/{number}/part/suspects"))


@pytest.mark.parametrize(
    "shown",
    [
        None,
        {},
        {"points": 3},
        {"points": []},
        {"points": [[1, 2]]},
        {"points": [[1, 2], [1, 3]]},
        {"points": [["x", 1]]},
    ],
)
def test_what_is_no_line_is_not_drawn(shown):
    assert spark(shown, ALERT) is None


def test_a_long_line_keeps_its_peak_and_stays_in_its_frame():
    points = [[float(i), 5.0 if i == 4321 else 1.0] for i in range(10_000)]
    drawn = spark({"points": points, "unit": "bytes"}, None, "Memory")
    assert drawn.high == "5 bytes"
    numbers = [float(n) for n in re.findall(r"[\d.]+", drawn.path)]
    assert len(numbers) <= 302
    assert all(0 <= x <= WIDTH for x in numbers[::2]) and all(0 <= y <= HEIGHT for y in numbers[1::2])


def test_a_flat_line_is_drawn():
    assert spark({"points": [[0, 0], [1, 0]], "unit": "count"}, None).low == "0"


def test_after_the_end_the_chart_goes_on_and_says_what_was_known_at_the_verdict(cleo, number):
    with clock.using(clock.SimulatedClock(ALERT + timedelta(minutes=30))), using(monitored(leak_since=-38)):
        commands.perform(number, acts.Resolve("2.0.1 lets go of all."), by="Ada")
        Worker().run_until_idle()
    with clock.using(clock.SimulatedClock(ALERT + timedelta(hours=2))), using(monitored(leak_since=-38)):
        Worker().run_until_idle()
    state = queries.state_of(number)
    (behind, *_) = state.suspects["service", "sessions"].evidence
    page = text(cleo.get(f"/incidents/{number}/evidence/{behind}"))
    assert "a later answer to the same question" in page
    assert "What stood behind the verdict ends at" in page
    assert "As it was stored" in page
    newest = newest_answer(state, behind)
    assert f"/incidents/{number}/evidence/{newest}" in page
    assert "a later answer" not in text(cleo.get(f"/incidents/{number}/evidence/{newest}"))


class TestTheServicesOwnPage:
    """Which series are a service's: the rule in force is shown, guess or declared, with how it fared and how it is corrected."""

    def test_a_guess_is_called_one_and_shows_by_what_it_found(self, cleo, number):
        page = text(cleo.get("/services/sessions"))
        assert "a guess" in page
        assert "{service=&quot;sessions&quot;}" in page
        assert "{job=&quot;sessions&quot;}" in page
        assert f'INC-{number}</a> found its series by <code>{{service="sessions"}}</code>'.replace(
            '"', "&quot;"
        ) in page.replace(f'"/incidents/{number}"', "")
        assert "labels = { app = " in page

    def test_what_the_catalogue_declares_takes_its_place(self, cleo, number):
        duty.load_catalogue('[services.sessions]\nlabels = { app = "session-management", namespace = "shop" }\n')
        page = text(cleo.get("/services/sessions"))
        assert "declared" in page
        assert "{app=&quot;session-management&quot;,namespace=&quot;shop&quot;}" in page
        assert "{job=&quot;sessions&quot;}" not in page
        assert "a guess" not in page

    def test_a_service_that_only_alerts_know_has_a_rule_too_and_a_guess_that_found_nothing_says_so(self, cleo, number):
        with clock.using(clock.SimulatedClock(ALERT)):
            full = commands.open_incident("Archive full", service="archive", severity="major", by="Ada")
            commands.append(full, [EvidenceMissing("Numbers of archive", "there are none")], by="unrepeat")
        page = text(cleo.get("/services/archive"))
        assert "{service=&quot;archive&quot;}" in page
        assert f"INC-{full}</a> nothing was found: there are none." in page
