"""The pages: what they show, what their forms do, and what they do not let through."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.urls import reverse

from tests.support.api import a_filled_database
from tests.support.pages import signed_in, text_of
from tests.support.world import START, minutes
from unrepeat.arrivals.models import Delivery
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents import entries as e
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.entries import Happened
from unrepeat.postmortems import commands as reports
from unrepeat.postmortems import queries as postmortems
from unrepeat.support import clock
from unrepeat.web.models import User

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html"}


@pytest.fixture
def world():
    return a_filled_database()


# --- an incident


def test_a_note_written_on_the_page_stands_in_the_log_under_the_writers_name(world):
    answer = signed_in("Ben").post(
        f"/incidents/{world.incident}/act/note", {"text": "Restarting it helps for a minute."}
    )
    written = queries.log_of(world.incident)[-1]
    assert answer["Location"] == f"/incidents/{world.incident}#e{written.seq}"
    assert (written.by, written.entry) == ("Ben", e.NoteWritten("Restarting it helps for a minute."))


def test_a_form_that_is_sent_twice_is_done_once(world):
    ben = signed_in("Ben")
    for _ in range(2):
        ben.post(f"/incidents/{world.incident}/act/note", {"text": "Only once.", "key": "k1"})
    notes = [one for one in queries.log_of(world.incident) if one.entry == e.NoteWritten("Only once.")]
    assert len(notes) == 1


def test_what_cannot_be_done_is_explained_and_what_was_typed_stays(world):
    answer = signed_in("Ben").post(
        f"/incidents/{world.incident}/act/mitigate", {"how": "Rolled back to 1.4", "change": "999"}
    )
    assert answer.status_code in (404, 422)
    assert re.search(r'role="alert"[^>]*><b>[^<]*999', text_of(answer))
    assert "Rolled back to 1.4" in text_of(answer)


def test_every_act_has_a_form_on_the_page(world):
    for act in (
        acts.NameCause("cause", "software_defect", "Nothing ends a session"),
        acts.ProposeMeasure("task", "End sessions", answers=(1,)),
        acts.FinishMeasure(1),
        acts.ProposeMeasure("improvement", "Alert on growth"),
    ):
        commands.perform(world.incident, act, by="Ada")
    for alert in (1, 2):
        commands.append(world.incident, [e.AlertFired(alert, f"Alert {alert}")], by="prometheus")
    regressed = [
        e.GuardTied(1, 1, "sessions-end", "promql", "d"),
        e.GuardProven(1, "d", "red", "green"),
        e.GuardTurned(1, "d", "red", "run"),
        e.RepeatSuspected(12, 99, "Carts were kept", "likely", 0.9),
    ]
    commands.append(world.incident, regressed, by="unrepeat")
    page = text_of(signed_in("Ben").get(f"/incidents/{world.incident}"))
    forms = set(re.findall(rf'action="/incidents/{world.incident}/act/(\w+)"', page))
    assert set(ACTS) - forms == {"reopen"}  # it is not over


def test_a_cause_is_named_by_its_word_alone(world):
    signed_in("Ben").post(
        f"/incidents/{world.incident}/act/name_cause", {"value": "late_detection", "text": "No alert"}
    )
    named = queries.state_of(world.incident).causes[1]
    assert (named.role, named.value, named.text) == ("factor", "late_detection", "No alert")


def test_a_reader_sees_the_incident_and_no_form(world):
    page = text_of(signed_in("Cleo").get(f"/incidents/{world.incident}"))
    assert "The shop is slow" in page and "/act/" not in page


def test_the_time_in_a_form_is_told_in_the_incidents_zone():
    opened = e.IncidentOpened("The shop is slow", "critical", "shop", "Europe/Berlin")
    number = commands.begin([Happened(opened, START)], by="unrepeat", at=START)
    User.objects.create(username="Ben", role="responder")
    signed_in("Ben").post(f"/incidents/{number}/act/note", {"text": "Seen.", "at": "2024-08-12T17:20"})
    assert queries.log_of(number)[-1].at == START + minutes(5)


def test_the_parts_of_the_page_are_the_ones_that_stand_in_it(world):
    ben = signed_in("Ben")
    page = text_of(ben.get(f"/incidents/{world.incident}"))
    addresses = re.findall(r'data-live="([^"]+)"', page)
    assert len(addresses) == 9
    for address in addresses:
        part = text_of(ben.get(address))
        assert part.startswith("<") and f'data-live="{address}"' in part
        assert "<html" not in part


def test_names_and_notes_from_outside_are_shown_and_never_run(world):
    wicked = "<script>alert(1)</script>"
    commands.perform(world.incident, acts.Note(wicked), by="Ben")
    commands.perform(world.incident, acts.RaiseSuspect(wicked, "service", wicked), by="Ben")
    fired = e.AlertFired(1, wicked, wicked, "critical", wicked, "prometheus", "javascript:alert(1)")
    commands.append(world.incident, [fired], by="prometheus")
    page = text_of(signed_in("Ben").get(f"/incidents/{world.incident}"))
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page
    assert "javascript:" not in page


def test_an_incident_page_asks_the_database_a_fixed_number_of_questions(world, django_assert_max_num_queries):
    ben = signed_in("Ben")
    for number in range(150):
        commands.append(world.incident, [e.NoteWritten(f"note {number}")], by="Ben")
    ben.get(f"/incidents/{world.incident}")
    with django_assert_max_num_queries(12):
        ben.get(f"/incidents/{world.incident}")


def test_a_long_timeline_shows_its_end_and_leads_to_all_of_it(world):
    entries = [
        Happened(e.NoteWritten(f"note number {n};"), clock.now() - timedelta(seconds=600 - n)) for n in range(300)
    ]
    commands.append(world.incident, [one.entry for one in entries], by="Ben")
    ben = signed_in("Ben")
    first, last = ('<span class="key">Ben:</span> note number 0;', '<span class="key">Ben:</span> note number 299;')
    page = text_of(ben.get(f"/incidents/{world.incident}"))
    assert first not in page and last in page
    assert first in text_of(ben.get(f"/incidents/{world.incident}?all=1"))


# --- reports


def test_a_section_is_previewed_saved_and_published(world):
    ben = signed_in("Ben")
    address = f"/postmortems/{world.report}/edit/summary"
    preview = ben.post(address, {"text": "It was **slow**. <script>x</script>", "do": "preview", "expected": "0"})
    assert "<strong>slow</strong>" in text_of(preview) and "<script>x" not in text_of(preview)
    assert not postmortems.prose(world.report, "summary").written
    ben.post(address, {"text": "It was **slow**.", "do": "save", "expected": "0"})
    ben.post(f"/postmortems/{world.report}/publish")
    assert "<strong>slow</strong>" in text_of(signed_in("Cleo").get(f"/postmortems/{world.report}"))


def test_two_who_write_the_same_section_lose_nothing(world):
    address = f"/postmortems/{world.report}/edit/summary"
    signed_in("Ada").post(address, {"text": "What Ada wrote.", "do": "save", "expected": "0"})
    answer = signed_in("Ben").post(address, {"text": "What Ben wrote.", "do": "save", "expected": "0"})
    assert answer.status_code == 409
    assert "What Ada wrote." in text_of(answer) and "What Ben wrote." in text_of(answer)
    assert postmortems.prose(world.report, "summary").text == "What Ada wrote."


def test_readers_see_what_was_published_and_not_the_draft(world):
    signed_in("Ben").post(
        f"/postmortems/{world.report}/edit/cause", {"text": "Half a thought", "do": "save", "expected": "1"}
    )
    cleo = signed_in("Cleo")
    for address in (
        f"/postmortems/{world.report}",
        f"/postmortems/{world.report}?draft=1",
        f"/postmortems/{world.report}.md?draft=1",
    ):
        assert "Half a thought" not in text_of(cleo.get(address))
    assert "Half a thought" in text_of(signed_in("Ben").get(f"/postmortems/{world.report}?draft=1"))


@pytest.mark.parametrize(("end", "kind"), [("html", "text/html"), ("md", "text/markdown")])
def test_a_report_is_downloaded_as_one_file(world, end, kind):
    answer = signed_in("Cleo").get(f"/postmortems/{world.report}.{end}")
    assert answer["Content-Type"] == f"{kind}; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="PM-{world.report}.{end}"'
    assert "Sessions were never let go." in text_of(answer)


def test_the_library_finds_by_words_and_by_service(world):
    cleo = signed_in("Cleo")
    assert f"PM-{world.report}" in text_of(cleo.get("/postmortems?text=never+let"))
    assert f"PM-{world.report}" not in text_of(cleo.get("/postmortems?text=zeppelin"))
    assert f"PM-{world.report}" not in text_of(cleo.get("/postmortems?service=nothing"))


# --- settings


def test_a_source_is_added_and_its_address_is_shown_once(world):
    ada = signed_in("Ada")
    added = text_of(ada.post("/settings/sources/add", {"name": "am-prod", "kind": "alertmanager"}))
    token = re.search(r"/in/am-prod/([\w-]{30,})", added)
    assert token is not None
    assert token[1] not in text_of(ada.get("/settings"))


def test_the_configuration_page_shows_no_secret(world):
    page = text_of(signed_in("Ada").get("/settings/configuration"))
    assert "UNREPEAT_SECRET_KEY" in page and "only-for-tests" not in page


# --- deliveries


def test_an_unreadable_delivery_is_shown_as_it_came_and_read_again(world):
    ben, number = signed_in("Ben"), Delivery.objects.get().pk
    page = text_of(ben.get(f"/deliveries/{number}"))
    assert "It is not JSON." in page and "no json \\xff" in page
    assert ben.post("/deliveries/reread", {"delivery": str(number)})["Location"] == "/deliveries"


# --- problems


@pytest.mark.parametrize(
    "address", ["/nowhere", "/incidents/999", "/postmortems/999", "/services/nobody", "/deliveries/999"]
)
def test_what_is_not_there_says_what_why_and_what_to_do(world, address):
    answer = signed_in("Ada").get(address, headers=HTML)
    assert answer.status_code == 404
    assert "Why" in text_of(answer) and "What to do" in text_of(answer)


def test_programs_get_a_problem_as_json(world):
    answer = Client().get("/api/v1/incidents")
    assert answer.status_code == 401 and set(answer.json()) >= {"what", "why", "remedy"}


def test_a_mistake_of_ours_says_so_and_tells_nothing_else(world, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(queries, "open_incidents", broken)
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="Cleo"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/")
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "Something broke on our side." in page and "secret detail" not in page


def test_a_form_that_is_too_large_is_refused(world):
    client = Client(raise_request_exception=False)
    client.force_login(User.objects.get(username="Ben"), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.post(
        f"/incidents/{world.incident}/act/note",
        {"text": "x" * 1_200_000},
        content_type="application/x-www-form-urlencoded",
    )
    assert answer.status_code in (400, 413)
    assert queries.log_of(world.incident)[-1].entry != e.NoteWritten("x" * 1_200_000)


def test_every_page_carries_the_headers_that_protect_it(world):
    answer = signed_in("Cleo").get("/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"


def test_no_template_holds_a_style_or_a_script_of_its_own():
    from pathlib import Path

    import unrepeat.web

    templates = list((Path(unrepeat.web.__file__).parent / "templates").rglob("*.html"))
    inline = re.compile(r"<style|<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=")
    assert len(templates) > 30
    assert [one.name for one in templates if inline.search(one.read_text())] == []


@override_settings(STRICT_ACCESS=True)
def test_names_of_pages_lead_where_they_say():
    assert reverse("incident", args=[7]) == "/incidents/7"
    assert reverse("postmortem", args=[7]) == "/postmortems/7"


@pytest.mark.parametrize(("method", "path"), [("delete", "/settings"), ("post", "/"), ("delete", "/api/v1/incidents")])
def test_a_wrong_method_is_told_like_any_other_problem(world, method, path):
    answer = getattr(signed_in("Ada"), method)(path)
    assert answer.status_code == 405
    assert f"{method.upper()} is not for it" in text_of(answer)


def test_several_live_parts_come_together_each_as_it_comes_alone(world):
    reader = signed_in("Cleo")
    number = queries.incidents().rows[0].pk
    at = f"/incidents/{number}/part"
    with clock.using(clock.SimulatedClock(clock.now())):
        both = text_of(reader.get(f"{at}/head--alerts--head"))
        alone = [text_of(reader.get(f"{at}/{name}")) for name in ("head", "alerts")]
    head, alerts = both.split('\n<div data-part="alerts">')
    assert head == f'<div data-part="head">{alone[0]}</div>'
    assert alerts == f"{alone[1]}</div>"
    assert reader.get(f"{at}/head--nothing").status_code == 404


def test_a_report_that_is_being_drafted_is_waited_for_and_then_offered(world):
    number = commands.open_incident("The shop is slow", service="shop", severity="major", by="Ada")
    commands.perform(number, acts.Resolve("All is well."), by="Ada")
    ada, part = signed_in("Ada"), f"/incidents/{number}/part"
    before = text_of(ada.get(f"{part}/acts"))
    assert "being drafted" in before and "data-live-timed" in before
    assert "data-live-timed" in text_of(ada.get(f"{part}/head"))
    postmortem, _ = reports.draft(number)
    after = text_of(ada.get(f"{part}/acts"))
    assert f"/postmortems/{postmortem}" in after and "data-live-timed" not in after
    assert "data-live-timed" not in text_of(ada.get(f"{part}/head"))
