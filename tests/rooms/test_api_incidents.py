"""Programs speak with the API: incidents, acts with idempotency keys, hostile bodies."""

import json

import pytest

from tests.support.api import Api, a_filled_database
from unrepeat.incidents import queries
from unrepeat.incidents.acts import ACTS

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled():
    return a_filled_database()


@pytest.fixture
def ben(filled):
    return Api(filled.responder_token)


def problem_of(answer):
    said = answer.json()
    assert set(said) == {"what", "why", "remedy"} and all(said.values())
    return said


def test_the_list_says_how_many_there_are_and_filters_them(ben):
    everything = ben.get("/incidents").json()
    assert everything["count"] == 2
    assert {"number", "title", "status"} <= set(everything["items"][0])
    assert [one["title"] for one in ben.get("/incidents?status=open").json()["items"]] == ["The shop is slow"]
    assert ben.get("/incidents?service=shop").json()["count"] == 1
    second = ben.get("/incidents?page=2&per_page=1").json()
    assert len(second["items"]) == 1 and second["count"] == 2
    assert ben.get("/incidents?page=9").json() == {"items": [], "count": 2}


def test_an_incident_opened_by_hand_is_in_the_log_under_its_opener(ben):
    made = ben.post("/incidents", {"title": "Checkout fails", "severity": "major", "service": "shop"})
    assert made.status_code == 201
    log = ben.get(f"/incidents/{made.json()['number']}/log").json()
    assert log["items"][0]["by"] == "Ben"
    assert log["items"][0]["entry"]["kind"] == "incident_opened"
    assert log["last_seq"] == len(log["items"])


def test_a_note_is_answered_with_its_entry_and_the_state(ben, filled):
    said = ben.post(f"/incidents/{filled.incident}/acts/note", {"text": "Memory falls"}).json()
    assert [entry["entry"] for entry in said["entries"]] == [{"kind": "note_written", "text": "Memory falls"}]
    assert said["state"]["notes"] == 2
    assert said["state"]["last_seq"] == said["entries"][0]["seq"]


def test_the_log_goes_on_behind_the_seq_one_has(ben, filled):
    log = ben.get(f"/incidents/{filled.incident}/log").json()["items"]
    rest = ben.get(f"/incidents/{filled.incident}/log?after={log[0]['seq']}&limit=1").json()
    assert rest["items"] == [log[1]]


def test_a_suspect_is_raised_and_convicted(ben, filled):
    body = {"suspect": "sessions", "kind": "service", "reason": "memory grows with tracked sessions"}
    said = ben.post(f"/incidents/{filled.incident}/acts/convict_suspect", body).json()
    assert [(one["name"], one["verdict"]) for one in said["state"]["suspects"]] == [("sessions", "guilty")]


def test_the_same_key_does_an_act_once(ben, filled):
    path = f"/incidents/{filled.incident}/acts/note"
    first = ben.post(path, {"text": "once"}, **{"Idempotency-Key": "k-1"})
    again = ben.post(path, {"text": "once"}, **{"Idempotency-Key": "k-1"})
    other = ben.post(path, {"text": "once"}, **{"Idempotency-Key": "k-2"})
    assert first.json()["entries"] == again.json()["entries"] != other.json()["entries"]
    assert sum(line.entry.kind == "note_written" for line in queries.log_of(filled.incident)) == 3


def test_one_persons_key_is_not_anothers(ben, filled):
    path = f"/incidents/{filled.incident}/acts/note"
    ben.post(path, {"text": "by Ben"}, **{"Idempotency-Key": "same"})
    said = Api(filled.admin_token).post(path, {"text": "by Ada"}, **{"Idempotency-Key": "same"}).json()
    assert [entry["by"] for entry in said["entries"]] == ["Ada"]


def test_an_act_that_the_state_does_not_allow_is_a_conflict(ben, filled):
    path = f"/incidents/{filled.incident}/acts/acknowledge"
    assert ben.post(path).status_code == 200
    again = ben.post(path, {})
    assert again.status_code == 409
    assert "acknowledged" in problem_of(again)["what"]


