"""The recording's two large parts, as parquet: metrics from Prometheus, requests from nginx's log."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import httpx

from lab.timemap import TimeMap

USEFUL = re.compile(r"^(process_|sessions_|shop_|nginx_|service_|ALERTS$|up$|python_gc_|pg_(up|stat_|locks|database_))")
USELESS = re.compile(r"_created$|^pg_stat_(bgwriter|archiver|replication)|^nginxexporter_|process_virtual_memory_max")


def series(url: str, start: float, end: float) -> Iterator[dict[str, Any]]:
    """All useful series of a run, at each second of the lab from `start`."""
    with httpx.Client(base_url=url, timeout=60.0, trust_env=False) as http:
        names = http.get("/api/v1/label/__name__/values").raise_for_status().json()["data"]
        for name in names:
            if USEFUL.search(name) and not USELESS.search(name):
                window = {"query": name, "start": start, "end": end, "step": 1}
                answer = http.get("/api/v1/query_range", params=window).raise_for_status()
                yield from answer.json()["data"]["result"]


def metrics_table(found: Iterator[dict[str, Any]], clock: TimeMap, out: Path) -> None:
    """Write them as rows of at, name, labels, value."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        with rows.open("w") as lines:
            for one in found:
                lines.writelines(_rows(one, clock))
        query = f"""
            select "at"::timestamp as "at", name, labels, value
            from read_json('{rows}', format = 'newline_delimited',
                columns = {{'at': 'VARCHAR', 'name': 'VARCHAR', 'labels': 'VARCHAR', 'value': 'DOUBLE'}})
            order by name, labels, "at"
            """
        _parquet(query, out)


def requests_table(log: Path, start: float, end: float, clock: TimeMap, out: Path) -> None:
    """Write nginx's log as one row a request; its times on the report's clock, its durations as they were."""
    moment = f'to_timestamp({clock.anchor.timestamp()} + ("at" - {clock.real}) * {clock.factor})'
    query = f"""
        select timezone('UTC', {moment}) as "at", method, path, status, request_time,
            try_cast(upstream_time as double) as upstream_time, upstream, session
        from read_json('{log}', format = 'newline_delimited', columns = {{'at': 'DOUBLE', 'method': 'VARCHAR',
            'path': 'VARCHAR', 'status': 'INTEGER', 'request_time': 'DOUBLE', 'upstream_time': 'VARCHAR',
            'upstream': 'VARCHAR', 'session': 'VARCHAR'}})
        where "at" between {start} and {end}
        order by "at"
        """
    _parquet(query, out)


def _rows(one: dict[str, Any], clock: TimeMap) -> Iterator[str]:
    metric = dict(one["metric"])
    name = metric.pop("__name__", "")
    labels = json.dumps(metric, sort_keys=True, separators=(",", ":"))
    for at, value in one["values"]:
        row = {"at": clock.moment(at).strftime("%Y-%m-%d %H:%M:%S.%f"), "name": name, "labels": labels}
        yield json.dumps({**row, "value": value}) + "\n"


def _parquet(query: str, out: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute(f"copy ({query}) to '{out}' (format parquet, compression zstd, compression_level 12)")
