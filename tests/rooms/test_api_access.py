"""Who may do what over every operation of the API: nobody, a reader, a responder, a session; closed, and with open reading."""

import json
import re

import pytest
from django.test import Client

from tests.support.api import Api, a_filled_database
from unrepeat.prevention import check_tokens
from unrepeat.support.config import config
from unrepeat.web.access import Role
from unrepeat.web.api.face import need_said
from unrepeat.web.api.urls import api

pytestmark = pytest.mark.django_db
OPEN = {"get_health"}  # works for anybody


def operations():
    """Every operation as (method, path with values in it, name, need)."""
    for bound in api._get_bound_routers():
        for path, view in bound.path_operations.items():
            for operation in view.operations:
                filled = re.sub(
                    r"\{(\w+)\}", lambda found: {"section": "cause", "name": "Ada"}.get(found[1], "1"), path
                )
                for method in operation.methods:
                    yield method, filled, operation.view_func.__name__, need_said(operation.view_func)


OPERATIONS = sorted(operations(), key=lambda one: (one[1], one[0]))


def walk(caller, allowed):
    """What is answered with a status that `allowed(method, name, need)` does not name: {} when all is as it should be."""
    wrong = {}
    for method, path, name, need in OPERATIONS:
        status = caller.send(method, path, {}).status_code
        if status not in allowed(method, name, need):
            wrong[f"{method} {path}"] = status
    return wrong


def readable(method, need):
    return method == "GET" and need.read in (Role.READER, None)


@pytest.fixture
def filled():
    return a_filled_database()


@pytest.fixture
def open_reading(monkeypatch):
    opened = config().model_copy(update={"open_reading": True})
    monkeypatch.setattr("unrepeat.web.access.config", lambda: opened)


def test_there_are_operations_to_walk_over():
    assert len(OPERATIONS) > 50
    assert {name for _, _, name, need in OPERATIONS if need.read is None} == OPEN


@pytest.mark.parametrize("token", [None, "", "not-a-token", "\xff" * 20])
def test_nobody_gets_in(filled, token):
    assert walk(Api(token), lambda _, name, __: {200} if name in OPEN else {401}) == {}


def test_the_version_is_not_for_everybody(filled):
    assert Api().get("/health").json()["version"] is None


def test_a_reader_reads_and_changes_nothing(filled):
    before = everything(filled)
    wrong = walk(Api(filled.reader_token), lambda method, _, need: {200, 404} if readable(method, need) else {403})
    assert wrong == {}
    assert everything(filled) == before


def test_with_open_reading_anybody_reads_and_nobody_changes(filled, open_reading):
    before = everything(filled)
    assert walk(Api(), lambda method, _, need: {200, 404} if readable(method, need) else {401}) == {}
    assert everything(filled) == before


def test_a_responder_does_nothing_that_only_administrators_may(filled):
    before = everything(filled, ["/people", "/tokens", "/services"])
    anything = set(range(200, 500))
    wrong = walk(
        Api(filled.responder_token), lambda method, _, need: {403} if need.of(method) is Role.ADMIN else anything
    )
    assert wrong == {}
    assert everything(filled, ["/people", "/tokens", "/services"]) == before


def test_a_runner_without_its_service_gets_nowhere(filled):
    """Its own service's guards are in test_guards_api.py; there are none here, so all is refused, also what is open to readers."""
    before = everything(filled)
    runner = Api(check_tokens.add("sessions", by="Ada", declares=True)[1])
    assert walk(runner, lambda _, name, __: {200} if name in OPEN else {403}) == {}
    assert everything(filled) == before


def test_open_reading_opens_nothing_for_a_runner(filled, open_reading):
    runner = Api(check_tokens.add("sessions", by="Ada")[1])
    assert walk(runner, lambda _, name, __: {200} if name in OPEN else {403}) == {}


@pytest.mark.parametrize("path", ["/api/v1/stream", "/api/v1/incidents/1/stream", "/metrics"])
def test_streams_and_numbers_are_not_for_runners(filled, path):
    runner = {"Authorization": f"Bearer {check_tokens.add('sessions', by='Ada')[1]}"}
    assert Client().get(path, headers=runner).status_code == 403


def test_what_runners_may_is_what_this_list_says():
    """A new operation that lets runners in shows up here, to be thought about."""
    assert {name for _, _, name, need in OPERATIONS if need.checks} == {
        "list_guards",
        "get_guard",
        "declare_guard",
        "list_guard_runs",
        "get_guard_run",
        "list_guard_proofs",
        "report_proof",
        "report_results",
    }


def test_a_first_draft_is_for_all_and_a_later_one_is_not_for_readers(filled):
    assert Api(filled.reader_token).get(f"/postmortems/{filled.report}?draft=true").status_code == 403
    assert Api(filled.responder_token).get(f"/postmortems/{filled.report}?draft=true").json()["status"] == "draft"
    assert Api(filled.reader_token).get(f"/postmortems/{filled.report}").json()["status"] == "published"


def test_a_session_changes_nothing_without_the_pages_token(filled):
    from unrepeat.web.models import User

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(User.objects.get(username="Ben"), backend="django.contrib.auth.backends.ModelBackend")
    path, body = f"/api/v1/incidents/{filled.incident}/acts/note", json.dumps({"text": "from a page"})
    assert browser.get("/api/v1/me").json() == {"name": "Ben", "role": "responder"}
    assert browser.post(path, body, content_type="application/json").status_code == 403
    browser.cookies["csrftoken"] = "a" * 32
    allowed = browser.post(path, body, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert allowed.status_code == 200


def test_a_disabled_person_and_a_revoked_token_are_out(filled):
    ada, ben = Api(filled.admin_token), Api(filled.responder_token)
    assert ada.send("PATCH", "/people/Ben", {"active": False}).status_code == 200
    assert ben.get("/me").status_code == 401
    made = ada.post("/tokens", {"person": "Cleo", "name": "a dashboard", "role": "admin"}).json()
    cleo = Api(made["token"])
    assert cleo.get("/me").json()["role"] == "reader"  # a token never gives more than its person has
    assert ada.post(f"/tokens/{made['number']}/revoke").status_code == 200
    assert cleo.get("/me").status_code == 401


def test_numbers_about_ourselves_need_a_readers_token(filled):
    program = Client()
    assert program.get("/metrics").status_code == 401
    answer = program.get("/metrics", headers={"Authorization": f"Bearer {filled.reader_token}"})
    assert answer.status_code == 200
    assert "unrepeat_incidents_open 1.0" in answer.text
    assert "unrepeat_deliveries_unreadable 1.0" in answer.text


def test_numbers_about_ourselves_are_open_with_open_reading(filled, open_reading):
    assert Client().get("/metrics").status_code == 200


def everything(filled, lists=("/incidents", "/people", "/tokens", "/sources", "/services", "/postmortems", "/alerts")):
    """What the operations could change, as an administrator sees it."""
    ada = Api(filled.admin_token)
    return {path: ada.get(path).json() for path in lists}
