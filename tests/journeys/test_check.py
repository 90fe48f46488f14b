"""A runner with a real repository, the real `unrepeat`, and a server that is really served, away for a while, and back."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from tests.support.guarding import HEADLINE
from tests.support.runner import Repository
from tests.support.served import Served

PAST = """
import django; django.setup()
from tests.support.guarding import a_past_outage
print(a_past_outage()[1])
"""


@pytest.fixture
def served(database, tmp_path):
    server = Served(tmp_path / "server", database.url)
    yield server
    server.kill()


@pytest.fixture
def report(served):
    return int(served._python("-c", PAST).strip())


@pytest.fixture
def repository(report, tmp_path):
    return Repository(tmp_path / "sessions", report)


def token_of(served, service, *more):
    return json.loads(served.command("check-token", "add", "--service", service, "--json", *more))["token"]


def measure(database):
    return database.one("select state from incidents_measure where number = 1")


def test_from_the_fix_to_the_same_release_again(served, database, repository, report):
    runner = {"url": f"http://127.0.0.1:{served.port}", "token": token_of(served, "sessions", "--declares")}

    away = repository.unrepeat("check", **runner)
    assert away.status == 0, away
    assert "1 green, 0 red" in away.out
    assert "wait to be sent" in away.err
    assert repository.git("status", "--porcelain") == ""

    served.start()
    back = repository.unrepeat("check", **runner)
    assert back.status == 0, back
    assert "2 result(s) were sent" in back.err
    assert database.one("select colour from prevention_guard") == "green"
    assert database.one("select place from prevention_guard") == "unrepeat.toml:3"
    assert measure(database) == "done"

    words = ("guard", "prove", "sessions-limit", "--failure", "v2.0", "--fix", "v2.0.1")
    without = repository.unrepeat(*words, **runner)
    assert (without.status, database.one("select count(*) from prevention_proof")) == (1, 0), without
    assert "v2.0” does not have check_limit.py" in without.err
    assert "--bring check_limit.py" in without.err
    proven = repository.unrepeat(*words, "--bring", "check_limit.py", **runner)
    assert proven.status == 0, proven
    assert "sessions-limit is proven" in proven.out
    assert measure(database) == "verified"
    assert len(repository.git("worktree", "list").splitlines()) == 1

    assert repository.unrepeat("check", **runner).status == 0
    assert served.stop() == 0
    repository.release("v2.1", "unlimited")
    red = repository.unrepeat("check", "--github", "--junit", "out/unit.xml", "--sarif", "out/x.sarif", **runner)
    assert red.status == 1, red
    assert f"would repeat PM-{report}: {HEADLINE}" in red.out
    assert "::error file=sessions.txt,line=2,title=sessions-limit is red::" in red.out
    case = ET.parse(repository.folder / "out" / "unit.xml").find(".//testcase")
    assert case is not None and case.find("failure") is not None
    sarif = json.loads((repository.folder / "out" / "x.sarif").read_text())
    assert sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 2}
    assert measure(database) == "verified"

    served.start()
    again = repository.unrepeat("check", **runner)
    assert again.status == 1, again
    assert "2 result(s) were sent" in again.err
    assert measure(database) == "failed"
    assert database.one("select count(*) from prevention_run where colour = 'red' and side = 'now'") == 2


def test_a_token_of_another_service_gets_nothing_and_the_check_does_not_pass(served, database, repository):
    served.start()
    refused = repository.unrepeat("check", url=f"http://127.0.0.1:{served.port}", token=token_of(served, "shop"))
    assert refused.status == 2, refused
    assert "This token is for another service." in refused.err
    assert database.one("select count(*) from prevention_run") == 0
    wrong = repository.unrepeat("check", url=f"http://127.0.0.1:{served.port}", token="uct_nonsense")
    assert wrong.status == 2
    assert "This token is not good." in wrong.err


def test_flaky_is_recognised_and_shown(served, database, repository):
    served.start()
    runner = {"url": f"http://127.0.0.1:{served.port}", "token": token_of(served, "sessions", "--declares")}
    (repository.folder / "check_limit.py").write_text("import os, sys; sys.exit(int(os.environ['LUCK']))\n")
    repository.git("commit", "--quiet", "--all", "--message", "A check that depends on luck")
    assert repository.unrepeat("check", LUCK="1", **runner).status == 1
    lucky = repository.unrepeat("check", LUCK="0", **runner)
    assert "flaky" in lucky.out
    assert lucky.status == 0
    assert json.loads(repository.unrepeat("guard", "show", "sessions-limit", "--json", **runner).out)["flaky"]


def test_a_safe_guard_is_proven_and_run_by_the_server_that_is_named(served, database, repository):
    served.env["UNREPEAT_PRIVATE_ADDRESSES"] = "127.0.0.1/32"
    served.start()
    token = json.loads(served.command("user", "add", "Ben", "--role", "responder", "--token", "--json"))["token"]
    ben = {"url": f"http://127.0.0.1:{served.port}", "token": token}
    address = f"http://127.0.0.1:{served.port}/api/v1/{{version}}"
    declared = repository.unrepeat(
        "guard",
        "declare",
        "answers",
        "--kind",
        "http_check",
        "--set",
        f"url={address}",
        "--set",
        "version=health",
        **ben,
    )
    assert declared.status == 0, declared
    proven = repository.unrepeat(
        "guard", "prove", "answers", "--failure", "version:nothing-here", "--fix", "version:health", **ben
    )
    assert (proven.status, database.one("select proven from prevention_proof")) == (0, True), proven
    assert "answers is proven" in proven.out
    ran = repository.unrepeat("guard", "run", "answers", **ben)
    assert ran.status == 0, ran
    assert database.one("select count(*) from prevention_run where \"where\" = 'server'") == 3
    refused = repository.unrepeat("guard", "prove", "answers", "--failure", "HEAD~1", "--fix", "HEAD", **ben)
    assert refused.status == 1
    assert "cannot run on" in refused.err
