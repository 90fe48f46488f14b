"""The matrix of past outages and today's guards: what it counts, and its file."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from tests.support.api import a_filled_database
from unrepeat.prevention import commands
from unrepeat.prevention.coverage import coverage_store
from unrepeat.prevention.coverage.matrix import matrix
from unrepeat.support import clock
from unrepeat.web.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    return a_filled_database()


def a_guard(name: str) -> int:
    spec = {"expr": "up", "op": "<", "threshold": 1}
    return commands.declare(commands.Declared(name, "promql", spec, "sessions"), by="Ada").pk


def said(world, guard: int, name: str, recording: str, outcome: str) -> None:
    coverage_store.put(
        world.report,
        recording,
        f"guard:{guard}",
        clock.now(),
        guard_id=guard,
        name=name,
        outcome=outcome,
        said=f"In {recording}.",
    )


def test_a_guard_that_catches_an_outage_in_both_of_its_recordings_is_counted_once(world):
    first, second = a_guard("memory"), a_guard("sessions")
    for recording in ("morning", "noon"):
        said(world, first, "memory", recording, "caught")
        said(world, second, "sessions", recording, "missed")
    found = matrix()
    assert [(column.name, column.caught) for column in found.columns] == [("memory", 1), ("sessions", 0)]
    assert (found.lines[0].caught, found.covered, found.lost) == (1, 1, [])


def test_what_is_caught_in_one_recording_only_is_covered_and_what_nothing_catches_any_more_is_lost(world):
    guard = a_guard("memory")
    for outcome in ("caught", "missed"):
        said(world, guard, "memory", "morning", outcome)
    assert (matrix().covered, matrix().lost, matrix().lines[0].lost) == (0, [world.report], True)
    said(world, guard, "memory", "noon", "caught")
    assert (matrix().covered, matrix().lost, matrix().lines[0].lost) == (1, [], False)


def test_the_file_has_every_answer_of_every_recording(world):
    guard = a_guard("memory")
    for outcome in ("caught", "missed"):
        said(world, guard, "memory", "morning", outcome)
    said(world, guard, "memory", "noon", "caught")
    cleo = Client()
    cleo.force_login(User.objects.get(username="Cleo"), backend="django.contrib.auth.backends.ModelBackend")
    text = b"".join(cleo.get("/coverage.csv")).decode()
    rows = [(row["recording"], row["answer"], row["caught before"]) for row in csv.DictReader(io.StringIO(text))]
    assert rows == [("morning", "missed", "True"), ("noon", "caught", "False")]


def test_a_guard_that_the_server_may_run_but_does_not_by_itself_is_not_said_to_run_on_a_runner(world):
    a_guard("memory")
    commands.declare(commands.Declared("tests", "command", {"command": ["true"]}, "sessions"), by="Ada")
    cleo = Client()
    cleo.force_login(User.objects.get(username="Cleo"), backend="django.contrib.auth.backends.ModelBackend")
    for kind, words, other in (("promql", "when asked", "on a runner"), ("command", "on a runner", "when asked")):
        page = cleo.get(f"/guards?kind={kind}").content.decode()
        assert words in page and other not in page
