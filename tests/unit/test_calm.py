"""Until when a recording was calm, and what is said of an alert that held then already."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import unrepeat.prevention
from unrepeat.prevention.backtest.calm import calm_of, cried
from unrepeat.prevention.backtest.harmed import moments
from unrepeat.prevention.backtest.recorded import Folder, open_folder
from unrepeat.prevention.backtest.replayed import fired, rules_of

RED = Path(unrepeat.prevention.__path__[0]) / "samples" / "promql" / "red"  # from 14:00, a sample a minute


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-08-12T{clock}").replace(tzinfo=UTC)


@pytest.fixture
def told(tmp_path):
    """The recording of the leak, with these moments in its manifest."""

    def recording(**clocks: str) -> Folder:
        folder = shutil.copytree(RED, tmp_path / "leak")
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["moments"] = {name: at(clock).isoformat() for name, clock in clocks.items()}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return open_folder(folder)

    return recording


def said(recording: Folder, since: str) -> str:
    return cried(recording, calm_of(recording, moments(recording)), at(since))


def test_what_held_before_the_deployment_was_there_without_the_outage(told):
    leak = told(deployed="14:26:19", harm="15:05", alert="15:15")
    assert "already (14:10 UTC), 16.3 min before the outage began (14:26)" in said(leak, "14:10")
    assert "from the recording's start on" in said(leak, "14:00")
    assert said(leak, "14:26") == ""  # the sample that saw the deployment
    assert said(leak, "14:41") == ""


def test_where_no_cause_is_named_only_what_held_from_the_start_was_there_without_the_outage(told):
    leak = told(harm="15:05", alert="15:15")
    assert "from the recording's start on (14:01 UTC), 64 min before the outage showed (15:05)" in said(leak, "14:01")
    assert said(leak, "14:10") == ""


def test_where_nothing_is_named_what_held_from_the_start_tells_nothing(told):
    leak = told()
    assert said(leak, "14:00").endswith("(14:00 UTC): that tells nothing of the outage.")
    assert said(leak, "14:10") == ""


def test_a_recording_that_begins_in_the_middle_of_the_outage_has_no_calm(told):
    assert said(told(harm="14:00", alert="14:05"), "14:00") == ""


def test_what_came_after_the_outage_is_not_its_cause(told):
    assert said(told(alert="14:30", resolved="15:30"), "14:20") == ""


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("expr", "wait", "since", "first"),
    [
        ("vector(1)", "0s", "14:00", "14:00"),
        ("vector(1)", "1h5m", "14:00", "15:05"),
        ("sessions_tracked_visits / sessions_live > 12", "5m", "14:41", "14:46"),
    ],
)
def test_promtool_tells_since_when_what_fired_held(expr, wait, since, first):
    one = fired(rules_of({"alert": "It's", "expr": expr, "for": wait}), ["It's"], open_folder(RED), seconds=20)["It's"]
    assert (one.since, one.first) == (at(since), at(first))


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_what_is_pending_and_never_fires_held_for_nothing():
    rules = rules_of({"alert": "A", "expr": "vector(1)", "for": "1d"})
    one = fired(rules, ["A"], open_folder(RED), seconds=20)["A"]
    assert (one.since, one.first, one.moments()) == (None, None, {})
