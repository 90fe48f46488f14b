"""The benchmark is fair: a label gives the ranking its alert time and nothing else, and absent files are absent."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bench._rca_cases import alert_time, case_folders, load
from bench._rca_files import moment, read_calls, read_changes
from bench.rca import main, ours
from unrepeat.investigation.weights import weights

LABEL = {
    "case": "made",
    "dataset": "made-up",
    "fault": "cpu",
    "root_cause_service": "sessions",
    "root_cause_metric": "sessions_cpu",
    "inject_time": 6000,
}


def write(folder, label):
    folder.mkdir(parents=True)
    (folder / "label.json").write_text(json.dumps(label), encoding="utf-8")
    rows = ["time,shop_cpu,sessions_cpu"]
    rows += [f"{1000 + 60 * row},{20 + row % 3},{10 + row % 2 if row < 83 else 95}" for row in range(100)]
    with gzip.open(folder / "metrics.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write("\n".join(rows) + "\n")
    return folder


def test_nothing_but_the_alert_time_reaches_the_ranking(tmp_path):
    honest = load(write(tmp_path / "honest", LABEL))
    lying = load(
        write(
            tmp_path / "lying",
            {
                **LABEL,
                "root_cause_service": "shop",
                "root_cause_metric": "shop_cpu",
                "fault": "x",
                "note": "shop did it",
            },
        )
    )
    assert np.array_equal(honest.tables.values, lying.tables.values)
    assert honest.tables.series == lying.tables.series
    assert ours(honest, weights())[0].services == ours(lying, weights())[0].services


def test_the_alert_goes_before_the_injection():
    assert alert_time({"inject_time": 5, "alert_time": 9}) == 9
    assert alert_time({"inject_time": 5, "alert_time": None}) == 5


def test_a_case_of_numbers_alone_is_ranked(tmp_path):
    answer, _ = ours(load(write(tmp_path / "case", LABEL)), weights())
    assert answer.services[0] == "sessions"
    assert answer.indicators[0] == "sessions_cpu"
    assert answer.changes == ["none"]


def test_it_prints_a_figure_for_every_dataset_it_finds(tmp_path, capsys):
    write(tmp_path / "one", LABEL)
    assert main([str(tmp_path), "--no-baro"]) == 0
    printed = capsys.readouterr().out
    assert "FIGURE service_ac1@made-up=1.000 unit=share against=labels" in printed
    assert "FIGURE indicator_ac1@made-up=1.000" in printed
    assert "FIGURE seconds_per_case@made-up=" in printed
    assert "BARO was left out." in printed


def test_a_folder_without_cases_is_said_to_have_none(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    assert "There are no cases in" in capsys.readouterr().out


def test_cases_are_found_in_order(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / name, LABEL)
    assert [path.name for path in case_folders(tmp_path)] == ["a", "b"]


@pytest.mark.parametrize("column", ["pod-v1-59dcc9f97-dmsf6|CPUUsageRate(%)", "pod|CPUUsageRate(%)"])
def test_pods_belong_to_their_service(tmp_path, column):
    folder = write(tmp_path / "case", LABEL)
    with gzip.open(folder / "metrics.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(f"time,{column}\n1,2\n")
    (series,) = load(folder).tables.series
    assert series.service == "pod"
    assert (series.pod != "") == ("-v1-" in column)


def packed(file, text):
    with gzip.open(file, "wt", encoding="utf-8") as stream:
        stream.write(text)


def spoilt(folder):
    """A case that is odd in one way a folder: what is done to it, by its name."""

    def numbers(text):
        return lambda case: packed(case / "metrics.csv.gz", text)

    def beside(name, text):
        return lambda case: packed(case / name, text) if name.endswith(".gz") else (case / name).write_text(text)

    def labelled(**fields):
        return lambda case: (case / "label.json").write_text(json.dumps({**LABEL, **fields}))

    return {
        "no-numbers": lambda case: (case / "metrics.csv.gz").unlink(),
        "empty-numbers": numbers(""),
        "a-header-only": numbers("time,shop_cpu\n"),
        "a-time-only": numbers("time\n1000\n1060\n"),
        "empty-columns": numbers("time,shop_cpu,sessions_cpu\n" + "".join(f"{1000 + 60 * n},,{n}\n" for n in range(99))),
        "ragged-rows": numbers("time,shop_cpu,sessions_cpu\n1000\n1060,1,2,3,4\nnever,1,2\n,,\n1120,nan,inf\n"),
        "twice-the-same-column": numbers("time,time,shop_cpu,shop_cpu\n" + "".join(f"{1000 + 60 * n},1,2,{n}\n" for n in range(99))),
        "only-after-the-alert": numbers("time,shop_cpu\n" + "".join(f"{7000 + n},{n}\n" for n in range(99))),
        "only-before-the-alert": numbers("time,shop_cpu\n" + "".join(f"{1000 + n},{n}\n" for n in range(99))),
        "one-row": numbers("time,shop_cpu\n6000,1\n"),
        "nothing-but-nan": numbers("time,shop_cpu\n" + "".join(f"{1000 + 60 * n},NaN\n" for n in range(99))),
        "cut-in-the-middle": lambda case: (case / "metrics.csv.gz").write_bytes((case / "metrics.csv.gz").read_bytes()[:90]),
        "edges-of-another-shape": beside("edges.json", '[{"caller": "shop", "callee": "sessions"}, ["a"], 7, null]'),
        "edges-that-are-no-json": beside("edges.json", "{"),
        "spans-without-their-columns": beside("traces.csv.gz", "service,minute\nshop,00_10\n"),
        "spans-of-nothing": beside("traces.csv.gz", "service,OperationName,minute,n,phase\nshop,GET,,,\nshop,GET,ab_cd,x,normal\n"),
        "calls-without-times": beside("calls.csv.gz", "caller,callee,minute,n\nshop,sessions,01_40,5\nshop,sessions,01_20,\n"),
        "logs-without-counts": beside("logs.csv.gz", "service,minute,lines,error_like\nshop,01_40,,\nshop,01_40,7,x\n"),
        "lines-that-are-none": beside("logs.ndjson", '{"msg": 1}\nnot json\n[]\n{"timestamp": "x", "service": null}\n'),
        "changes-of-another-shape": beside("changes.json", '{"changes": [{"service": "shop"}, 3], "deploys": {}, "commits": [{}], "flags": [{"flag": "f"}]}'),
        "changes-that-are-a-list": beside("changes.json", "[]"),
        "spans-that-are-none": beside("traces_raw.json", '[{"status": "ERROR"}, 3, {"service": "shop", "status": "ERROR", "start": "x"}]'),
        "only-an-indicator": labelled(root_cause_service=None),
        "only-a-service": labelled(root_cause_metric=None),
        "only-a-change": labelled(root_cause_service=None, root_cause_metric="", root_cause_change="shop"),
        "nothing-labelled": labelled(root_cause_service=None, root_cause_metric=None),
        "no-dataset": labelled(dataset=None),
        "a-dataset-nobody-knows": labelled(dataset="nobody-knows"),
        "decoys-of-nothing": labelled(decoy_commits=None),
        "no-time": labelled(inject_time=None),
        "no-label-at-all": lambda case: (case / "label.json").write_text("[]"),
        "a-label-cut-in-the-middle": lambda case: (case / "label.json").write_text('{"case": '),
    }  # fmt: skip


def test_one_odd_case_is_said_and_the_others_are_ranked(tmp_path, capsys):
    ways = spoilt(tmp_path)
    for name, spoil in ways.items():
        spoil(write(tmp_path / name, LABEL))
    write(tmp_path / "sound", {**LABEL, "dataset": "sound"})
    assert main([str(tmp_path), "--misses", "--perturb", "--cv"]) == 0
    printed = capsys.readouterr().out
    assert "FIGURE service_ac1@sound=1.000" in printed
    assert "FIGURE service_ac1@nobody-knows=1.000" in printed
    assert "FIGURE service_ac1@unknown=1.000" in printed
    for name in ("no-time", "no-label-at-all", "a-label-cut-in-the-middle", "cut-in-the-middle"):
        assert f"{name} could not be read, and is left out" in printed
    assert printed.count("could not be read") == 4
    assert "could not be ranked" not in printed


def test_a_case_on_which_the_ranking_stumbles_is_a_miss(tmp_path, capsys, monkeypatch):
    write(tmp_path / "one", LABEL)
    write(tmp_path / "two", LABEL)
    rightly = ours
    asked = []

    def stumbling(case, setting):
        asked.append(case.name)
        if case.name == "one":
            raise ZeroDivisionError("a lens stumbled")
        return rightly(case, setting)

    monkeypatch.setattr("bench.rca.ours", stumbling)
    assert main([str(tmp_path), "--no-baro"]) == 0
    printed = capsys.readouterr().out
    assert "one could not be ranked, and is a miss: ZeroDivisionError" in printed
    assert "FIGURE service_ac1@made-up=0.500" in printed


def test_cases_may_lie_deeper_and_numbers_unpacked(tmp_path, capsys):
    for name in ("first", "second"):
        write(tmp_path / name / "same", LABEL)
    file = tmp_path / "first" / "same" / "metrics.csv"
    file.write_bytes(gzip.decompress(file.with_name("metrics.csv.gz").read_bytes()))
    file.with_name("metrics.csv.gz").unlink()
    assert main([str(tmp_path), "--no-baro"]) == 0
    assert "made-up              2  1.00/1.00/1.00" in capsys.readouterr().out


def test_a_time_has_many_names_and_shapes(tmp_path):
    folder = write(tmp_path / "case", {**LABEL, "inject_time": "1970-01-01T01:40:00Z"})
    before = load(folder)
    packed(
        folder / "metrics.csv.gz",
        "sessions_cpu,timestamp\n7,1970-01-01T01:40:00Z\n5,1970-01-01 01:39:00\n6,5970000\n",
    )
    told = load(folder).tables
    assert before.tables.alert == told.alert == 6000
    assert told.times.tolist() == [5940, 6000, 5970000]
    assert told.values[:, 0].tolist() == [5, 7, 6]
    assert moment(1_700_000_000_123) == pytest.approx(1_700_000_000.123)


def test_a_minute_belongs_to_the_day_that_is_nearest_to_the_alert(tmp_path):
    alert = 1_700_000_000 // 86400 * 86400 + 86400 - 300.0  # five minutes before midnight
    packed(
        tmp_path / "calls.csv.gz",
        "caller,callee,minute,n,parent_ms,child_ms\nshop,sessions,23_50,5,2,1\nshop,sessions,00_05,5,2,1\n",
    )
    calls = read_calls(tmp_path, alert)
    assert (calls.at - alert).tolist() == [-300, 600]


def test_the_call_graph_says_where_a_services_name_ends(tmp_path):
    folder = write(tmp_path / "case", LABEL)
    packed(folder / "metrics.csv.gz", "time,user_db_cpu,shop_cpu\n1,2,3\n")
    (folder / "edges.json").write_text('{"edges": [["shop", "user_db"], ["user", "user_db"]]}')
    assert [one.service for one in load(folder).tables.series] == ["user_db", "shop"]


def test_a_change_without_a_name_or_a_time_is_none(tmp_path):
    (tmp_path / "changes.json").write_text(
        json.dumps(
            {
                "commits": [{"sha": "a", "timestamp": "2024-08-12T15:00:00Z"}, {"sha": "b"}, {"message": "c"}],
                "deploys": [{"commit_sha": "a", "service": "shop"}],
            }
        )
    )
    (change,) = read_changes(tmp_path)
    assert (change.key, change.service, change.deployed) == ("a", "shop", True)
