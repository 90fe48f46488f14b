"""`unrepeat investigate`: of a recording, of an incident, as text and as JSON; it writes nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.monitored_shop import ALERT, monitored
from unrepeat.duty import commands as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import AlertFired, Happened, IncidentOpened
from unrepeat.investigation import investigate
from unrepeat.investigation.telemetry import using
from unrepeat.support import clock
from unrepeat.support.problems import NotFound, Problem
from unrepeat.terminal.investigate import investigate as command

REAL = Path(__file__).parents[2] / "lab" / "recordings" / "2024-08-12-memory-leak"


@pytest.fixture(autouse=True)
def _asked_afresh(monkeypatch):
    monkeypatch.setattr(investigate, "resting", investigate.Resting())


@pytest.mark.skipif(not REAL.is_dir(), reason="the recording of 12 August is not here")
class TestOfARecording:
    def test_it_names_sessions_and_its_release_and_clears_the_others(self, capsys):
        command(str(REAL), as_json=True)
        told = json.loads(capsys.readouterr().out)
        verdicts = {one["name"]: one["verdict"] for one in told["said"]}
        assert verdicts == {
            "sessions": "suspect",
            "sessions 2.0": "suspect",
            "database": "cleared",
            "load-balancer": "cleared",
            "shop": "cleared",
        }
        assert 'process_resident_memory_bytes{service="sessions"}' in told["evidence"]
        assert told["series_of"]["shop"] == {"service": "shop"}

    def test_it_tells_people_what_to_look_at_and_that_series_were_guessed(self, capsys):
        command(str(REAL), after=10)
        told = capsys.readouterr().out
        assert "Next: Look at the memory of sessions, then at what sessions 2.0 changed." in told
        assert "Series were found by a guess, the label service" in told


@pytest.mark.django_db
class TestOfAnIncident:
    def an_incident(self):
        duty.load_catalogue('[services.sessions]\n[services.shop]\ndepends_on = ["sessions"]\n')
        fired = Happened(AlertFired(1, "Memory high", "sessions"), ALERT, "alertmanager")
        return commands.begin([IncidentOpened("Memory", "critical", "sessions"), fired], by="unrepeat", at=ALERT)

    def test_it_says_the_same_and_writes_nothing(self, capsys):
        with clock.using(clock.SimulatedClock(ALERT + timedelta(seconds=5))):
            number = self.an_incident()
            before = queries.state_of(number).last_seq
            with using(monitored(leak_since=-38)):
                command(f"INC-{number}")
        assert "the shape of a leak" in capsys.readouterr().out
        assert queries.state_of(number).last_seq == before

    def test_without_metrics_it_says_why_nothing_could_be_seen(self, capsys):
        with clock.using(clock.SimulatedClock(ALERT + timedelta(seconds=5))):
            command(str(self.an_incident()))
        assert "no metrics are connected" in capsys.readouterr().out

    def test_an_incident_that_is_not_there_is_a_problem(self):
        with pytest.raises(NotFound):
            command("4711")


def test_neither_a_folder_nor_a_number_is_a_problem():
    with pytest.raises(Problem, match="neither a folder nor the number"):
        command("nowhere")


def test_a_folder_that_is_no_recording_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="is not a recording"):
        command(str(tmp_path))
