"""The nightly question: what today's guards and alert rules say to past outages, and what is no longer caught."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import unrepeat.prevention
from tests.rooms.test_postmortems import a_draft
from unrepeat.postmortems import commands as postmortems
from unrepeat.postmortems import queries as reports
from unrepeat.prevention import commands, recordings
from unrepeat.prevention.commands import Declared
from unrepeat.prevention.coverage import matrix as coverage
from unrepeat.prevention.coverage import night
from unrepeat.support import clock
from unrepeat.support.config import Config
from unrepeat.support.models import Wakeup
from unrepeat.terminal import main
from unrepeat.worker import Worker

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed"),
]
SAMPLES = Path(unrepeat.prevention.__path__[0]) / "samples" / "alert_backtest"
EVENING = datetime(2024, 9, 1, 20, 0, tzinfo=UTC)
RULES = """
groups:
  - name: memory
    rules:
      - record: sessions:visits
        expr: sessions_tracked_visits / sessions_live
      - alert: Many visits
        expr: sessions:visits > 20
      - alert: High memory
        expr: process_resident_memory_bytes > 400e6
      - alert: Old process
        expr: time() - process_start_time_seconds > 86400
"""

NOISE = """
groups:
  - name: noise
    rules:
      - alert: Always
        expr: vector(1)
      - alert: Always, said late
        expr: vector(1)
        for: 40m
      - alert: Any memory
        expr: process_resident_memory_bytes > 1
        for: 5m
      - alert: Many visits
        expr: sessions_tracked_visits / sessions_live > 20
"""


@pytest.fixture
def evening():
    """It is evening; the night's question comes at three."""
    simulated = clock.SimulatedClock(EVENING)
    with clock.using(simulated):
        yield simulated


@pytest.fixture
def past(evening):
    """The leak of 12 August, published, with its recording; returns the report's number."""
    report = a_draft()
    postmortems.publish(report, by="Ada")
    recordings.add(SAMPLES / "red", by="Ada", name="leak", incident=reports.incident_of(report), service="sessions")
    recordings.add(SAMPLES / "green", by="Ada", name="healthy", service="sessions")
    return report


def visits(threshold: int, name: str = "visits") -> int:
    """A guard of sessions: too many visits for each live session."""
    text = {"expr": "sessions_tracked_visits / sessions_live", "op": ">", "threshold": threshold, "for_seconds": 300}
    return commands.declare(Declared(name, "promql", text, service="sessions"), by="Ada").pk


def memory() -> int:
    """A guard of sessions that is red whatever happens: it has any memory at all."""
    text = {"expr": "process_resident_memory_bytes", "op": ">", "threshold": 1, "for_seconds": 300}
    return commands.declare(Declared("any-memory", "promql", text, service="sessions"), by="Ada").pk


def alert(at_least: float = 0) -> int:
    """A rule that speaks before the first users are hurt."""
    rule = {"alert": "Visits", "expr": "sessions_tracked_visits / sessions_live > 12", "for": "5m"}
    text = {"rule": rule, "recording": "leak", "healthy": ["healthy"], "at_least_minutes": at_least}
    return commands.declare(Declared("visits-rule", "alert_backtest", text, service="sessions"), by="Ada").pk


