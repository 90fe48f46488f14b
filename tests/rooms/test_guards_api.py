"""Guards over the API: declared, tied, proven and reported by runners, and what a runner's token may not."""

import pytest

from tests.support.api import Api, a_filled_database
from tests.support.guarding import HEADLINE, a_guard, a_past_outage, state_of
from unrepeat.prevention import check_tokens, store
from unrepeat.prevention.models import Guard, Proof, Run
from unrepeat.support import clock

pytestmark = pytest.mark.django_db
LIMIT = {"kind": "command", "spec": {"command": "make limit"}, "service": "sessions"}


@pytest.fixture
def filled():
    return a_filled_database()


@pytest.fixture
def ben(filled):
    return Api(filled.responder_token)


@pytest.fixture
def runner():
    return Api(check_tokens.add("sessions", by="Ada")[1])


def run(colour="green", key="key-0001", **more):
    return {
        "key": key,
        "colour": colour,
        "said": f"It was {colour}.",
        "at": "2024-08-30T10:00:00Z",
        "seconds": 1.5,
    } | more


def trial(guard, failure="red", fix="green", keys=("key-f001", "key-g001"), **more):
    sides = (
        run(failure, keys[0], kind="ref", target="v2.0", ref="a" * 40),
        run(fix, keys[1], kind="ref", target="v2.0.1", ref="b" * 40),
    )
    return {"digest": guard.digest, "failure": sides[0], "fix": sides[1]} | more


def test_a_guard_is_declared_tied_proven_and_verifies_its_measure(ben):
    incident, report = a_past_outage()
    made = ben.send("PUT", "/guards/sessions-limit", LIMIT | {"measures": [f"PM-{report}/1"]}).json()
    assert (made["new"], made["changed"], made["proven"], made["safe"]) == (True, True, False, False)
    assert made["measures"][0] | {"headline": HEADLINE, "postmortem": report, "measure": 1} == made["measures"][0]
    assert state_of(incident, 1) == "done"
    proof = ben.post("/guards/sessions-limit/proofs", trial(store.guard_named("sessions-limit")))
    assert proof.status_code == 201
    assert (proof.json()["proven"], proof.json()["stands"]) == (True, True)
    assert state_of(incident, 1) == "verified"
    assert ben.get("/guards/sessions-limit").json()["proven"]


def test_another_text_makes_it_unproven_and_the_same_text_does_not(ben):
    incident, report = a_past_outage()
    body = LIMIT | {"measures": [f"PM-{report}/1"]}
    ben.send("PUT", "/guards/sessions-limit", body)
    ben.post("/guards/sessions-limit/proofs", trial(store.guard_named("sessions-limit")))
    again = ben.send("PUT", "/guards/sessions-limit", body).json()
    assert (again["new"], again["changed"], again["proven"]) == (False, False, True)
    other = ben.send("PUT", "/guards/sessions-limit", body | {"spec": {"command": "make limits"}}).json()
    assert (other["changed"], other["proven"]) == (True, False)
    assert state_of(incident, 1) == "done"


@pytest.mark.parametrize(
    ("failure", "fix", "said"),
    [
        ("green", "green", "it would not have caught it"),
        ("red", "red", "cannot tell the fix from the failure"),
        ("red", "broken", "nothing is proven"),
        ("green", "red", "wrong way round"),
    ],
)
def test_anything_but_red_and_green_proves_nothing_and_says_what_happened(ben, failure, fix, said):
    incident, report = a_past_outage()
    ben.send("PUT", "/guards/sessions-limit", LIMIT | {"measures": [f"PM-{report}/1"]})
    proof = ben.post("/guards/sessions-limit/proofs", trial(store.guard_named("sessions-limit"), failure, fix)).json()
    assert not proof["proven"]
    assert said in proof["said"]
    assert state_of(incident, 1) == "done"


def test_a_trial_on_one_and_the_same_thing_is_no_trial(ben):
    guard = a_guard()
    sent = trial(guard)
    sent["fix"]["ref"] = sent["failure"]["ref"]
    assert ben.post("/guards/sessions-limit/proofs", sent).status_code == 422
    assert not Proof.objects.exists()


def test_a_trial_of_another_text_proves_nothing_of_the_present_one(ben):
    a_guard()
    old = trial(a_guard(), digest="0" * 64)
    proof = ben.post("/guards/sessions-limit/proofs", old).json()
    assert (proof["proven"], proof["stands"]) == (True, False)
    assert not ben.get("/guards/sessions-limit").json()["proven"]


