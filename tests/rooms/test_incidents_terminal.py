"""Incidents, the catalogue and redaction from the command line."""

import json
from datetime import UTC, datetime

import pytest

from tests.support.world import START, alert
from unrepeat.arrivals.models import Alert, Delivery, Source
from unrepeat.incidents import queries
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.jobs import group_news
from unrepeat.terminal import main

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(capsys):
    """Run a command line; returns what it printed, and what it printed as an error with its exit status."""

    def run(*tokens: str) -> tuple[str, str, int]:
        status = 0
        try:
            main(tokens)
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        return out, err, status

    return run


@pytest.fixture
def number(say) -> str:
    out, _, _ = say("incident", "open", "The shop is slow", "--service", "shop", "--by", "Ada", "--json")
    return str(json.loads(out)["number"])


def test_every_act_is_a_command_whose_help_is_its_docstring(say):
    out, _, _ = say("incident", "--help")
    for name, act in ACTS.items():
        command = name.replace("_", "-")
        assert command in out
        told, _, status = say("incident", command, "--help")
        assert status == 0
        assert " ".join((act.__doc__ or "").split())[:40] in " ".join(told.split())


def test_people_carry_an_incident_from_the_terminal(say, number):
    say("incident", "acknowledge", number, "--by", "Ben")
    say("incident", "clear-suspect", number, "database", "service", "Its latency is flat.", "--by", "Ben")
    say(
        "incident",
        "convict-suspect",
        number,
        "sessions",
        "service",
        "It leaks.",
        "--evidence",
        "ab",
        "--evidence",
        "cd",
    )
    say("incident", "propose-measure", number, "task", "Watch the memory.", "--owner", "Ben", "--due", "2099-09-01")
    say("incident", "correct-start", number, "2024-08-12T15:00:00")
    say("incident", "resolve", number, "All is well.", "--by", "Ada")
    state = queries.state_of(int(number))
    assert (state.status, state.acknowledged_by) == ("resolved", "Ben")
    assert state.suspects["service", "sessions"].evidence == ("ab", "cd")
    assert state.measures[1].due == "2099-09-01"
    assert state.started_at == datetime(2024, 8, 12, 15, 0, tzinfo=UTC)
    out, _, _ = say("incident", "show", number)
    for words in (
        "The shop is slow",
        "✓ resolved",
        "● guilty",
        "sessions",
        "○ cleared",
        "database",
        "Watch the memory.",
        "▲ Ben is on it",
    ):
        assert words in out
    out, _, _ = say("incident", "list")
    assert "✓ resolved" in out


def test_a_refusal_is_three_sentences_and_an_exit_status(say, number):
    say("incident", "resolve", number, "All is well.")
    out, err, status = say("incident", "resolve", number, "All is well.")
    assert (out, status) == ("", 1)
    assert len(err.strip().splitlines()) == 3
    assert "Reopen it" in err


def test_json_is_what_the_api_says(say, number):
    out, _, _ = say("incident", "note", number, "Is it the database again?", "--by", "Ada", "--json")
    assert json.loads(out)["entries"][0]["entry"] == {"kind": "note_written", "text": "Is it the database again?"}
    told = json.loads(say("incident", "show", number, "--json")[0])
    assert (told["title"], told["state"]["status"], len(told["log"])) == ("The shop is slow", "detected", 2)
    assert json.loads(say("incident", "list", "--status", "open", "--json")[0])["count"] == 1
    assert json.loads(say("incident", "list", "--status", "resolved", "--json")[0])["count"] == 0


def test_a_key_makes_an_act_happen_once(say, number):
    for _ in range(2):
        say("incident", "note", number, "Once.", "--key", "note-1")
    assert queries.state_of(int(number)).notes == 1


def test_a_secret_is_blanked_from_the_terminal(say, number):
    say("incident", "note", number, "The password is hunter2.", "--by", "Ben")
    out, _, _ = say("redact", number, "2", "--reason", "A password was pasted.", "--by", "Ada")
    assert "is blanked" in out
    assert "hunter2" not in say("incident", "show", number)[0]
    assert [r.by for r in queries.redactions(int(number))] == ["Ada"]