def typed(*words: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def asked(evening: clock.SimulatedClock) -> coverage.Matrix:
    """One night goes by; the matrix of the morning after."""
    evening.move_to(night.next_night(evening()))
    Worker().run_until_idle()
    evening.advance(hours=5)
    return coverage.matrix()


def test_in_the_night_every_guard_is_asked_about_the_past_outage(past, evening):
    early, number = alert(), visits(20)
    never = visits(9_000, "too-many-visits")
    found = asked(evening)
    (line,) = found.lines
    assert (line.postmortem, line.caught, line.lost) == (past, 2, False)
    caught, watched, missed = (line.cells[f"guard:{pk}"] for pk in (early, number, never))
    assert (caught.result, watched.result, missed.result) == ("caught", "caught", "missed")
    assert caught.first_fired_at == datetime(2024, 8, 12, 14, 46, tzinfo=UTC)
    assert caught.lead == line.earliest == 29
    assert "19 min before the first users were hurt (15:05)" in caught.said
    assert missed.first_fired_at is None
    assert (found.covered, found.total, found.lost) == (1, 1, [])


def test_it_is_asked_again_the_next_night_and_only_then(past, evening):
    visits(20)
    first = asked(evening).at
    assert not night.open_questions(night.night_of(evening()))
    assert Wakeup.objects.get(key="standing:prevention:night").due_at == night.next_night(evening())
    second = asked(evening).at
    assert second - first == timedelta(days=1)
    (cell,) = coverage.matrix().lines[0].cells.values()
    assert cell.at - cell.since == timedelta(days=1)


def test_what_was_caught_and_is_not_any_more_is_said(past, evening):
    number = visits(20)
    asked(evening)
    visits(9_000)
    found = asked(evening)
    assert found.lost == coverage.lost() == [past]
    assert found.lines[0].lost
    assert found.lines[0].cells[f"guard:{number}"].lost
    assert [cell.result for cell in coverage.history(past, f"guard:{number}")] == ["missed", "caught"]
    visits(20)
    assert asked(evening).lost == []


def test_a_guard_that_was_retired_does_not_cover_what_it_covered(past, evening):
    number = visits(20)
    asked(evening)
    commands.retire(number, by="Ada", reason="Nobody knew what it was for.")
    found = asked(evening)
    assert found.lost == [past]
    assert [cell.result for cell in coverage.history(past, f"guard:{number}")] == ["gone", "caught"]


def test_the_user_s_own_rules_are_asked_too(past, evening, tmp_path, monkeypatch):
    (tmp_path / "memory.yml").write_text(RULES)
    (tmp_path / "torn.yml").write_text("groups: [")
    monkeypatch.setattr(night, "config", lambda: Config(rules=f"{tmp_path}/*.yml"))
    line = asked(evening).lines[0]
    said = {column.name: line.cells[column.subject] for column in coverage.matrix().columns}
    assert said["Many visits (memory.yml)"].result == "caught"
    assert said["Many visits (memory.yml)"].lead > 0
    assert said["High memory (memory.yml)"].result == "missed"
    assert said["Old process (memory.yml)"].result == "broken"
    assert "time()" in said["Old process (memory.yml)"].said
    assert said["torn.yml"].result == "broken"
    assert "Mend the file" in said["torn.yml"].remedy
    (tmp_path / "memory.yml").unlink()
    assert asked(evening).lost == [past]


def test_an_alert_that_fires_all_the_time_has_caught_nothing(past, evening, tmp_path, monkeypatch):
    (tmp_path / "noise.yml").write_text(NOISE)
    monkeypatch.setattr(night, "config", lambda: Config(rules=f"{tmp_path}/*.yml"))
    found = asked(evening)
    said = {column.name: found.lines[0].cells[column.subject] for column in found.columns}
    assert {name.split(" (")[0]: cell.result for name, cell in said.items()} == {
        "Always": "missed",
        "Always, said late": "missed",
        "Any memory": "missed",
        "Many visits": "caught",
    }
    always = said["Always (noise.yml)"]
    assert "from the recording's start on (14:00 UTC), 26.3 min before the outage began (14:26)" in always.said
    assert "unrepeat recording cut" in always.remedy
    assert always.lead is None
    assert said["Always, said late (noise.yml)"].first_fired_at == datetime(2024, 8, 12, 14, 40, tzinfo=UTC)
    assert found.lines[0].caught == 1


def test_a_guard_that_is_red_in_the_calm_before_the_outage_has_caught_nothing(past, evening):
    always, real = memory(), visits(20)
    rule = {"alert": "Memory", "expr": "process_resident_memory_bytes > 1", "for": "5m"}
    spec = {"rule": rule, "recording": "leak", "healthy": ["healthy"]}
    noisy = commands.declare(Declared("noisy-rule", "alert_backtest", spec, service="sessions"), by="Ada").pk
    (line,) = asked(evening).lines
    results = {number: line.cells[f"guard:{number}"].result for number in (always, noisy, real)}
    assert results == {always: "missed", noisy: "missed", real: "caught"}
    assert "it fires without one" in line.cells[f"guard:{noisy}"].said
    assert (line.caught, line.lost) == (1, False)


@pytest.mark.django_db(transaction=True)
def test_the_terminal_says_why_an_alert_that_fires_all_the_time_does_not_count(past, evening, capsys):
    memory()
    assert typed("night") == 0
    said = capsys.readouterr().out
    assert "it fires without one" in said
    assert "never fired" not in said
    assert "0 of 1 past incidents would be caught." in said


def test_a_recording_that_has_gone_is_broken_and_hinders_nothing(past, evening, tmp_path):
    number = visits(20)
    copy = shutil.copytree(SAMPLES / "red", tmp_path / "red")
    recordings.add(copy, by="Ada", name="leak-again", incident=reports.incident_of(past))
    shutil.rmtree(copy)
    asked(evening)
    line = asked(evening).lines[0]
    assert line.recordings == ("leak", "leak-again")
    assert line.cells[f"guard:{number}"].result == "caught"  # the best answer of both recordings


def test_a_guard_of_another_service_is_not_asked(past, evening):
    text = {"expr": "up", "op": "<", "threshold": 1}
    commands.declare(Declared("billing-is-up", "promql", text, service="billing"), by="Ada")
    assert night.questions() == []


def test_what_is_not_published_is_not_asked_about(evening):
    report = a_draft()
    recordings.add(SAMPLES / "red", by="Ada", name="leak", incident=reports.incident_of(report))
    visits(20)
    assert night.questions() == []
    assert coverage.matrix().total == 0


@pytest.mark.django_db(transaction=True)
def test_somebody_may_ask_in_broad_daylight(past, evening, capsys):
    visits(20)
    assert typed("night") == 0
    said = capsys.readouterr().out
    assert "visits" in said
    assert "min before people knew" in said
    assert "1 of 1 past incidents would be caught." in said
    visits(9_000)
    assert typed("night") == 1
    assert "No longer caught by anything." in capsys.readouterr().out
