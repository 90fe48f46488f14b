"""Who may send: addresses are shown once, rotate with an overlap and end at once; unreadable deliveries are read again after a fix."""

from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from unrepeat.arrivals import commands, gap_store, queries, store
from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.models import Alert, Change, Delivery, Source, SourceSecret, SourceToken
from unrepeat.arrivals.reading import read_waiting
from unrepeat.arrivals.records import Unreadable
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.support.secret import hashed
from unrepeat.terminal import build

T0 = datetime(2024, 8, 12, 15, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def time() -> Any:
    with clock.using(clock.SimulatedClock(T0)):
        yield clock._clock


def good(name: str, token: str) -> bool:
    """Whether the intake takes this token now."""
    sender = store.senders().get(name)
    ends = sender.tokens.get(hashed(token), T0) if sender else T0
    return ends is None or ends > clock.now()


def secrets(name: str) -> list[str]:
    """The secrets by which the intake checks a signature now."""
    return [secret for secret, ends in store.senders()[name].secrets if ends is None or ends > clock.now()]


def test_a_token_is_kept_as_a_hash_only() -> None:
    token = commands.add_source("shop-alerts", "alertmanager")
    assert good("shop-alerts", token) and not good("shop-alerts", token + "x") and len(token) >= 32
    assert [row.hash for row in SourceToken.objects.all()] == [hashed(token)]
    assert token not in json.dumps(list(Source.objects.values()), default=str)


def test_a_rotated_token_works_until_the_overlap_ends(time: clock.SimulatedClock) -> None:
    first = commands.add_source("shop-alerts", "alertmanager")
    second = commands.rotate("shop-alerts", timedelta(hours=24))
    assert good("shop-alerts", first) and good("shop-alerts", second)
    time.advance(hours=23)
    third = commands.rotate("shop-alerts", timedelta(hours=24))
    time.advance(hours=2)
    assert not good("shop-alerts", first), "a further rotation gives an ending token no longer life"
    assert good("shop-alerts", second) and good("shop-alerts", third)
    commands.rotate("shop-alerts", timedelta(0))
    assert not good("shop-alerts", second) and not good("shop-alerts", third)


def test_revoking_ends_all_tokens_at_once() -> None:
    tokens = [commands.add_source("shop-alerts", "alertmanager"), commands.rotate("shop-alerts", timedelta(hours=1))]
    assert commands.revoke("shop-alerts") == 2
    assert not any(good("shop-alerts", token) for token in tokens)
    assert commands.revoke("shop-alerts") == 0
    assert good("shop-alerts", commands.rotate("shop-alerts", timedelta(0))), "it may begin again"


@pytest.mark.parametrize("name", ["", "Shop", "a b", "a/b", "-a", "a-", "ä", "a" * 61, "..", "a\n"])
def test_a_name_that_is_no_part_of_an_address_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        commands.add_source(name, "alertmanager")


def test_what_cannot_be_is_said_and_leaves_nothing() -> None:
    commands.add_source("shop-alerts", "alertmanager")
    with pytest.raises(Conflict, match="rotate"):
        commands.add_source("shop-alerts", "grafana")
    with pytest.raises(Invalid, match="alertmanager"):
        commands.add_source("other", "carrier-pigeon")
    with pytest.raises(Invalid):
        commands.add_source("third", "github", secret="short")
    with pytest.raises(NotFound):
        commands.rotate("nobody", timedelta(0))
    with pytest.raises(Invalid):
        commands.rotate("shop-alerts", timedelta(hours=-1))
    assert Source.objects.count() == 1


def test_a_secret_is_sealed_and_changes_without_a_gap(time: clock.SimulatedClock) -> None:
    commands.add_source("github", "github", secret="first secret")
    assert secrets("github") == ["first secret"]
    assert "first secret" not in SourceSecret.objects.get().sealed
    commands.set_secret("github", "second secret", overlap=timedelta(hours=1))
    assert sorted(secrets("github")) == ["first secret", "second secret"]
    time.advance(hours=2)
    assert secrets("github") == ["second secret"]
    with pytest.raises(Invalid):
        commands.set_secret("github", "")
    assert commands.remove_secret("github") == 1, "the first had run out"
    assert store.senders()["github"].secrets == ()


def test_options_are_set_and_taken_away() -> None:
    commands.add_source("grafana", "grafana", options={"signature_header": "X-Mine"})
    commands.set_options("grafana", {"timestamp_header": "X-Time", "signature_header": ""})
    assert store.senders()["grafana"].options == {"timestamp_header": "X-Time"}


def arrive(name: str, body: bytes) -> None:
    gap_store.keep(Source.objects.get(name=name).id, body, clock.now())
    while read_waiting():
        pass


def test_unreadable_deliveries_are_kept_and_read_again_after_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    commands.add_source("pipeline", "generic_change")
    kind = source_kinds()["generic_change"]

    def broken(*_: object) -> None:
        raise Unreadable("This version has a fault.")

    with monkeypatch.context() as patched:
        patched.setattr(kind, "read", broken)
        arrive("pipeline", b'{"service": "sessions", "id": "deploy-812"}')
        arrive("pipeline", b"{}")
    assert [row.reason for row in queries.unreadable().object_list] == ["This version has a fault."] * 2
    assert commands.reread() == 2
    while read_waiting():
        pass
    assert Change.objects.get().key == "deploy-812"
    (left,) = queries.unreadable().object_list
    assert "neither" in left.reason and bytes(left.body) == b"{}"


def terminal(capsys: pytest.CaptureFixture[str], *words: str, typed: str = "", monkeypatch: Any = None) -> str:
    if monkeypatch:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    status: Any = 0
    try:
        build()(list(words))
    except SystemExit as ended:
        status = ended.code
    assert not status
    return capsys.readouterr().out


def test_the_terminal_adds_lists_rotates_and_revokes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = json.loads(terminal(capsys, "source", "add", "shop-alerts", "--kind", "alertmanager", "--json"))
    assert made["path"] == f"/in/shop-alerts/{made['token']}" and made["url"].endswith(made["path"])
    assert good("shop-alerts", made["token"])
    words = ("source", "add", "github", "--kind", "github", "--secret-stdin")
    assert "/in/github/" in terminal(capsys, *words, typed="a long secret\n", monkeypatch=monkeypatch)
    assert secrets("github") == ["a long secret"]
    terminal(capsys, "source", "secret", "github", "--overlap", "0", typed="another secret", monkeypatch=monkeypatch)
    assert secrets("github") == ["another secret"]
    rotated = json.loads(terminal(capsys, "source", "rotate", "shop-alerts", "--overlap", "90m", "--json"))
    assert good("shop-alerts", rotated["token"]) and good("shop-alerts", made["token"])
    listed = {row["name"]: row for row in json.loads(terminal(capsys, "source", "list", "--json"))}
    assert listed["shop-alerts"]["tokens"] == 2 and listed["github"]["signed"] and listed["github"]["kind"] == "github"
    assert made["token"] not in json.dumps(listed)
    assert "2 tokens" in terminal(capsys, "source", "revoke", "shop-alerts")
    assert not good("shop-alerts", rotated["token"])
    terminal(capsys, "source", "option", "github", "a=b")
    assert store.senders()["github"].options == {"a": "b"}
    kinds = json.loads(terminal(capsys, "source", "kinds", "--json"))
    assert {row["kind"] for row in kinds} == set(source_kinds())
    for words in (("source", "list"), ("source", "kinds")):
        assert "github" in terminal(capsys, *words)


@pytest.mark.parametrize("overlap", ["", "soon", "-1h", "1w", "1.5h"])
def test_the_terminal_refuses_what_is_no_length_of_time(overlap: str) -> None:
    commands.add_source("shop-alerts", "alertmanager")
    with pytest.raises(Invalid, match="24h"):
        build()(["source", "rotate", "shop-alerts", f"--overlap={overlap}"])


def test_the_terminal_shows_deliveries_and_reads_them_again(capsys: pytest.CaptureFixture[str]) -> None:
    commands.add_source("shop-alerts", "alertmanager")
    arrive("shop-alerts", b'{"text": "custom"}')
    arrive(
        "shop-alerts",
        b'{"version":"4","alerts":[{"status":"firing","labels":{"alertname":"Leak"},"startsAt":"2024-08-12T15:00:00Z"}]}',
    )
    assert Alert.objects.get().name == "Leak"
    assert len(json.loads(terminal(capsys, "delivery", "list", "--json"))) == 2
    (left,) = json.loads(terminal(capsys, "delivery", "list", "--unreadable", "--json"))
    assert left["state"] == "unreadable" and "payload" in left["reason"] and left["source"] == "shop-alerts"
    number = str(left["number"])
    shown = json.loads(terminal(capsys, "delivery", "show", number, "--json"))
    assert shown["body"] == '{"text": "custom"}' and shown["headers"]["content-type"] == "application/json"
    assert '{"text": "custom"}' in terminal(capsys, "delivery", "show", number)
    assert "1 still cannot be read" in terminal(capsys, "delivery", "reread", "--all-unreadable")
    assert "1 still cannot be read" in terminal(capsys, "delivery", "reread", number)
    readable = str(Delivery.objects.exclude(id=left["number"]).get().id)
    with pytest.raises(NotFound):
        build()(["delivery", "reread", readable])
    with pytest.raises(Invalid):
        build()(["delivery", "reread"])
    with pytest.raises(NotFound):
        build()(["delivery", "show", "4711"])