def test_every_act_has_an_operation_with_its_words(filled):
    document = Api().get("/openapi.json").json()
    for name, act in ACTS.items():
        operation = document["paths"][f"/api/v1/incidents/{{number}}/acts/{name}"]["post"]
        assert operation["description"] == act.__doc__
        assert "requestBody" in operation


def test_redacting_needs_an_administrator_and_blanks_the_words(ben, filled):
    path = f"/incidents/{filled.incident}/log/2/redact"
    assert ben.post(path, {"reason": "a password"}).status_code == 403
    assert Api(filled.admin_token).post(path, {"reason": "a password"}).status_code == 200
    log = ben.get(f"/incidents/{filled.incident}/log").json()["items"]
    assert log[1]["entry"]["kind"] == "redacted"
    assert "Memory grows" not in json.dumps(log)


HOSTILE = {
    "a NUL character": (b'{"text": "a\\u0000b"}', 422),
    "half of a surrogate pair": (b'{"text": "a\\ud800b"}', 422),
    "not JSON": (b"text=1", 422),
    "not a number": (b'{"text": NaN}', 422),
    "nested for ever": (b"[" * 100_000, 422),
    "not UTF-8": (b'{"text": "\xff"}', 422),
    "no text": (b'{"text": 5}', 422),
    "nothing": (b"", 422),
    "a list": (b"[]", 422),
    "blank": (b'{"text": "   "}', 422),
    "a misspelt field": (b'{"text": "a", "txet": "b"}', 422),
    "too long": (json.dumps({"text": "a" * 30_000}).encode(), 422),
    "larger than a form": (json.dumps({"text": "a" * 1_100_000}).encode(), 413),
    "a time without a zone": (b'{"text": "a", "at": "2024-08-12T15:15:00"}', 422),
    "a time as a number": (b'{"text": "a", "at": 5}', 422),
    "a time to come": (b'{"text": "a", "at": "2999-01-01T00:00:00Z"}', 422),
    "the first day there is": (b'{"text": "a", "at": "0001-01-01T00:00:00+14:00"}', 422),
    "the last day there is": (b'{"text": "a", "at": "9999-12-31T23:59:59-14:00"}', 422),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_note_is_refused_with_three_sentences(ben, filled, what):
    body, status = HOSTILE[what]
    answer = ben.post(f"/incidents/{filled.incident}/acts/note", body)
    assert answer.status_code == status
    problem_of(answer)
    assert queries.state_of(filled.incident).notes == 1


@pytest.mark.parametrize("number", [0, -1, 2**63 - 1, 2**63, 10**40, "x", "%00", "%ED%A0%80"])
def test_a_number_that_no_incident_has_is_refused(ben, filled, number):
    answer = ben.get(f"/incidents/{number}")
    assert answer.status_code in (404, 422)
    problem_of(answer)


@pytest.mark.parametrize(
    "query", ["page=0", "page=99999999999999999999", "per_page=1000", "status=nonsense", "service=%00"]
)
def test_a_query_that_makes_no_sense_is_refused(ben, query):
    answer = ben.get(f"/incidents?{query}")
    assert answer.status_code == 422
    problem_of(answer)


def test_a_number_beyond_the_database_is_refused_in_a_body(ben, filled):
    path = f"/incidents/{filled.incident}/acts"
    assert ben.post(f"{path}/merge", {"into": 2**63}).status_code == 422
    assert ben.post(f"{path}/merge", {"into": 2**63 - 1}).status_code == 404
    assert ben.post(f"{path}/split", {"alerts": [2**63]}).status_code == 422


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_only_json_is_taken(ben, filled, kind):
    answer = ben.post(f"/incidents/{filled.incident}/acts/note", b'{"text": "a"}', content_type=kind)
    assert answer.status_code == 415
    problem_of(answer)


@pytest.mark.parametrize("key", ["", "a" * 101, "with space", "ümlaut", "k#1"])
def test_a_key_that_is_none_is_refused(ben, filled, key):
    answer = ben.post(f"/incidents/{filled.incident}/acts/note", {"text": "a"}, **{"Idempotency-Key": key})
    assert answer.status_code == 422
    assert queries.state_of(filled.incident).notes == 1


def test_an_address_that_leads_nowhere_says_so_as_json():
    answer = Api().get("/nothing/here")
    assert answer.status_code == 404
    problem_of(answer)
