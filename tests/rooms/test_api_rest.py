"""The other subjects of the API: postmortems, sources, deliveries, catalogue, people, health."""

from datetime import timedelta

import pytest

from tests.support.api import CATALOGUE, Api, a_filled_database
from unrepeat.arrivals.models import Delivery, Source
from unrepeat.support import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled():
    return a_filled_database()


@pytest.fixture
def ada(filled):
    return Api(filled.admin_token)


def test_the_library_lists_and_finds_reports(ada, filled):
    listed = ada.get("/postmortems").json()
    assert listed["count"] == 1
    assert listed["items"][0]["number"] == filled.report
    assert ada.get("/postmortems?text=sessions").json()["count"] == 1
    assert ada.get("/postmortems?text=volcano").json() == {"items": [], "count": 0}
    assert ada.get("/postmortems?since=2999-01-01").json()["count"] == 0


def test_a_report_has_facts_prose_and_figures(ada, filled):
    report = ada.get(f"/postmortems/{filled.report}").json()
    assert report["status"] == "published" and report["revision"] == 1 and len(report["digest"]) == 64
    assert report["prose"]["cause"]["text"] == "Sessions were never let go."
    assert report["facts"]["services"] == ["shop"]
    assert ada.get(f"/postmortems/{filled.report}/revisions").json()["items"][0]["digest"] == report["digest"]


def test_a_section_is_written_with_history_and_without_losing_anothers_words(ada, filled):
    path = f"/postmortems/{filled.report}/sections/cause"
    seq = ada.get(f"{path}/history").json()["items"][0]["seq"]
    assert ada.send("PUT", path, {"text": "The tracker held them.", "expected": seq}).json()["seq"] == seq + 1
    assert ada.send("PUT", path, {"text": "Mine!", "expected": seq}).status_code == 409
    history = ada.get(f"{path}/history").json()["items"]
    assert [one["text"] for one in history] == ["The tracker held them.", "Sessions were never let go."]
    assert ada.send("PUT", "/postmortems/1/sections/gossip", {"text": "x"}).status_code == 422


def test_publishing_makes_the_next_revision_and_keeps_the_one_before(ada, filled):
    ada.send("PUT", f"/postmortems/{filled.report}/sections/cause", {"text": "The tracker held them."})
    assert ada.post(f"/postmortems/{filled.report}/publish").json() == {"number": filled.report, "revision": 2}
    first = ada.get(f"/postmortems/{filled.report}?revision=1").json()
    assert first["prose"]["cause"]["text"] == "Sessions were never let go."


def test_a_report_comes_as_one_html_file_and_as_markdown(ada, filled):
    page = ada.get(f"/postmortems/{filled.report}/html")
    assert page["Content-Type"] == "text/html; charset=utf-8" and "attachment" in page["Content-Disposition"]
    assert "Sessions were never let go." in page.text
    text = ada.get(f"/postmortems/{filled.report}/markdown")
    assert text["Content-Type"] == "text/markdown; charset=utf-8"
    assert text.text.startswith("#")


def test_a_sources_token_is_shown_once(ada):
    made = ada.post("/sources", {"name": "shop-alerts", "kind": "alertmanager"})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    assert made.json()["path"] == f"/in/shop-alerts/{made.json()['token']}"
    listed = ada.get("/sources").json()
    assert made.json()["token"] not in str(listed)
    assert {one["name"]: one["tokens"] for one in listed["items"]}["shop-alerts"] == 1
    rotated = ada.post("/sources/shop-alerts/rotate", {"overlap": 60}).json()
    assert rotated["token"] != made.json()["token"]
    assert ada.post("/sources/shop-alerts/revoke").json() == {"ended": 2}
    assert ada.post("/sources", {"name": "shop-alerts", "kind": "alertmanager"}).status_code == 409
    assert ada.post("/sources", {"name": "x", "kind": "carrier-pigeon"}).status_code == 422
    assert ada.post("/sources/nobody/rotate", {}).status_code == 404


def test_a_source_that_signs_gets_a_secret_and_loses_it(ada):
    ada.post("/sources", {"name": "code", "kind": "github"})
    assert ada.send("PUT", "/sources/code/secret", {"secret": "long enough to be one"}).json()["signed"] is True
    assert ada.send("DELETE", "/sources/code/secret").json() == {"ended": 1}


def test_an_unreadable_delivery_is_kept_shown_and_read_again(ada):
    listed = ada.get("/deliveries/unreadable").json()
    assert listed["count"] == 1 and listed["items"][0]["reason"] == "It is not JSON."
    number = listed["items"][0]["number"]
    assert ada.get(f"/deliveries/{number}").json()["body"] == "no json \ufffd"
    assert ada.post("/deliveries/reread", {"deliveries": [number + 1]}).json() == {"marked": 0}
    assert ada.post("/deliveries/reread", {}).json() == {"marked": 1}
    assert ada.get("/deliveries/unreadable").json() == {"items": [], "count": 0}


def test_alerts_and_changes_are_listed_newest_first(ada):
    alerts = ada.get("/alerts?firing=true&service=sessions").json()
    assert [one["name"] for one in alerts["items"]] == ["High memory usage"] * 2
    assert ada.get("/alerts?firing=false").json()["count"] == 0
    assert ada.get(f"/alerts/{alerts['items'][0]['number']}").json() == alerts["items"][0]
    assert [one["version"] for one in ada.get("/changes?service=sessions").json()["items"]] == ["2.0"]


def test_the_catalogue_is_loaded_and_told(ada):
    loaded = ada.post("/catalogue", {"toml": CATALOGUE + '[services.database]\nteam = "checkout"\n'})
    assert loaded.json()["services_new"] == 1
    shop = ada.get("/services/shop").json()
    assert shop["team"] == "checkout" and shop["depends_on"] == ["sessions"] and shop["neighbours"] == ["sessions"]
    assert ada.get("/teams").json()["items"][0]["services"] == ["database", "sessions", "shop"]
    assert ada.post("/catalogue", {"toml": "not = toml = at all"}).status_code == 422


def test_people_are_added_with_a_link_and_the_last_administrator_stays(ada):
    made = ada.post("/people", {"name": "Dan", "email": "dan@shop.example", "role": "responder"})
    assert made.status_code == 201 and "/join/" in made.json()["link"]
    assert ada.post("/people", {"name": "Dan"}).status_code == 422
    assert ada.send("PATCH", "/people/Dan", {"role": "reader"}).json()["role"] == "reader"
    assert ada.send("PATCH", "/people/Ada", {"role": "reader"}).status_code == 409
    assert ada.send("PATCH", "/people/Nobody", {"role": "reader"}).status_code == 404


def test_health_says_when_nobody_works(ada):
    well = ada.get("/health")
    assert well.status_code == 200
    assert well.json()["status"] == "well" and well.json()["version"] is not None
    now = clock.now()
    Delivery.objects.create(
        source=Source.objects.get(), key=b"late", received_at=now - timedelta(minutes=2), headers={}, body=b"{}"
    )
    behind = ada.get("/health").json()
    assert (behind["status"], behind["worker"], behind["waiting_deliveries"]) == ("behind", "behind", 1)
