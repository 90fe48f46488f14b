"""`unrepeat user`: people and their tokens from the terminal."""

import json

import pytest

from tests.support.api import Api, person
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.terminal import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def terminal(capsys):
    def say(*words):
        build()(["user", *words], result_action="return_value")
        return capsys.readouterr().out

    return say


def test_a_person_is_added_with_a_token_that_works(terminal):
    made = json.loads(terminal("add", "Ben", "--role", "responder", "--email", "ben@shop.example", "--token", "--json"))
    assert made["name"] == "Ben" and made["role"] == "responder" and "/join/" in made["link"]
    assert Api(made["token"]).get("/me").json() == {"name": "Ben", "role": "responder"}


def test_a_person_is_added_with_words_for_people(terminal):
    said = terminal("add", "Cleo")
    assert "Added Cleo as reader." in said and "/join/" in said and "token" not in said
    assert "Cleo" in terminal("list")


def test_a_role_changes_what_a_token_may_do(terminal):
    person("Ada", "admin")
    token = json.loads(terminal("add", "Ben", "--role", "responder", "--token", "--json"))["token"]
    terminal("role", "Ben", "reader")
    assert Api(token).get("/me").json()["role"] == "reader"
    terminal("disable", "Ben")
    assert Api(token).get("/me").status_code == 401
    terminal("enable", "Ben")
    assert Api(token).get("/me").status_code == 200


def test_a_token_is_made_listed_without_its_secret_and_revoked(terminal):
    terminal("add", "Ben", "--role", "responder")
    made = json.loads(
        terminal("token", "add", "Ben", "--for", "the pipeline", "--role", "reader", "--days", "3", "--json")
    )
    assert Api(made["token"]).get("/me").json()["role"] == "reader"
    listed = terminal("token", "list", "Ben", "--json")
    assert made["token"] not in listed
    assert json.loads(listed)[0]["for"] == "the pipeline" and json.loads(listed)[0]["expires_at"]
    terminal("token", "revoke", str(made["number"]))
    assert Api(made["token"]).get("/me").status_code == 401


def test_mistakes_are_said_with_a_remedy(terminal):
    person("Ada", "admin")
    with pytest.raises(Invalid):
        terminal("add", "Ada")
    with pytest.raises(Conflict, match="last administrator"):
        terminal("disable", "Ada")
    with pytest.raises(NotFound, match="user list"):
        terminal("role", "Zoe", "admin")
    with pytest.raises(NotFound):
        terminal("token", "revoke", "99")
    with pytest.raises(Invalid, match="days"):
        terminal("token", "add", "Ada", "--days", "0")