def test_what_an_alert_said_can_be_blanked_where_it_came_in_too(say):
    here = alert("sessions", summary="Login of jane@example.org fails", at=datetime.now(UTC))
    delivery = Delivery.objects.create(
        source=here.source, key=b"1", received_at=START, headers={"x": "jane"}, body=b"jane@example.org", state=1
    )
    Alert.objects.filter(pk=here.pk).update(delivery=delivery, labels={"user": "jane"})
    group_news(10)
    number = str(queries.incident_of_alert(here.pk))
    out, _, _ = say("redact", number, "2", "--reason", "A customer's address.", "--by", "Ada")
    assert f"still stand in delivery {delivery.pk}" in out
    assert "The same words stand in its entries 1" in out, "the headline is the alert's summary"
    assert "The same words" not in say("redact", number, "1", "--reason", "A customer's address.", "--by", "Ada")[0]


def test_an_alerts_entry_is_blanked_together_with_its_delivery(say):
    here = alert("sessions", summary="Login of jane@example.org fails", at=datetime.now(UTC))
    delivery = Delivery.objects.create(
        source=here.source, key=b"1", received_at=START, headers={"x": "jane"}, body=b"jane@example.org", state=1
    )
    Alert.objects.filter(pk=here.pk).update(delivery=delivery, labels={"user": "jane"})
    group_news(10)
    number = queries.incident_of_alert(here.pk)
    out, _, _ = say("redact", str(number), "2", "--reason", "A customer's address.", "--by", "Ada", "--with-delivery")
    assert f"So is delivery {delivery.pk}" in out
    delivery.refresh_from_db()
    here.refresh_from_db()
    assert (bytes(delivery.body), delivery.headers, here.summary, here.labels) == (b"", {}, "", {})
    assert delivery.reason == "Blanked by Ada: A customer's address."
    state = queries.state_of(number)
    assert [one.alert for one in state.open_alerts] == [here.pk]


def test_summaries_are_made_again(say, number):
    assert "1 summary rows made again from their logs; 0 were wrong." in say("incident", "rebuild")[0]


def test_the_catalogue_is_loaded_and_shown(say, tmp_path):
    file = tmp_path / "catalogue.toml"
    file.write_text('[services.shop]\ndepends_on = ["sessions"]\n[services.sessions]\n')
    assert "Services: 2 new" in say("catalogue", "load", str(file))[0]
    rows = json.loads(say("catalogue", "show", "--json")[0])
    assert [(row["name"], row["depends_on"]) for row in rows] == [("sessions", []), ("shop", ["sessions"])]
    _, err, status = say("catalogue", "load", str(tmp_path / "ghost.toml"))
    assert status == 1
    assert "cannot be read" in err


def test_words_of_others_are_shown_as_they_are_and_never_taken_for_markup(say, number):
    odd = "[/b] :smile: [red]"
    say("incident", "raise-suspect", number, odd, "service", odd, "--by", "[/ada]")
    source = alert(odd).source
    while group_news(10):
        pass
    Delivery.objects.create(
        source=source, key=b"k", received_at=START, headers={"x": "\x1b[2J"}, body=b"\x1b[2J{", state=2, reason=odd
    )
    for words in (("incident", "list"), ("incident", "show", number), ("delivery", "list"), ("source", "list")):
        out, err, status = say(*words)
        assert (status, err) == (0, ""), words
    out, _, _ = say("delivery", "list")
    assert odd in out
    out, _, _ = say("delivery", "show", str(Delivery.objects.get().pk))
    assert "\x1b" not in out


def test_colours_copied_from_a_terminal_are_left_out_of_a_note(say, number):
    say("incident", "note", number, "\x1b[31mFAIL\x1b[0m:\ttests\n\x07 here", "--by", "Ada", "--json")
    assert queries.log_of(int(number))[-1].entry.text == "FAIL:\ttests\n\ufffd here"


def test_a_narrow_terminal_shows_the_whole_name_of_a_source(say, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    say("source", "add", "alertmanager-of-the-shop", "--kind", "alertmanager")
    out, _, _ = say("source", "list")
    assert "…" not in out
    say("source", "limit", "alertmanager-of-the-shop", "1000")
    assert Source.objects.get().max_bytes == 1000
    _, err, status = say("source", "limit", "alertmanager-of-the-shop", "-1")
    assert status == 1
    assert "Give another" in err
    say("source", "limit", "alertmanager-of-the-shop", "0")
    assert Source.objects.get().max_bytes is None


def test_a_key_counts_for_one_incident_and_one_act(say, number):
    out, _, _ = say("incident", "open", "Another outage", "--by", "Ada", "--json")
    other = str(json.loads(out)["number"])
    for incident in (number, number, other):
        say("incident", "note", incident, "Rolled back.", "--key", "deploy-7")
    assert [queries.state_of(int(one)).notes for one in (number, other)] == [1, 1]
    _, err, status = say("incident", "note", number, "x", "--key", "k" * 101)
    assert status == 1
    assert "too long" in err
