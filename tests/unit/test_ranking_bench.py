"""The benchmark is fair: a label gives the ranking its alert time and nothing else, and absent files are absent."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bench._rca_cases import alert_time, case_folders, load
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
