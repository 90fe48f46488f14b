"""Fills the database of the prevention benchmark, in a process of its own: `bench prevention` starts it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import django

from bench import _prevention_filled as filled
from bench import _prevention_runs as runs
from unrepeat.support.config import config


def main(argv: list[str]) -> None:
    """`GUARDS RUNS INCIDENTS REPORTS PORT`; prints seconds, rows and bytes as JSON."""
    guards, each, incidents, reports, port = map(int, argv)
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    filled.fill(guards, incidents, reports, port)
    print(f"  everything but the runs in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    runs.fill(each)
    with connection.cursor() as cursor:
        cursor.execute("vacuum analyze" if connection.vendor == "postgresql" else "analyze")
        cursor.execute("select count(*) from prevention_run")
        rows = cursor.fetchone()[0]
        if connection.vendor == "postgresql":
            cursor.execute("checkpoint")
            cursor.execute("select pg_database_size(current_database()), pg_total_relation_size('prevention_run')")
            size, of_runs = cursor.fetchone()
        else:
            size, of_runs = Path(config().database_url.removeprefix("sqlite:///")).stat().st_size, 0
    print(
        json.dumps(
            {
                "seconds": time.perf_counter() - began,
                "runs": rows,
                "bytes": size,
                "bytes_of_runs": of_runs,
                "port": port,
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1:])