def test_a_trial_sent_twice_is_kept_once(ben):
    guard = a_guard()
    first, second = (ben.post("/guards/sessions-limit/proofs", trial(guard)).json() for _ in range(2))
    assert first == second
    assert (Proof.objects.count(), Run.objects.count()) == (1, 2)


def test_keys_of_one_guard_do_not_meet_those_of_another_and_a_trial_needs_only_one(ben):
    one, other = a_guard(), a_guard("sessions-other")
    for guard in (one, other):
        assert ben.post(f"/guards/{guard.name}/proofs", trial(guard, keys=("key-same", "key-same"))).status_code == 201
        result = run(key="key-same", guard=guard.name, digest=guard.digest)
        taken = ben.post("/checks/results", {"service": "sessions", "results": [result]}).json()["results"][0]
        assert taken["kept"]
    assert Run.objects.count() == 6


def test_a_declaration_that_cannot_be_tied_declares_nothing(ben):
    incident, _ = a_past_outage()
    answer = ben.send(
        "PUT", "/guards/sessions-limit", LIMIT | {"measures": [f"INC-{incident}/1", f"INC-{incident}/99"]}
    )
    assert answer.status_code in (404, 409, 422)
    assert store.guard_named("sessions-limit") is None


def test_results_change_colours_once_and_a_red_one_fails_the_measure(ben):
    incident, report = a_past_outage()
    ben.send("PUT", "/guards/sessions-limit", LIMIT | {"measures": [f"PM-{report}/1"]})
    guard = store.guard_named("sessions-limit")
    ben.post("/guards/sessions-limit/proofs", trial(guard))
    red = run("red", guard="sessions-limit", digest=guard.digest, ref="c" * 40)
    for _ in range(2):
        taken = ben.post("/checks/results", {"service": "sessions", "results": [red]}).json()["results"]
        assert taken == [
            {"guard": "sessions-limit", "kept": True, "present": True, "colour": "red", "flaky": False, "problem": None}
        ]
    assert Run.objects.filter(side="now").count() == 1
    assert state_of(incident, 1) == "failed"
    assert [row["colour"] for row in ben.get("/guards/sessions-limit/runs").json()["items"]] == ["red", "green", "red"]


def test_both_colours_on_one_commit_are_flaky_and_on_two_commits_are_not(ben):
    guard = a_guard()

    def report(colour, key, ref):
        result = run(colour, key, guard=guard.name, digest=guard.digest, ref=ref)
        return ben.post("/checks/results", {"service": "sessions", "results": [result]}).json()["results"][0]

    assert not report("red", "key-0001", "a" * 40)["flaky"]
    assert not report("green", "key-0002", "b" * 40)["flaky"]
    assert report("green", "key-0003", "a" * 40)["flaky"]
    assert ben.get(f"/guards/{guard.name}").json()["flaky"]
    assert not report("green", "key-0004", "c" * 40)["flaky"]


def test_a_result_of_another_text_is_kept_and_changes_nothing(ben):
    guard = a_guard()
    result = run("red", guard=guard.name, digest="0" * 64)
    taken = ben.post("/checks/results", {"service": "sessions", "results": [result]}).json()["results"][0]
    assert (taken["kept"], taken["present"], taken["colour"]) == (True, False, "")
    assert Run.objects.get().guard_digest == "0" * 64


def test_a_result_that_cannot_be_kept_does_not_hinder_the_others(ben):
    guard = a_guard()
    results = [
        run("green", "key-0001", guard="nobody-knows-it", digest=guard.digest),
        run("green", "key-0002", guard=guard.name, digest=guard.digest),
    ]
    unknown, kept = ben.post("/checks/results", {"service": "sessions", "results": results}).json()["results"]
    assert not unknown["kept"]
    assert "knows no guard" in unknown["problem"]["what"]
    assert kept["kept"]


def test_a_server_told_to_run_a_command_refuses(ben):
    a_guard()
    for what, body in (("run", None), ("prove", {"failure": "v2.0", "fix": "v2.0.1"})):
        answer = ben.post(f"/guards/sessions-limit/{what}", body)
        assert answer.status_code == 403
        assert answer.json()["what"] == "The server does not run command guards."
        assert "unrepeat" in answer.json()["remedy"]
    body = LIMIT | {"every": 60}
    assert "does not run command guards" in ben.send("PUT", "/guards/sessions-limit", body).json()["what"]
    assert not Run.objects.exists()


