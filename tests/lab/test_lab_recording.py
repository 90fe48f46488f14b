"""The recording in the repository is whole, small, and tells the story in the report's time."""

from __future__ import annotations

import hashlib
import json
import tomllib
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

import lab
from lab import recorded_trials
from lab.afterwards import LATER
from lab.record import GUARDS
from unrepeat.prevention.declared import parse
from unrepeat.web.api.guard_shapes import TrialSent

FOLDER = Path(lab.__file__).parent / "recordings" / "2024-08-12-memory-leak"
MANIFEST: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text().splitlines()]


def ask(query: str) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2024-08-12T{clock}+00:00")


def test_every_file_is_the_one_that_was_recorded():
    assert set(MANIFEST["files"]) == {path.name for path in FOLDER.iterdir()} - {"manifest.json"}
    for name, digest in MANIFEST["files"].items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_it_is_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 5_000_000


def test_the_stretch_is_stated():
    assert MANIFEST["stretch"]["factor"] == 60
    assert MANIFEST["stretch"]["anchor"]["report"] == "2024-08-12T15:15:00.000Z"
    assert MANIFEST["time_zone"] == "UTC"


def test_the_alert_fires_at_a_quarter_past_three_and_resolves():
    alerts = [
        (alert["status"], datetime.fromisoformat(alert["startsAt"]))
        for line in lines("deliveries.jsonl")
        if line["kind"] == "alertmanager"
        for alert in json.loads(line["body"])["alerts"]
        if alert["labels"]["alertname"] == "High memory usage"
    ]
    assert alerts[0] == ("firing", at("15:15:00"))
    assert alerts[-1] == ("resolved", at("15:15:00"))


def test_the_changes_are_the_leaky_release_and_its_patch():
    changes = [json.loads(line["body"]) for line in lines("deliveries.jsonl") if line["kind"] == "generic_change"]
    assert [(change["previous"], change["version"]) for change in changes] == [("1.4", "2.0"), ("2.0", "2.0.1")]
    leaky, patch = (datetime.fromisoformat(change["at"]) for change in changes)
    assert at("13:45:00") < leaky < at("14:45:00")
    assert at("17:45:00") <= patch < at("17:51:00")


@pytest.mark.parametrize(
    ("clock", "act"),
    [
        ("15:17", "acknowledge"),
        ("15:20", "note"),
        ("15:35", "clear_suspect"),
        ("16:00", "note"),
        ("16:20", "raise_suspect"),
        ("16:45", "escalate"),
        ("17:15", "convict_suspect"),
        ("18:00", "resolve"),
    ],
)
def test_people_act_in_the_minutes_of_the_report(clock, act):
    assert (clock, act) in [(line["at"][11:16], line["act"]) for line in lines("acts.jsonl")]


def test_the_innocent_are_cleared_and_the_guilty_convicted():
    verdicts = [(line["act"], line["args"]["suspect"]) for line in lines("acts.jsonl") if "suspect" in line["args"]]
    assert ("clear_suspect", "database") in verdicts
    assert ("clear_suspect", "load-balancer") in verdicts
    assert ("convict_suspect", "sessions") in verdicts
    assert ("convict_suspect", "sessions 2.0") in verdicts


def test_three_improvements_and_five_tasks_have_an_owner_and_a_date():
    measures = [line["args"] for line in lines("acts.jsonl") if line["act"] == "propose_measure"]
    assert [measure["kind"] for measure in measures] == ["improvement"] * 3 + ["task"] * 5
    assert all(measure["owner"] and measure["due"].startswith("2024-0") for measure in measures)


def test_causes_are_named_before_the_measures_that_answer_them():
    acts = lines("acts.jsonl")
    named = [line["args"]["role"] for line in acts if line["act"] == "name_cause"]
    assert named == ["trigger", "cause", "cause", "factor", "factor", "factor"]
    answered = {cause for line in acts if line["act"] == "propose_measure" for cause in line["args"].get("answers", [])}
    accepted = {line["args"]["cause"] for line in acts if line["act"] == "accept_risk"}
    assert answered | accepted == set(range(2, len(named) + 1)), "each cause but the trigger is answered or borne"


def test_what_people_did_on_later_days_is_marked_as_written_by_hand():
    end = MANIFEST["window"]["to"]
    later = [line for line in lines("acts.jsonl") if line["at"] > end]
    assert [line["act"] for line in later] == [one.act for one in LATER]
    assert later == [one.line(date(2024, 8, 12)) for one in LATER]
    assert "written by hand" in MANIFEST["afterwards"]


def test_the_guards_are_those_of_the_services_repository_and_watch_over_measures_that_are_there():
    assert (FOLDER / "guards.toml").read_bytes() == GUARDS.read_bytes()
    blocks = tomllib.loads(GUARDS.read_text())["guard"]
    assert {block["kind"] for block in blocks} == {"alert_backtest", "load_test", "promql"}
    declared = {line["args"]["guard"] for line in lines("acts.jsonl") if line["act"] == "declare_guard"}
    assert declared == {block["name"] for block in blocks}
    watched = {int(ref.removeprefix("PM-1/")) for block in blocks for ref in block["measures"]}
    finished = {line["args"]["measure"] for line in lines("acts.jsonl") if line["act"] == "finish_measure"}
    assert watched == finished <= set(range(1, 9))


