"""What somebody asks the server to run: planned at once, run by the worker, kept with what it came to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from tests.support.api import a_filled_database
from unrepeat.prevention import commands, jobs, store
from unrepeat.prevention.models import Guard, Proof, Run
from unrepeat.prevention.running import asked
from unrepeat.prevention.running.targets import target_of
from unrepeat.support import wakeups
from unrepeat.support.problems import Conflict, Invalid, NotAllowed
from unrepeat.web.models import User

pytestmark = pytest.mark.django_db
URL = "http://192.0.2.1/"  # kept for documents: nobody is there


@pytest.fixture
def world():
    return a_filled_database()


def a_guard(kind="http_check", spec=None, name="front-page") -> Guard:
    return commands.declare(commands.Declared(name, kind, spec or {"url": URL, "within": 1.0}, "shop"), by="Ada")


def the_worker_comes() -> str:
    """What the worker does with one planned wakeup of guards: first outside, then inside a transaction."""
    while (claim := wakeups.claim("worker", timedelta(seconds=30))) is not None:
        if claim.room == "prevention" and claim.what in ("run", "prove"):
            said = jobs.HANDLERS[claim.what](claim, jobs.PREPARATIONS[claim.what](claim))
            wakeups.finish(claim, str(said))
            return str(said)
        wakeups.finish(claim, "another room's")
    return "nothing was planned"


def test_a_run_that_ben_asks_for_is_made_and_stands_on_the_page(world, monkeypatch):
    guard = a_guard()
    monkeypatch.setattr(asked, "PATIENCE", 1.0)
    ben = Client()
    ben.force_login(User.objects.get(username="Ben"), backend="django.contrib.auth.backends.ModelBackend")
    assert ben.post("/guards/front-page/act/run")["Location"] == "/guards/front-page"
    waiting = ben.get("/guards/front-page")
    assert "The server is running it" in waiting.content.decode() and waiting["Refresh"]
    said = the_worker_comes()
    page = ben.get("/guards/front-page")
    assert "Refresh" not in page and said[:20] in page.content.decode()
    kept = Run.objects.get()
    assert (kept.guard_id, kept.by, kept.where, kept.side) == (guard.pk, "Ben", "server", "now")


def test_a_trial_keeps_both_runs_and_says_what_it_came_to(world, monkeypatch):
    monkeypatch.setattr(asked, "PATIENCE", 1.0)
    guard = a_guard(spec={"url": "http://192.0.2.1/{version}", "within": 1.0, "version": "2.0.1"})
    asked.plan_proof(guard.pk, "version:2.0", "version:2.0.1", by="Ben")
    said = the_worker_comes()
    assert (Proof.objects.get().proven, Run.objects.count()) == (False, 2)
    assert "could not run" in said and store.guard(guard.pk).proven_digest == ""


def test_what_is_under_way_is_not_asked_for_again(world):
    guard = a_guard()
    asked.plan_run(guard.pk, by="Ben")
    assert asked.under_way(guard.pk)
    with pytest.raises(Conflict, match="is being run"):
        asked.plan_run(guard.pk, by="Ben")
    other = a_guard(name="other")
    assert not asked.under_way(other.pk)


def test_the_server_runs_no_commands_whoever_asks(world):
    guard = a_guard("command", {"command": ["true"]}, "smoke")
    with pytest.raises(NotAllowed) as refused:
        asked.plan_run(guard.pk, by="Ada")
    assert "unrepeat guard run smoke" in refused.value.remedy
    with pytest.raises(NotAllowed) as refused:
        asked.plan_proof(guard.pk, "version:1", "version:2", by="Ada")
    assert "unrepeat guard prove smoke" in refused.value.remedy


@pytest.mark.parametrize(
    ("failure", "fix", "said"),
    [
        ("now", "now", "the same"),
        ("recording:nowhere", "now", "no recording"),
        ("2024-08-12T15:15Z/2024-08-12T18:00Z", "now", "cannot run on"),
    ],
)
def test_a_trial_on_what_is_not_there_is_refused_at_once(world, failure, fix, said):
    with pytest.raises(Invalid, match=said):
        asked.plan_proof(a_guard().pk, failure, fix, by="Ben")
    assert the_worker_comes() == "nothing was planned"


def test_nobody_from_afar_has_the_server_open_a_folder_of_its_machine(world, tmp_path):
    (tmp_path / "manifest.json").write_text("{}")
    guard = a_guard()
    for words in (str(tmp_path), "a" * 290, "/" * 290):
        with pytest.raises(Invalid, match="cannot run on"):
            asked.plan_proof(guard.pk, words, "now", by="Ben")
    assert target_of(str(tmp_path), {}, folders=True).folder == tmp_path.resolve()


def test_a_retired_guard_is_not_run(world):
    guard = a_guard()
    commands.retire(guard.pk, by="Ada", reason="the page is gone")
    with pytest.raises(Conflict, match="out of service"):
        asked.plan_run(guard.pk, by="Ben")