def test_a_guard_is_untied_and_retired(ben):
    incident, report = a_past_outage()
    a_guard()
    assert ben.post("/guards/sessions-limit/tie", {"measure": f"INC-{incident}/1"}).json()["measures"]
    ben.post("/guards/sessions-limit/proofs", trial(store.guard_named("sessions-limit")))
    assert state_of(incident, 1) == "verified"
    untied = ben.post("/guards/sessions-limit/untie", {"measure": f"PM-{report}/1", "reason": "another one does"})
    assert untied.json()["measures"] == []
    assert state_of(incident, 1) == "done"
    assert ben.post("/guards/sessions-limit/retire", {"reason": "replaced"}).json()["retired_at"]
    assert ben.get("/guards").json()["count"] == 0


def test_a_proven_guard_that_is_red_when_it_is_tied_leaves_the_measure_done(ben, runner):
    incident, report = a_past_outage()
    guard = a_guard()
    ben.post("/guards/sessions-limit/proofs", trial(guard))
    result = run("red", "key-red1", guard=guard.name, digest=guard.digest)
    runner.post("/checks/results", {"service": "sessions", "results": [result]})
    ben.post("/guards/sessions-limit/tie", {"measure": f"PM-{report}/1"})
    assert state_of(incident, 1) == "done", "it never held, so nothing has failed"


# --- runners


def test_a_runner_reads_and_reports_for_its_service(runner):
    guard = a_guard()
    assert [one["name"] for one in runner.get("/guards?service=sessions").json()["items"]] == ["sessions-limit"]
    assert runner.get("/guards/sessions-limit").status_code == 200
    result = run("red", guard=guard.name, digest=guard.digest)
    assert runner.post("/checks/results", {"service": "sessions", "results": [result]}).json()["results"][0]["kept"]
    assert runner.post("/guards/sessions-limit/proofs", trial(guard)).status_code == 201
    assert Run.objects.filter(by="check of sessions").count() == 3


def test_a_runner_whose_clock_is_ahead_does_not_outrun_those_that_come_after_it(ben, runner):
    guard = a_guard()
    for at, colour in (("2199-01-01T00:00:00Z", "red"), (clock.now().isoformat(), "green")):
        result = run(colour, f"key-{colour}", at=at, guard=guard.name, digest=guard.digest)
        runner.post("/checks/results", {"service": "sessions", "results": [result]})
    assert ben.get("/guards/sessions-limit").json()["colour"] == "green"
    assert all(kept.at <= clock.now() for kept in Run.objects.all())


def test_a_wrong_text_is_named_in_the_words_of_json_and_toml(ben):
    body = {"kind": "http_check", "spec": {"url": "https://shop.example", "status": 200, "headers": 1}}
    why = ben.send("PUT", "/guards/front", body).json()["why"]
    assert "status: Input should be a list" in why and "headers: Input should be a table" in why


def test_a_runner_of_one_service_cannot_report_for_another(runner):
    other = a_guard("shop-limit", service="shop")
    none = a_guard("no-ones-limit", service="")
    a_guard()
    for guard in (other, none):
        result = run("green", guard=guard.name, digest=guard.digest)
        for service in ("shop", "sessions", ""):
            answer = runner.post("/checks/results", {"service": service, "results": [result]})
            assert answer.status_code == 403, (guard.name, service)
        assert runner.post(f"/guards/{guard.name}/proofs", trial(guard)).status_code == 403
        assert runner.get(f"/guards/{guard.name}").status_code == 403
        assert runner.get(f"/guards/{guard.name}/runs").status_code == 403
    assert runner.get("/guards").status_code == 403
    assert runner.get("/guards?service=shop").status_code == 403
    assert runner.get("/guards?service=sessions&service=shop").status_code == 403
    assert not Run.objects.exists()


def test_one_result_of_another_service_spoils_the_whole_report(runner):
    own, other = a_guard(), a_guard("shop-limit", service="shop")
    results = [run(key=f"key-{guard.name}", guard=guard.name, digest=guard.digest) for guard in (own, other)]
    assert runner.post("/checks/results", {"service": "sessions", "results": results}).status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"service": ["sessions"]}', b"[" * 100_000, b'{"service": null}'])
