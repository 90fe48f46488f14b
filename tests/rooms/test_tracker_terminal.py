"""`unrepeat tracker`: adding shows no token, what is wrong is said, and every command does what it says."""

from __future__ import annotations

import io
import json

import pytest

from tests.support.mailing import configured
from tests.support.tracker_servers import PROJECT, TOKEN, GitHub, running
from unrepeat.incidents import acts, commands, queries
from unrepeat.prevention.told_models import Tracker
from unrepeat.support.problems import Problem
from unrepeat.terminal import build
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def unrepeat(capsys, monkeypatch):
    """Type a command; what it prints."""

    def typed(line: str, given: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        try:
            build()(line.split(), exit_on_error=False, print_error=False)
        except SystemExit as ended:
            if ended.code:
                raise
        return capsys.readouterr().out

    return typed


def test_a_tracker_is_added_used_listed_and_removed(unrepeat):
    number = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
    for text in ("Limit memory", "Load test"):
        commands.perform(number, acts.ProposeMeasure("task", text, "Ada"), by="Ben")
    with running(GitHub()) as server, configured(private_addresses=["127.0.0.0/8"]):
        there = server.add("Load test", "")
        said = unrepeat(f"tracker add shop --kind github --project {PROJECT} --url {server.url} --token-stdin", TOKEN)
        assert "Added shop" in said and TOKEN not in said
        unrepeat(f"tracker ticket {number} 1 --to shop --by Ada")
        unrepeat(f"tracker link {number} 2 {server.url}/{PROJECT}/issues/{there.number} --by Ada")
        Worker().run_until_idle()
    measures = queries.state_of(number).measures
    assert (measures[1].ticket, measures[2].ticket) == (f"{PROJECT}#2", f"{PROJECT}#1")
    [row] = json.loads(unrepeat("tracker list --json"))
    assert (row["name"], row["tickets"], row["trouble"]) == ("shop", 2, "")
    assert TOKEN not in unrepeat("tracker list") + json.dumps(row)
    unrepeat("tracker remove shop")
    assert json.loads(unrepeat("tracker list --json")) == []
    assert TOKEN not in Tracker.objects.get().sealed


def test_kinds_say_how_to_set_them_up(unrepeat):
    kinds = {row["kind"]: row["help"] for row in json.loads(unrepeat("tracker kinds --json"))}
    assert set(kinds) == {"github", "gitlab", "webhook"}
    assert "Issues: read and write" in kinds["github"]
    assert "GitLab issues" in unrepeat("tracker kinds")


@pytest.mark.parametrize(
    ("line", "given", "said"),
    [
        ("tracker add shop --kind jira --token-stdin", "t", "Use one of: github, gitlab, webhook"),
        ("tracker add Shop! --kind github --project a/b --token-stdin", "t", "small letters"),
        ("tracker add shop --kind github --project sessions --token-stdin", "t", "owner/name"),
        ("tracker add shop --kind github --project a/b --token-stdin", "", "no usable token"),
        ("tracker remove nothing", "", "There are: none"),
        ("tracker token nothing --token-stdin", "t", "There are: none"),
        ("tracker link 1 1 https://example.com/x", "", "unrepeat tracker add"),
    ],
)
def test_what_cannot_be_done_says_what_to_do(unrepeat, line, given, said):
    with pytest.raises(Problem, match=said.replace("?", "")):
        unrepeat(line, given)
