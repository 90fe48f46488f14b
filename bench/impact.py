"""The full impact question over a generated 1 GB nginx log: ours (ibis on DuckDB), plain DuckDB SQL, Spark, and goaccess.

Every engine runs in a process of its own, in turn; times count from opening the file to the answer (imports and Spark's
start are outside). goaccess cannot answer the question (no users by cookie, no step): it only counts, and stands for the
tool that people have at hand.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BEGIN = datetime(2024, 8, 12, 10, 0, tzinfo=UTC)
MINUTES = 585
OUTAGE = (BEGIN + timedelta(minutes=315), BEGIN + timedelta(minutes=480))
SLOW = 0.5  # seconds
ROWS_A_GB = 5_700_000

GENERATE = """
copy (
  select round(epoch(timestamp '2024-08-12 10:00:00') + i * {seconds} / {rows} + random() * 2, 3) as at,
         case when kind >= 8 then 'POST' else 'GET' end as method,
         case when kind >= 9 then '/pay' when kind >= 8 then '/checkout' when kind >= 6 then '/cart'
              else '/product/' || (hash(i) % 5000)::varchar end as path,
         case when bad and r < 0.06 then 503 else 200 end as status,
         round(case when bad and r2 < 0.25 then 0.5 + r * 1.5 else 0.001 + r * 0.02 end, 3) as request_time,
         '0.010' as upstream_time, '127.0.0.1:8001' as upstream,
         'session-' || lpad((i // 90 * 10 + hash(i * 10 + 7) % 10)::varchar, 12, '0') as session
  from (
    select i, hash(i * 10 + 1) % 10 as kind, (hash(i * 10 + 2) % 1000000) / 1e6 as r, (hash(i * 10 + 3) % 1000000) / 1e6 as r2,
           i between {rows}::bigint * 315 // 585 and {rows}::bigint * 480 // 585 as bad
    from range({rows}) t(i))
) to '{file}' (format json)
"""

PLAIN = """
create temp table log as
  select "at", method, path, status, request_time as seconds, coalesce(session, '') as session
  from read_json('{file}', format = 'newline_delimited', ignore_errors = true, maximum_object_size = 16777216,
    columns = {{'at': 'DOUBLE', method: 'VARCHAR', path: 'VARCHAR', status: 'BIGINT', request_time: 'DOUBLE', session: 'VARCHAR'}});
create temp view marked as
  select "at", session, seconds, "at" < {end} as inside, seconds > {slow} as slow, status >= 500 as failed,
         path like '/checkout' as attempt, path like '/pay' and status < 400 as success
  from log where "at" >= {start} and "at" < {end} + 300;
"""
TOTALS = """
select count(*) filter (session <> '' and here) as users, count(*) filter (session <> '' and slowed) as slowed,
       count(*) filter (session <> '' and met_error) as met_error, count(*) filter (session <> '' and tried) as tried,
       count(*) filter (session <> '' and tried and not won) as lost, sum(requests) as requests, sum(failed) as failed
from (select session, bool_or(inside) as here, bool_or(inside and slow) as slowed, bool_or(inside and failed) as met_error,
             bool_or(inside and attempt) as tried, bool_or(success) as won, count(*) filter (inside) as requests,
             count(*) filter (inside and failed) as failed
      from marked group by session)
"""
STRETCHES = """
with won as (select session, bool_or(success) as won from marked group by session),
requests as (select floor("at" / 60)::bigint as stretch, count(*) as requests, count(*) filter (failed) as failed,
                    quantile_cont(seconds, 0.5) as p50, quantile_cont(seconds, 0.95) as p95, quantile_cont(seconds, 0.99) as p99
             from marked where inside group by 1),
people as (select stretch, count(*) as users, count(*) filter (slowed) as slowed, count(*) filter (tried) as attempts,
                  count(*) filter (tried and not won) as lost
           from (select floor("at" / 60)::bigint as stretch, session, bool_or(slow) as slowed, bool_or(attempt) as tried
                 from marked where inside and session <> '' group by 1, 2) join won using (session) group by 1)
select * from requests join people using (stretch) order by stretch
"""


def _duckdb_plain(file: Path) -> dict[str, Any]:
    import duckdb

    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    began = time.perf_counter()
    con.execute(PLAIN.format(file=file, start=OUTAGE[0].timestamp(), end=OUTAGE[1].timestamp(), slow=SLOW))
    sums = con.execute(TOTALS).fetchdf().iloc[0].to_dict()
    stretches = con.execute(STRETCHES).fetchdf().to_dict("records")
    seconds = time.perf_counter() - began
    names = ("requests", "failed", "users", "slowed", "attempts", "lost")
    return {
        "seconds": seconds,
        "totals": {name: int(value) for name, value in sums.items()},
        "buckets": [
            [int(row[n]) for n in names] + [round(row[p], 5) for p in ("p50", "p95", "p99")] for row in stretches
        ],
    }


def _ours(file: Path) -> dict[str, Any]:
    from unrepeat.investigation.impact import measure
    from unrepeat.investigation.telemetry import requests

    con = requests.duckdb()
    began = time.perf_counter()
    impact = measure(requests.nginx_json(con, [file]), _question())
    return _told(impact, time.perf_counter() - began)


def _spark(file: Path) -> dict[str, Any]:
    import ibis
    from pyspark.sql import SparkSession

    from unrepeat.investigation.impact import measure
    from unrepeat.investigation.telemetry import requests

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.memory", "4g")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    con = ibis.pyspark.connect(session)
    began = time.perf_counter()
    schema = "at DOUBLE, method STRING, path STRING, status BIGINT, request_time DOUBLE, session STRING"
    session.read.schema(schema).json(str(file)).createOrReplaceTempView("requests")
    impact = measure(requests.of_table(con, "requests", requests.NGINX_JSON), _question())
    return _told(impact, time.perf_counter() - began)


def _goaccess(file: Path) -> dict[str, Any]:
    began = time.perf_counter()
    form = '{"at":"%x.%^","method":"%m","path":"%U","status":"%s","request_time":"%T","session":"%h"}'
    command = ["goaccess", str(file), f"--log-format={form}", "--datetime-format=%s", "--date-format=%s", "--time-format=%s",
               "--no-global-config", "--no-ip-validation", "--hour-spec=min", "--ignore-panel=REFERRERS", "--no-progress", "-o", str(file.with_suffix(".report.json"))]  # fmt: skip
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    report = file.with_suffix(".report.json")
    hits = (
        json.loads(report.read_text())["general"]["valid_requests"] if report.exists() and report.stat().st_size else 0
    )
    return {"seconds": seconds, "requests_counted": hits, "said": done.stderr[-300:]}


ENGINES = {"duckdb": _duckdb_plain, "ours": _ours, "spark": _spark, "goaccess": _goaccess}


def main(argv: list[str]) -> int:
    """`python -m bench impact [--gb 1.0] [--rounds 3] [--no-spark]`."""
    if argv[:1] == ["--engine"]:
        print(json.dumps(ENGINES[argv[1]](Path(argv[2]))))
        return 0
    gb = float(argv[argv.index("--gb") + 1]) if "--gb" in argv else 1.0
    rounds = int(argv[argv.index("--rounds") + 1]) if "--rounds" in argv else 3
    with tempfile.TemporaryDirectory(prefix="unrepeat-impact-") as folder:
        file = Path(folder) / "access.json"
        _generate(file, int(ROWS_A_GB * gb))
        print(f"log: {file.stat().st_size / 1e9:.2f} GB, {int(ROWS_A_GB * gb):,} requests in {MINUTES} minutes")
        runs: dict[str, list[dict[str, Any]]] = {"duckdb": [], "ours": []}
        for _ in range(rounds):
            for engine, answers in runs.items():
                answers.append(_run(engine, file))
        if shutil.which("goaccess"):
            runs["goaccess"] = [_run("goaccess", file)]
        else:
            print("goaccess is missing: its row is not measured (apt install goaccess)")
        if "--no-spark" not in argv and shutil.which("java"):
            runs["spark"] = [_run("spark", file)]
        elif "--no-spark" not in argv:
            print("java is missing: Spark is not measured (apt install default-jre-headless)")
    return _tell(runs)


def _tell(runs: dict[str, list[dict[str, Any]]]) -> int:
    print(f"\n{'engine':10} {'median s':>9} {'peak MB':>8}  answer")
    for engine, answers in runs.items():
        seconds = statistics.median(answer["seconds"] for answer in answers)
        totals = answers[0].get("totals")
        said = (
            f"{totals['slowed']:,} of {totals['users']:,} users slowed, {totals['lost']:,} of {totals['tried']:,} checkouts lost"
            if totals
            else (f"counts {answers[0].get('requests_counted', 0):,} requests")
        )
        print(f"{engine:10} {seconds:9.2f} {max(answer['peak_mb'] for answer in answers):8.0f}  {said}")
    ratios = [ours["seconds"] / plain["seconds"] for ours, plain in zip(runs["ours"], runs["duckdb"], strict=True)]
    equal = (
        runs["ours"][0]["totals"] == runs["duckdb"][0]["totals"]
        and runs["ours"][0]["buckets"] == runs["duckdb"][0]["buckets"]
    )
    print()
    print(f"FIGURE impact_vs_duckdb={statistics.median(ratios):.3f} unit=ratio against=plain-duckdb-sql")
    print(
        f"FIGURE impact_peak_mb={max(run['peak_mb'] for run in runs['ours']):.0f} unit=MB against={max(run['peak_mb'] for run in runs['duckdb']):.0f}-plain-duckdb"
    )
    if "goaccess" in runs:
        ours = statistics.median(run["seconds"] for run in runs["ours"])
        print(f"FIGURE impact_vs_goaccess={ours / runs['goaccess'][0]['seconds']:.4f} unit=ratio against=goaccess")
    if "spark" in runs:
        same = _close(runs["spark"][0], runs["ours"][0])
        print(f"FIGURE impact_spark_equal={int(same)} unit=boolean against=duckdb")
        equal = equal and same
    print(f"FIGURE impact_values_equal={int(equal)} unit=boolean against=plain-duckdb-sql")
    return 0 if equal else 1


def _close(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Counts are equal; quantiles agree to a hundredth of a millisecond."""
    pairs = zip(one["buckets"], other["buckets"], strict=True)
    return one["totals"] == other["totals"] and all(
        a[:6] == b[:6] and all(abs(x - y) < 1e-5 + 1e-9 for x, y in zip(a[6:], b[6:], strict=True)) for a, b in pairs
    )


def _run(engine: str, file: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.impact", "--engine", engine, str(file)]
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", _PEAK, *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{engine} failed: {done.stderr[-1500:]}")
    *_, answer, peak = done.stdout.strip().splitlines()
    return {**json.loads(answer), "peak_mb": float(peak) / 1024}


_PEAK = (
    "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode; "
    "sys.stdout.flush(); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(code)"
)
"""Runs a command and prints the peak resident size of the largest process below it (kB)."""


def _question() -> Any:
    from unrepeat.investigation.impact import Question, Step

    return Question(
        *OUTAGE, slow_seconds=SLOW, slow_source="benchmark", step=Step("checkout", ("/checkout",), ("/pay",))
    )


def _told(impact: Any, seconds: float) -> dict[str, Any]:
    lost = impact.attempts_lost
    return {
        "seconds": seconds,
        "totals": {
            "users": impact.users_slowed.denominator,
            "slowed": impact.users_slowed.numerator,
            "met_error": impact.users_failed.numerator,
            "tried": lost.denominator,
            "lost": lost.numerator,
            "requests": impact.requests_failed.denominator,
            "failed": impact.requests_failed.numerator,
        },
        "buckets": [
            [
                b.requests,
                b.failed,
                b.users,
                b.slowed,
                b.attempts,
                b.lost,
                round(b.p50, 5),
                round(b.p95, 5),
                round(b.p99, 5),
            ]
            for b in impact.buckets
        ],
    }


def _generate(file: Path, rows: int) -> None:
    import duckdb

    duckdb.connect().execute(GENERATE.format(rows=rows, seconds=MINUTES * 60, file=file))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
