"""The recording's tables: on the report's clock, with the values as they were."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb

from lab.record_tables import metrics_table, requests_table
from lab.timemap import TimeMap

ALERT = 1_795_506_564.5


def rows(path: Path) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(f"from '{path}'").fetchall()


def columns(path: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        return {row[0]: row[1] for row in connection.execute(f"describe from '{path}'").fetchall()}


def test_metrics_are_one_row_a_sample(tmp_path: Path):
    metric = {"__name__": "process_resident_memory_bytes", "service": "sessions", "instance": "sessions-2.0"}
    found = [{"metric": metric, "values": [[ALERT - 1, "1.0e+08"], [ALERT, "1.04e+08"]]}]
    metrics_table(iter(found), TimeMap(ALERT), tmp_path / "metrics.parquet")
    labels = '{"instance":"sessions-2.0","service":"sessions"}'
    assert rows(tmp_path / "metrics.parquet") == [
        (datetime(2024, 8, 12, 15, 14), "process_resident_memory_bytes", labels, 1.0e8),
        (datetime(2024, 8, 12, 15, 15), "process_resident_memory_bytes", labels, 1.04e8),
    ]
    assert columns(tmp_path / "metrics.parquet") == {
        "at": "TIMESTAMP",
        "name": "VARCHAR",
        "labels": "VARCHAR",
        "value": "DOUBLE",
    }


def test_requests_keep_their_durations_and_those_outside_the_window_are_left_out(tmp_path: Path):
    line = {
        "method": "GET",
        "path": "/",
        "status": 503,
        "request_time": 2.001,
        "upstream_time": "2.001",
        "upstream": "127.0.0.1:1",
        "session": "abc",
    }
    lines = [
        {**line, "at": ALERT - 500},
        {**line, "at": ALERT + 1},
        {**line, "at": ALERT + 2, "upstream_time": "", "status": 499},
    ]
    (tmp_path / "access.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    clock, out = TimeMap(ALERT), tmp_path / "requests.parquet"
    requests_table(tmp_path / "access.jsonl", ALERT - 100, ALERT + 100, clock, out)
    assert rows(out) == [
        (datetime(2024, 8, 12, 15, 16), "GET", "/", 503, 2.001, 2.001, "127.0.0.1:1", "abc"),
        (datetime(2024, 8, 12, 15, 17), "GET", "/", 499, 2.001, None, "127.0.0.1:1", "abc"),
    ]
    assert columns(out)["at"] == "TIMESTAMP"
