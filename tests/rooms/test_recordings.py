"""Recordings: taken in when they are whole, known by name, and cut into healthy stretches."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import unrepeat.prevention
from tests.rooms.test_postmortems import an_outage
from unrepeat.prevention import recordings, store
from unrepeat.prevention.backtest.recorded import Unreadable, check_whole, open_folder, samples
from unrepeat.prevention.running.patrol import known_recordings
from unrepeat.prevention.running.targets import target_of
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, Invalid, NotFound
from unrepeat.terminal import main

pytestmark = pytest.mark.django_db
SAMPLE = Path(unrepeat.prevention.__path__[0]) / "samples" / "alert_backtest" / "red"
LEAK = Path(__file__).parents[2] / "lab" / "recordings" / "2024-08-12-memory-leak"


@pytest.fixture
def leak(tmp_path):
    """A copy of a small recording of the leak."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "leak"))


def test_a_whole_recording_is_known_by_its_name(leak):
    number = an_outage()
    kept = recordings.add(leak, by="Ada", name="leak", incident=number, service="sessions")
    assert (kept.name, kept.incident_id, kept.healthy, kept.service) == ("leak", number, False, "sessions")
    assert known_recordings()["leak"].folder == leak.resolve()
    assert target_of("leak", known_recordings()).folder == leak.resolve()


def test_added_again_it_is_the_same_one_and_keeps_what_was_said_of_it(leak):
    number = an_outage()
    recordings.add(leak, by="Ada", name="leak", incident=number, service="sessions")
    again = recordings.add(leak, by="Ben", name="leak")
    assert (again.incident_id, again.service, again.added_by) == (number, "sessions", "Ben")
    assert len(store.recordings()) == 1


@pytest.mark.parametrize("harm", ["cut short", "changed", "removed"])
def test_one_that_is_not_whole_is_refused(leak, harm):
    metrics = leak / "metrics.parquet"
    if harm == "removed":
        metrics.unlink()
    else:
        whole = metrics.read_bytes()
        metrics.write_bytes(whole[: len(whole) // 2] if harm == "cut short" else whole[:-1] + b"?")
    with pytest.raises(Unreadable) as refused:
        recordings.add(leak, by="Ada")
    assert "metrics.parquet" in str(refused.value)
    assert refused.value.remedy
    assert store.recordings() == []


@pytest.mark.parametrize("manifest", ["", "{", "[]", '{"files": {}}', '{"files": {"../../etc/passwd": "x"}}'])
def test_a_manifest_that_is_none_is_refused(leak, manifest):
    (leak / "manifest.json").write_text(manifest)
    with pytest.raises(Unreadable):
        recordings.add(leak, by="Ada", name="leak")


def test_two_recordings_cannot_have_one_name(leak, tmp_path):
    recordings.add(leak, by="Ada", name="leak")
    other = Path(shutil.copytree(SAMPLE.parent / "green", tmp_path / "other"))
    with pytest.raises(Conflict):
        recordings.add(other, by="Ada", name="leak")


def test_what_it_belongs_to_must_be_there_and_make_sense(leak):
    with pytest.raises(NotFound):
        recordings.add(leak, by="Ada", name="leak", incident=4711)
    with pytest.raises(Invalid):
        recordings.add(leak, by="Ada", name="leak", incident=an_outage(), healthy=True)
    with pytest.raises(Invalid):
        recordings.add(leak, by="Ada", name="../leak")


def test_a_healthy_stretch_is_cut_out_of_an_outage(tmp_path):
    source = open_folder(LEAK)
    first, last = datetime(2024, 8, 12, 13, 46, tzinfo=UTC), recordings.moment_in(source, "deployed")
    folder = recordings.cut(source, "before-the-deploy", first, last, healthy=True, into=tmp_path)
    made = open_folder(folder)
    assert made.healthy and made.window == (first, last)
    check_whole(made)
    told = json.loads((folder / "manifest.json").read_text())
    assert told["cut_from"]["name"] == LEAK.name
    assert told["moments"] == {}
    assert sorted(told["files"]) == ["catalogue.toml", "metrics.parquet", "requests.parquet"]
    kept = samples(made, frozenset({"sessions_live"}))
    assert first.timestamp() <= kept.first <= kept.last <= last.timestamp()
    assert list(kept.series) and all("sessions-1.4" in labels for _, labels in kept.series)


def test_a_stretch_of_the_failure_keeps_what_was_told(tmp_path):
    source = open_folder(LEAK)
    first, last = datetime(2024, 8, 12, 15, 0, tzinfo=UTC), datetime(2024, 8, 12, 16, 0, tzinfo=UTC)
    folder = recordings.cut(source, "first-hour", first, last, healthy=False, into=tmp_path)
    assert set(open_folder(folder).manifest["moments"]) == {"alert"}
    lines = [json.loads(line) for line in (folder / "acts.jsonl").read_text().splitlines()]
    assert lines and all("2024-08-12T15:00" <= line["at"] <= "2024-08-12T16:00" for line in lines)


def test_a_cut_outside_of_it_or_over_another_one_is_refused(tmp_path):
    source = open_folder(LEAK)
    first, last = source.window
    with pytest.raises(Invalid):
        recordings.cut(source, "all", last, first, healthy=True, into=tmp_path)
    recordings.cut(source, "all", first, last, healthy=True, into=tmp_path)
    with pytest.raises(Conflict):
        recordings.cut(source, "all", first, last, healthy=True, into=tmp_path)


def typed(*words: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


def test_the_same_from_the_terminal(capsys):
    typed("recording", "add", str(LEAK), "--service", "sessions", "--by", "Ada")
    typed(
        "recording", "cut", LEAK.name, "--from", "2024-08-12T17:50Z", "--to", "2024-08-12T18:20Z", "--as", "with-2.0.1"
    )
    typed("recording", "show", LEAK.name)
    said = capsys.readouterr().out
    assert "The recording with-2.0.1 is known now: healthy" in said
    assert "first users hurt: 15:05 UTC" in said
    assert "stretched 60-fold" in said
    assert {row.name: row.healthy for row in store.recordings()} == {LEAK.name: False, "with-2.0.1": True}
    shutil.rmtree(config().data_dir / "recordings")
    assert typed("recording", "show", "with-2.0.1") == 1
    assert "has gone" in capsys.readouterr().err
