"""What people say in the outage: only what they have looked up, and only acts that Unrepeat knows."""

from __future__ import annotations

import dataclasses
import re
from datetime import date

import pytest

from lab.afterwards import ACCEPTED, LATER, causes
from lab.measure import Database, LoadBalancer, Sessions, Shop
from lab.measures import MEASURES
from lab.people import PEOPLE, STEPS, Before, Scene
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.causes import WORDS

BEFORE = Before(Database(1.11, 2, 0), LoadBalancer(0, 4.4, 0.22, 33), Sessions(36.6, 41, 0, 0.01, 137.7))


class Looked:
    """What the readings say in this test; no number of it is said by anybody by chance."""

    def database(self) -> Database:
        return Database(probe_ms=7.77, active=12, lock_waits=19)

    def load_balancer(self) -> LoadBalancer:
        return LoadBalancer(dropped=1234, megabytes=55.6, core_percent=6.54, connections=321)

    def sessions(self) -> Sessions:
        return Sessions(megabytes=254.4, live=67, tracked=8910, checkpoint_seconds=2.71, budget_megabytes=137.7)

    def shop(self) -> Shop:
        return Shop(p99_seconds=1.93, session_p99_seconds=1.87, error_percent=4.3, refused=88)


SCENE = Scene(Looked(), BEFORE)  # type: ignore[arg-type]
TOLD = [(offset, *tell) for offset, step in STEPS for tell in step(SCENE)]
SEEN = {
    "1.11",
    "4",
    "33",
    "37",
    "41",
    "138",
    "7.77",
    "12",
    "19",
    "1234",
    "56",
    "6.5",
    "321",
    "254",
    "67",
    "8910",
    "2.7",
    "1.93",
    "1.87",
    "88",
}
NAMES = {"2.0", "1.4"}


def words(args: dict) -> str:
    return " ".join(str(args.get(field, "")) for field in ("text", "reason", "how", "title"))


def test_everybody_acts_at_the_offsets_of_the_report():
    assert [offset for offset, _ in STEPS] == [2, 5, 20, 45, 65, 90, 120]
    assert {by for _, by, _, _ in TOLD} == set(PEOPLE)


@pytest.mark.parametrize(("offset", "by", "act", "args"), TOLD)
def test_an_act_is_one_that_unrepeat_knows_with_its_fields(offset, by, act, args):
    fields = {field.name for field in dataclasses.fields(ACTS[act])}
    assert set(args) <= fields
    ACTS[act](**args)


def test_no_number_is_said_that_was_not_looked_up():
    said = {number for *_, args in TOLD for number in re.findall(r"\d+(?:\.\d+)?", words(args))}
    assert said <= SEEN | NAMES
    assert {"7.77", "321", "254", "8910", "2.7", "88"} <= said


def test_the_usual_suspects_are_cleared_with_numbers_before_the_guilty_are_found():
    verdicts = [(act, args["suspect"]) for _, _, act, args in TOLD if act in ("clear_suspect", "convict_suspect")]
    assert verdicts == [
        ("clear_suspect", "database"),
        ("clear_suspect", "load-balancer"),
        ("convict_suspect", "sessions"),
        ("convict_suspect", "sessions 2.0"),
        ("convict_suspect", "memory of sessions"),
    ]


def test_a_suspect_is_raised_before_there_is_a_verdict():
    raised: set[str] = set()
    for _, _, act, args in TOLD:
        if act == "raise_suspect":
            raised.add(args["suspect"])
        elif act in ("clear_suspect", "convict_suspect"):
            assert args["suspect"] in raised


def test_causes_are_words_of_the_taxonomy_and_every_one_but_the_trigger_is_answered_or_borne():
    told = causes()
    for by, act, args in told:
        assert by in PEOPLE
        ACTS[act](**args)
    named = [args for _, act, args in told if act == "name_cause"]
    assert all(args["value"] in WORDS[args["role"]] for args in named)
    answered = {cause for measure in MEASURES for cause in measure.answers}
    assert answered | {ACCEPTED} == set(range(2, len(named) + 1))


def test_nothing_that_is_written_by_hand_holds_a_number_that_a_run_would_have_to_show():
    said = " ".join(words(args) for _, _, args in causes()) + " ".join(words(one.args) for one in LATER)
    assert set(re.findall(r"\d+(?:\.\d+)?", said)) <= {"2.0"}


def test_what_people_do_later_is_in_order_and_known_to_unrepeat_or_to_a_replay():
    moments = [(one.days, one.clock) for one in LATER]
    assert moments == sorted(moments)
    assert {one.by for one in LATER} <= set(PEOPLE)
    for one in LATER:
        if one.act not in ("declare_guard", "prove_guard", "run_guard", "publish"):
            ACTS[one.act](**one.args)


def test_three_improvements_and_five_tasks_are_due_after_the_outage():
    proposed = [measure.args(date(2024, 8, 12)) for measure in MEASURES]
    assert [one["kind"] for one in proposed] == ["improvement"] * 3 + ["task"] * 5
    assert all(one["due"] > "2024-08-12" for one in proposed)
    assert {one["owner"] for one in proposed} <= set(PEOPLE)