def test_what_the_runner_sent_is_about_the_present_text_of_its_guard_and_says_when_it_was_really_made():
    [line] = lines("results.jsonl")
    sent = TrialSent.model_validate(line["body"])
    [block] = [one for one in parse((FOLDER / "guards.toml").read_text()) if one.name == line["guard"]]
    assert sent.digest == block.digest, (
        "its text changed: run the story never-twice with --record, so that it is proven anew"
    )
    assert (sent.failure.colour, sent.fix.colour) == ("red", "green")
    assert sent.failure.figures["memory_kb_per_request"] > 4 > sent.fix.figures["memory_kb_per_request"]
    assert all(run.environment["made_at"] and run.environment["locust"] for run in (sent.failure, sent.fix))
    acts = lines("acts.jsonl")
    declared = next(a["at"] for a in acts if a["act"] == "declare_guard" and a["args"]["guard"] == line["guard"])
    assert (
        declared
        < line["at"]
        < next(a["at"] for a in acts if a["act"] == "finish_measure" and a["args"]["measure"] == 1)
    )


def test_a_trial_is_kept_in_a_recording_as_the_api_gives_it(tmp_path):
    (tmp_path / "manifest.json").write_text('{"files": {}}')
    run = {
        "colour": "red",
        "said": "It grows.",
        "at": "2026-11-24T12:00:00Z",
        "environment": {"locust": "2"},
        "target": "v2.0",
    }
    told = {
        "/guards/g/proofs": {"items": [{"guard_digest": "a" * 64, "failure": {"number": 1}, "fix": {"number": 2}}]},
        "/guards/g/runs/1": {**run, "output": "all of it"},
        "/guards/g/runs/2": {**run, "colour": "green", "target": "v2.0.1"},
    }
    recorded_trials.keep(tmp_path, "g", told.__getitem__)
    sent = TrialSent.model_validate(json.loads((tmp_path / "results.jsonl").read_text())["body"])
    assert (sent.failure.output, sent.fix.colour, sent.fix.target) == ("all of it", "green", "v2.0.1")
    assert sent.fix.environment == {"locust": "2", "made_at": "2026-11-24T12:00:00Z"}
    digest = hashlib.sha256((tmp_path / "results.jsonl").read_bytes()).hexdigest()
    assert json.loads((tmp_path / "manifest.json").read_text())["files"] == {"results.jsonl": digest}


def test_the_healthy_stretch_lies_behind_the_patch_and_inside_the_recording():
    healthy, (first, last) = MANIFEST["healthy"], (MANIFEST["healthy"]["from"], MANIFEST["healthy"]["to"])
    assert MANIFEST["moments"]["patched"] < first < last == MANIFEST["window"]["to"]
    assert healthy["name"] in (FOLDER / "guards.toml").read_text()
    firing = ask(f"""select max("at") from '{FOLDER}/metrics.parquet' where name = 'ALERTS'""")[0][0]
    assert firing.isoformat() < first, "no alert fires in it"


def test_what_happened_is_told_in_order():
    for name in ("deliveries.jsonl", "acts.jsonl"):
        assert all(before["at"] <= after["at"] for before, after in pairwise(lines(name)))


def test_the_load_generators_own_count_is_within_the_bands():
    counted = MANIFEST["counted_by_the_load_generator"]
    assert 0.70 <= counted["slow_share"] <= 0.95
    assert 0.10 <= counted["failed_share"] <= 0.30
    assert counted["visitors"] > 400


def test_nginx_saw_the_same_slow_visitors():
    """The log's own share of slow sessions lies near the load generator's (their windows differ a little)."""
    [(share,)] = ask(
        f"""select avg(slow::int) from (select bool_or(request_time > 0.5) as slow from '{FOLDER}/requests.parquet'
        where "at" between '2024-08-12 15:15:00' and '2024-08-12 17:45:00' and session <> '' group by session)"""
    )
    assert share == pytest.approx(MANIFEST["counted_by_the_load_generator"]["slow_share"], abs=0.12)


def test_memory_of_the_session_service_rises_until_the_patch_and_no_other_does():
    rows = ask(
        f"""select labels::json->>'service' as service, max(value), min(value) from '{FOLDER}/metrics.parquet'
        where name = 'process_resident_memory_bytes' and "at" between '2024-08-12 15:00:00' and '2024-08-12 17:44:00'
        group by labels order by service, max(value) / min(value)"""
    )
    grown = {service: high / low for service, high, low in rows}
    assert set(grown) == {"sessions", "shop", "load-balancer", "database"}
    assert grown.pop("sessions") > 2
    assert all(ratio < 1.5 for ratio in grown.values())


def test_every_series_names_its_service_and_the_tables_cover_the_whole_story():
    assert ask(f"select count(*) from '{FOLDER}/metrics.parquet' where labels::json->>'service' is null") == [(0,)]
    for name in ("metrics", "requests"):
        [(first, last)] = ask(f"""select min("at"), max("at") from '{FOLDER}/{name}.parquet'""")
        leaky = datetime.fromisoformat(MANIFEST["moments"]["deployed"]).replace(tzinfo=None)
        assert (leaky - first).total_seconds() > 30 * 60
        assert last > datetime(2024, 8, 12, 18, 15)


def test_the_catalogue_knows_every_service():
    services = tomllib.loads((FOLDER / "catalogue.toml").read_text())["services"]
    assert set(services) == {"shop", "sessions", "load-balancer", "database"}
