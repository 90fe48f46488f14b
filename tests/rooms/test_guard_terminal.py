"""`unrepeat guard`, `check` and `check-token` on this machine's own database."""

import json

import pytest

from tests.support.guarding import HEADLINE, a_guard, a_past_outage, state_of
from tests.support.runner import Repository
from unrepeat.prevention import store
from unrepeat.prevention.models import CheckToken, Run
from unrepeat.terminal import main

pytestmark = pytest.mark.django_db


@pytest.fixture
def say(capsys, monkeypatch):
    """Run a command line: what it printed, what it said of errors, its status."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(*tokens):
        status = 0
        try:
            main(tokens)
        except SystemExit as ended:
            status = int(ended.code or 0)
        return *capsys.readouterr(), status

    return run


@pytest.fixture
def outage():
    return a_past_outage()


@pytest.fixture
def repository(outage, tmp_path):
    return Repository(tmp_path / "sessions", outage[1])


def test_a_guard_is_declared_tied_shown_and_retired(say, outage):
    incident, report = outage
    out, _, _ = say(
        "guard", "declare", "sessions-limit", "--kind", "command", "--service", "sessions",
        "--set", 'command=["make", "limit"]', "--set", "seconds=20",
    )  # fmt: skip
    assert "sessions-limit is new." in out
    assert store.guard_named("sessions-limit").spec == {"command": ["make", "limit"], "seconds": 20.0}
    say("guard", "tie", "sessions-limit", f"pm-{report}/1")
    out, _, _ = say("guard", "list", "--service", "sessions")
    assert "sessions-limit" in out and f"PM-{report}/1" in out and "unproven" in out
    out, _, _ = say("guard", "show", "sessions-limit")
    assert "Let sessions go when they end" in out
    out, _, _ = say("guard", "show", "sessions-limit", "--json")
    assert json.loads(out)["measures"][0]["headline"] == HEADLINE
    say("guard", "untie", "sessions-limit", f"INC-{incident}/1")
    assert store.ties(store.guard_named("sessions-limit").pk) == []
    say("guard", "retire", "sessions-limit", "--reason", "another one does")
    assert json.loads(say("guard", "list", "--json")[0])["count"] == 0


def test_proving_on_two_refs_verifies_the_measure_and_leaves_no_worktree(say, outage, repository):
    incident, _ = outage
    file = str(repository.folder / "unrepeat.toml")
    assert "is new" in say("guard", "declare", "--file", file)[0]
    words = ("guard", "prove", "sessions-limit", "--repo", str(repository.folder), "--bring", "check_limit.py")
    out, _, status = say(*words, "--failure", "v2.0.1", "--fix", "v2.0")
    assert status == 1 and "wrong way round" in out
    assert state_of(incident, 1) == "done"
    out, _, status = say(*words, "--failure", "v2.0", "--fix", "v2.0.1")
    assert status == 0 and "sessions-limit is proven" in out
    assert state_of(incident, 1) == "verified"
    failure, fix = Run.objects.order_by("-pk")[1], Run.objects.order_by("-pk")[0]
    assert (failure.side, failure.ref) == ("failure", repository.git("rev-parse", "v2.0").strip())
    assert (fix.side, fix.ref) == ("fix", repository.git("rev-parse", "v2.0.1").strip())
    assert "visits are kept without limit" in failure.output
    assert len(repository.git("worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("failure", "fix", "said"),
    [
        ("v9.9", "v2.0.1", "There is no commit “v9.9”."),
        ("v2.0.1", "v2.0.1", "The failure and the fix are the same."),
        ("--upload-pack=x", "v2.0.1", "is nothing a guard can run on"),
        ("now", "v2.0.1", "cannot be proven on “now”"),
        ("2024-08-12T15:15Z/2024-08-12T18:00Z", "v2.0.1", "cannot be proven on"),
        ("recording:gone", "v2.0.1", "There is no recording “gone”."),
    ],
)
def test_what_cannot_be_a_proof_is_refused_and_nothing_is_kept(say, repository, failure, fix, said):
    say("guard", "declare", "--file", str(repository.folder / "unrepeat.toml"))
    _, err, status = say(
        "guard", "prove", "sessions-limit", "--repo", str(repository.folder), "--bring", "check_limit.py",
        f"--failure={failure}", f"--fix={fix}",
    )  # fmt: skip
    assert status == 1
    assert said in err
    assert not Run.objects.exists()


def test_a_text_that_the_server_does_not_have_is_not_proven(say, repository):
    say("guard", "declare", "--file", str(repository.folder / "unrepeat.toml"))
    file = repository.folder / "unrepeat.toml"
    file.write_text(file.read_text() + "seconds = 9\n")
    words = ("guard", "prove", "sessions-limit", "--repo", str(repository.folder))
    _, err, status = say(*words, "--failure", "v2.0", "--fix", "v2.0.1")
    assert status == 1 and "another here than on the server" in err


def test_a_check_runs_the_file_and_the_services_other_guards(say, outage, repository):
    a_guard("sessions-always-red", command="false")
    a_guard("sessions-gone", command="no-such-command")
    a_guard("shop-limit", service="shop")
    out, err, status = say("check", "--path", str(repository.folder), "--json")
    told = json.loads(out)
    assert status == 1, err
    assert {one["name"]: one["colour"] for one in told["guards"]} == {
        "sessions-always-red": "red",
        "sessions-gone": "broken",
        "sessions-limit": "green",
    }
    assert (told["sent"], told["waiting"]) == (3, 0)
    assert told["ref"] == repository.git("rev-parse", "HEAD").strip()
    assert store.guard_named("sessions-limit").origin == "repository"
    out, _, status = say("check", "--path", str(repository.folder), "--only", "sessions-gone")
    assert status == 2 and "broken" in out
    assert say("check", "--path", str(repository.folder), "--only", "sessions-limit")[2] == 0


def test_a_guard_that_the_check_declares_is_called_new_once_and_another_text_so(say, repository):
    path, file = ("check", "--path", str(repository.folder)), repository.folder / "unrepeat.toml"
    assert "sessions-limit is new on the server, and unproven" in say(*path)[1]
    assert "on the server, and" not in say(*path)[1]
    file.write_text(file.read_text() + "seconds = 9\n")
    assert "sessions-limit has another text on the server, and is unproven" in say(*path)[1]


def test_a_ci_log_has_no_width_and_still_shows_what_a_guard_says_on_one_line(say, repository, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    out, _, _ = say("check", "--path", str(repository.folder))
    assert "It ended with status 0, as expected." in out


def test_a_red_guard_names_the_report_that_would_repeat(say, outage, repository):
    repository.release("v2.1", "unlimited")
    out, _, status = say("check", "--path", str(repository.folder))
    assert status == 1
    assert f"sessions-limit would repeat PM-{outage[1]}: {HEADLINE}" in out


def test_changes_in_the_checkout_are_marked_and_are_another_thing_than_the_commit(say, repository):
    (repository.folder / "sessions.txt").write_text("visits_kept = unlimited\n")
    dirty = json.loads(say("check", "--path", str(repository.folder), "--json")[0])
    repository.git("checkout", "--", "sessions.txt")
    clean = json.loads(say("check", "--path", str(repository.folder), "--json")[0])
    assert dirty["ref"].startswith(clean["ref"] + "+dirty.")
    assert not clean["guards"][0]["flaky"]


def test_nothing_to_check_does_not_pass(say, tmp_path):
    _, err, status = say("check", "--path", str(tmp_path))
    assert status == 2 and "There is nothing to check." in err
    (tmp_path / "unrepeat.toml").write_text("[[guard]]\nname = 'a'\nkind = 'comand'\n")
    _, err, status = say("check", "--path", str(tmp_path))
    assert status == 2 and "unrepeat.toml:1" in err


def test_check_tokens_are_shown_once_and_kept_as_hashes(say):
    out, _, _ = say("check-token", "add", "--service", "sessions", "--for", "CI", "--json")
    made = json.loads(out)
    assert CheckToken.objects.get().hash not in out
    listed = say("check-token", "list", "--json")[0]
    assert made["token"] not in listed and json.loads(listed)[0]["service"] == "sessions"
    assert "works no more" in say("check-token", "revoke", str(made["number"]))[0]
    assert CheckToken.objects.get().revoked_at