def test_a_body_that_names_no_service_is_not_for_a_runner(runner, body):
    assert runner.send("POST", "/checks/results", body).status_code == 403


def test_a_runner_declares_only_with_a_token_that_says_so_and_only_for_its_service(runner):
    incident, report = a_past_outage()
    elsewhere, other_report = a_past_outage(service="shop")
    assert runner.send("PUT", "/guards/sessions-limit", LIMIT).status_code == 403
    reviewed = Api(check_tokens.add("sessions", by="Ada", declares=True)[1])
    body = LIMIT | {"measures": [f"PM-{report}/1"], "origin": "repository", "place": "unrepeat.toml:3"}
    made = reviewed.send("PUT", "/guards/sessions-limit", body)
    assert made.status_code == 200
    assert (made.json()["origin"], made.json()["place"]) == ("repository", "unrepeat.toml:3")
    assert reviewed.send("PUT", "/guards/shop-limit", LIMIT | {"service": "shop"}).status_code == 403
    assert reviewed.send("PUT", "/guards/sessions-limit", LIMIT | {"service": "shop"}).status_code == 403
    a_guard("shop-limit", service="shop")
    assert reviewed.send("PUT", "/guards/shop-limit", LIMIT).status_code == 403
    foreign = LIMIT | {"measures": [f"PM-{other_report}/1"]}
    assert reviewed.send("PUT", "/guards/sessions-other", foreign).status_code == 403
    assert not Guard.objects.filter(name="sessions-other").exists()
    assert store.ties(store.guard_named("shop-limit").pk) == []
    assert elsewhere != incident


@pytest.mark.parametrize("claim", ["api", "repository"])
def test_people_change_the_text_of_a_guard_from_a_repository_there_and_its_runner_brings_it(ben, claim):
    reviewed = Api(check_tokens.add("sessions", by="Ada", declares=True)[1])
    body = LIMIT | {"origin": "repository", "place": "unrepeat.toml:3"}
    assert reviewed.send("PUT", "/guards/sessions-limit", body).status_code == 200
    for change in (
        {"spec": {"command": "true"}},
        {"service": "shop"},
        {"every": 0, "kind": "junit", "spec": {"results": "a.xml"}},
    ):
        refused = ben.send("PUT", "/guards/sessions-limit", body | change | {"origin": claim})
        assert refused.status_code == 403, refused.content
        said = refused.json()
        assert "stands in its service’s repository" in str(said)
        assert "It was declared in unrepeat.toml:3." in str(said)
        assert "Change it there, where it is reviewed like code" in str(said)
    kept = store.guard_named("sessions-limit")
    assert (kept.spec["command"], kept.service, kept.origin) == ("make limit", "sessions", "repository")
    changed = reviewed.send("PUT", "/guards/sessions-limit", body | {"spec": {"command": "make limits"}})
    assert changed.json()["changed"]


def test_people_may_say_again_what_the_repository_says_and_tie_it(ben):
    _, report = a_past_outage()
    reviewed = Api(check_tokens.add("sessions", by="Ada", declares=True)[1])
    reviewed.send("PUT", "/guards/sessions-limit", LIMIT | {"origin": "repository", "place": "unrepeat.toml:3"})
    made = ben.send("PUT", "/guards/sessions-limit", LIMIT | {"measures": [f"PM-{report}/1"]}).json()
    assert (made["changed"], made["origin"], made["place"]) == (False, "repository", "unrepeat.toml:3")
    assert len(made["measures"]) == 1
    assert ben.send("PUT", "/guards/sessions-limit", LIMIT | {"spec": {"command": "true"}}).status_code == 403


def test_only_administrators_make_check_tokens_and_a_revoked_one_is_out(filled):
    ada, ben = Api(filled.admin_token), Api(filled.responder_token)
    assert ben.post("/check-tokens", {"service": "sessions"}).status_code == 403
    made = ada.post("/check-tokens", {"service": "sessions", "name": "CI of sessions"}).json()
    runner = Api(made["token"])
    assert runner.get("/guards?service=sessions").status_code == 200
    listed = ada.get("/check-tokens").json()["items"]
    assert [row["name"] for row in listed] == ["CI of sessions"]
    assert made["token"] not in str(listed)
    assert ada.post(f"/check-tokens/{made['number']}/revoke").json()["revoked_at"]
    assert runner.get("/guards?service=sessions").status_code == 401
