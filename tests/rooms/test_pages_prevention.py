"""The pages of measures and guards: what they show, what their forms do, and what they do not let through."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest

from tests.support.api import a_filled_database
from tests.support.pages import propose, signed_in, text_of
from unrepeat.duty.models import Team
from unrepeat.incidents import acts, commands, queries
from unrepeat.prevention import commands as guards
from unrepeat.prevention.kind import Outcome, Target
from unrepeat.prevention.models import Guard
from unrepeat.support import clock
from unrepeat.web.models import User

pytestmark = pytest.mark.django_db
SPEC = {"command": ["python3", "check.py"]}


@pytest.fixture
def world():
    return a_filled_database()


def a_guard(name="sessions-end", spec=SPEC, service="sessions") -> Guard:
    return guards.declare(guards.Declared(name, "command", spec, service), by="Ada")


def ran(colour: str, words: str = "now", said: str = "sessions: 41 of 40 are kept", output: str = "") -> guards.Ran:
    return guards.Ran(Outcome(colour, said, output=output), Target("version", words, ref=words))


def prove(guard: Guard) -> None:
    guards.record_proof(guard.pk, ran("red", "2.0"), ran("green", "2.0.1", "all sessions end"), by="Ada")


def days_ago(days: int):
    return (clock.now() - timedelta(days=days)).date()


# --- the board


def test_the_board_says_how_many_days_a_measure_is_late(world):
    propose(world, "Alert on growth", due=days_ago(5))
    page = text_of(signed_in("Cleo").get("/measures"))
    assert "Open, 5 days late" in page and "Alert on growth" in page


def test_done_is_not_verified_until_a_proven_guard_stands_behind_it(world):
    measure = propose(world)
    commands.perform(world.incident, acts.FinishMeasure(measure), by="Ben")
    assert columns(text_of(signed_in("Cleo").get("/measures"))) == {"open": 0, "done": 1, "verified": 0, "failed": 0}
    guard = a_guard()
    guards.tie(guard.pk, world.incident, measure, by="Ben")
    prove(guard)
    page = text_of(signed_in("Cleo").get("/measures"))
    assert columns(page) == {"open": 0, "done": 0, "verified": 1, "failed": 0}
    assert "1 of 1 guard proven" in page


def test_a_verified_measure_whose_guard_turns_red_stands_under_failed(world):
    measure, guard = propose(world), a_guard()
    commands.perform(world.incident, acts.FinishMeasure(measure), by="Ben")
    guards.tie(guard.pk, world.incident, measure, by="Ben")
    prove(guard)
    guards.record(guard.pk, ran("red", "2.1"), by="runner")
    assert columns(text_of(signed_in("Cleo").get("/measures")))["failed"] == 1
    assert "It has stopped working" in text_of(signed_in("Cleo").get(f"/incidents/{world.incident}/measures/{measure}"))


def columns(page: str) -> dict[str, int]:
    return {state: int(n) for state, n in re.findall(r'<h2 id="(\w+)-title">[^<]*</h2><small>(\d+)</small>', page)}


def test_mine_are_those_that_name_me_or_a_team_of_mine(world):
    for text, owner in (("By Ben", "Ben"), ("By his team", "checkout"), ("By Ada", "Ada")):
        propose(world, text, owner)
    User.objects.get(username="Ben").teams.set(Team.objects.filter(name="checkout"))
    page = text_of(signed_in("Ben").get("/measures?whose=mine"))
    assert "By Ben" in page and "By his team" in page and "By Ada" not in page
    team = text_of(signed_in("Ben").get("/measures?whose=team"))
    assert "By his team" in team


@pytest.mark.parametrize(
    ("state", "there"),
    [("overdue", {"Late"}), ("open", {"Late", "In time"}), ("done", {"Done"}), ("dropped", {"Dropped"})],
)
def test_the_list_is_filtered_by_state(world, state, there):
    propose(world, "Late", due=days_ago(1))
    propose(world, "In time", due=days_ago(-1))
    commands.perform(world.incident, acts.FinishMeasure(propose(world, "Done")), by="Ben")
    commands.perform(world.incident, acts.DropMeasure(propose(world, "Dropped"), "no use"), by="Ben")
    page = text_of(signed_in("Cleo").get(f"/measures?view=list&state={state}"))
    found = {text for text in ("Late", "In time", "Done", "Dropped") if f">{text}</a>" in page}
    assert found == there


def test_the_file_has_every_row_and_no_formula(world):
    propose(world, "=HYPERLINK(1)")
    propose(world, "Alert on growth", due=days_ago(2))
    rows = list(csv.DictReader(io.StringIO(text_of(signed_in("Cleo").get("/measures.csv")))))
    assert [row["text"] for row in rows] == ["Alert on growth", "'=HYPERLINK(1)"]
    assert rows[0]["days late"] == "2"


# --- a measure


def test_a_measure_is_done_on_its_own_page(world):
    measure = propose(world)
    where = f"/incidents/{world.incident}/measures/{measure}"
    answer = signed_in("Ben").post(
        f"/incidents/{world.incident}/act/finish_measure",
        {"measure": measure, "how": "2.0.1 is out", "back": "measure"},
    )
    assert answer["Location"] == where
    page = text_of(signed_in("Cleo").get(where))
    assert "Done, not verified" in page and "2.0.1 is out" in page


def test_what_cannot_be_done_is_said_on_the_measures_page(world):
    measure = propose(world)
    answer = signed_in("Ben").post(
        f"/incidents/{world.incident}/act/close_regression",
        {"measure": measure, "how": "it is well", "back": "measure"},
    )
    assert answer.status_code == 409
    assert "has not failed" in text_of(answer) and "End sessions" in text_of(answer)


def test_a_guard_is_tied_by_its_name_and_its_story_is_told(world):
    measure, guard = propose(world), a_guard()
    where = f"/incidents/{world.incident}/measures/{measure}"
    signed_in("Ben").post(f"{where}/guards", {"guard": "sessions-end"})
    prove(guard)
    page = text_of(signed_in("Cleo").get(where))
    assert "watches over measure" in page and "red on 2.0, green on 2.0.1" in page
    signed_in("Ben").post(f"{where}/guards", {"untie": guard.pk, "reason": "it moved"})
    assert "No guard watches over it" in text_of(signed_in("Cleo").get(where))


def test_a_reader_gets_no_form_but_the_one_to_follow(world):
    address = f"/incidents/{world.incident}/measures/{propose(world)}"
    page = text_of(signed_in("Cleo").get(address))
    assert re.findall(r'<form[^>]* action="([^"]*)"', page.split("<main")[1]) == [f"{address}/follow"]


# --- why it happened


def test_a_cause_that_nothing_answers_is_a_gap_until_a_measure_or_a_name_stands_for_it(world):
    where = f"/incidents/{world.incident}"
    ben = signed_in("Ben")
    ben.post(f"{where}/act/name_cause", {"value": "deploy", "text": "sessions 2.0 went out"})
    ben.post(f"{where}/act/name_cause", {"value": "software_defect", "text": "Nothing ends a session"})
    ben.post(f"{where}/act/name_cause", {"value": "late_detection"})
    page = text_of(ben.get(where))
    assert "2 gaps" in page.replace("\u202f", " ") and page.count("no measure answers it") == 2
    propose(world, "End sessions", answers=(2,))
    ben.post(f"{where}/act/accept_risk", {"cause": "3", "reason": "the next alert sees it"})
    page = text_of(ben.get(where))
    assert "no measure answers it" not in page
    assert "Risk accepted by Ben: the next alert sees it" in page


def test_human_error_is_no_end(world):
    answer = signed_in("Ben").post(
        f"/incidents/{world.incident}/act/name_cause", {"value": "software_defect", "text": "human error"}
    )
    assert answer.status_code == 422 and "no end of an investigation" in text_of(answer)


# --- guards


def test_a_guard_is_declared_for_a_measure(world):
    measure = propose(world)
    answer = signed_in("Ben").post(
        "/declare-guard/command",
        {"name": "sessions-end", "service": "sessions", "measure": f"INC-{world.incident}/{measure}",
         "text": 'command = ["python3", "check.py"]'},
    )  # fmt: skip
    assert answer["Location"] == "/guards/sessions-end"
    made = Guard.objects.get()
    assert (made.kind, made.spec["command"], made.measures, made.origin) == (
        "command",
        ["python3", "check.py"],
        1,
        "page",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "x", "text": "command = ["}, "The text is no TOML."),
        ({"name": "x", "text": "colour = 'red'"}, "This is no text of a command guard."),
        ({"name": "A b", "text": 'command = ["ls"]'}, "is no name of a guard"),
        ({"name": "x", "text": 'command = ["ls"]', "every": "300"}, "The server does not run command guards."),
        ({"name": "x", "text": 'command = ["ls"]', "measure": "INC-999/1"}, "999"),
    ],
)
def test_what_cannot_be_declared_is_explained_and_what_was_typed_stays(world, given, said):
    answer = signed_in("Ben").post("/declare-guard/command", given)
    assert answer.status_code in (404, 409, 422)
    page = text_of(answer)
    assert said in page.split('role="alert"')[1].split("</div>")[0]
    assert given["text"].split("=")[0] in page


def test_a_name_is_given_once(world):
    a_guard()
    answer = signed_in("Ben").post("/declare-guard/command", {"name": "sessions-end", "text": 'command = ["rm"]'})
    assert answer.status_code == 422 and Guard.objects.get().spec == SPEC


def test_the_server_refuses_to_run_what_runs_commands(world):
    a_guard()
    for what, given in (("run", {}), ("prove", {"failure": "version:2.0", "fix": "version:2.0.1"})):
        answer = signed_in("Ben").post(f"/guards/sessions-end/act/{what}", given)
        assert answer.status_code == 403
        assert "unrepeat guard prove sessions-end" in text_of(answer)
    assert "unrepeat guard prove sessions-end" in text_of(signed_in("Ben").get("/guards/sessions-end"))


def test_both_runs_of_a_proof_stand_side_by_side_and_their_output_is_shown_not_run(world):
    guard = a_guard()
    guards.record_proof(
        guard.pk, ran("red", "2.0", output="<script>alert(1)</script>"), ran("green", "2.0.1"), by="Ada"
    )
    page = text_of(signed_in("Cleo").get("/guards/sessions-end"))
    assert "Red on the failure, green on the fix" in page
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


def test_a_trial_that_proves_nothing_says_what_happened(world):
    guard = a_guard()
    guards.record_proof(guard.pk, ran("green", "2.0"), ran("green", "2.0.1"), by="Ada")
    assert "it would not have caught it" in text_of(signed_in("Cleo").get("/guards/sessions-end"))


def test_a_red_guard_says_which_report_it_would_repeat(world):
    guard = a_guard()
    past = queries.incidents(status="resolved").rows[0].pk
    commands.perform(past, acts.ProposeMeasure("task", "End sessions"), by="Ada")
    guards.tie(guard.pk, past, 1, by="Ada")
    guards.record(guard.pk, ran("red", "2.1"), by="runner")
    page = text_of(signed_in("Cleo").get("/guards/sessions-end"))
    assert f"PM-{world.report}" in page.split("Would repeat")[1][:200]


def test_another_text_makes_it_unproven(world):
    prove(a_guard())
    signed_in("Ben").post(
        "/guards/sessions-end/act/text", {"text": 'command = ["python3", "other.py"]', "service": "sessions"}
    )
    page = text_of(signed_in("Ben").get("/guards/sessions-end"))
    assert "Not proven" in page and "of an older text" in page and "1 older text" in page.replace("\u202f", " ")


def test_the_text_of_a_guard_from_a_repository_is_changed_there(world):
    guards.declare(guards.Declared("x", "command", SPEC, origin="repository", place="unrepeat.toml:3"), by="runner")
    answer = signed_in("Ben").post("/guards/x/act/text", {"text": 'command = ["ls"]'})
    assert answer.status_code == 403 and "unrepeat.toml:3" in text_of(answer)
    assert Guard.objects.get().spec == SPEC


def test_a_retired_guard_is_untied_and_leaves_the_list(world):
    a_guard()
    signed_in("Ben").post("/guards/sessions-end/act/retire", {"reason": "the service is gone"})
    assert "sessions-end" not in text_of(signed_in("Cleo").get("/guards"))
    assert "Out of service" in text_of(signed_in("Cleo").get("/guards/sessions-end"))


def test_what_needs_somebody_stands_first_in_the_list(world):
    for name, colour in (("a", "green"), ("b", "broken"), ("c", "red"), ("d", "")):
        guard = a_guard(name)
        if colour:
            guards.record(guard.pk, ran(colour, "2.0"), by="runner")
    page = text_of(signed_in("Cleo").get("/guards"))
    assert re.findall(r'href="/guards/(\w)"', page) == ["c", "b", "a", "d"]


def test_the_list_is_filtered_by_colour_kind_and_proof(world):
    prove(a_guard("proven"))
    guards.record(a_guard("red").pk, ran("red", "2.0"), by="runner")
    for query, there in (
        ("colour=red", ["red"]),
        ("proven=yes", ["proven"]),
        ("kind=config", []),
        ("text=pro", ["proven"]),
    ):
        page = text_of(signed_in("Cleo").get(f"/guards?{query}"))
        assert re.findall(r'href="/guards/(\w+)"', page) == there, query


# --- people


def test_an_administrator_puts_people_in_teams(world):
    ben = User.objects.get(username="Ben")
    signed_in("Ada").post(f"/settings/people/{ben.pk}", {"do": "teams", "team": ["checkout"]})
    assert list(ben.teams.values_list("name", flat=True)) == ["checkout"]
