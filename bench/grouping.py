"""How many alerts a second become part of an incident: a storm of 10,000 alerts of one service, then all of them resolve.

Runs on a SQLite file (synchronous=FULL) and on a PostgreSQL of its own (fsync on), in the batches that the worker takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ALERTS = 10_000
NEEDED = 2_000  # alerts a second
START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)


def main(argv: list[str]) -> int:
    """Run the benchmark; exit status 1 when grouping is too slow or makes more than one incident."""
    parser = argparse.ArgumentParser(prog="python -m bench grouping", description=__doc__)
    parser.add_argument("--batch", type=int, default=0, help="alerts grouped together; default: as the worker does")
    parser.add_argument("--here", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.here:
        return _storm(options.batch, options.here)
    from tests.support.postgres import PostgresCluster, postgres_binaries

    with tempfile.TemporaryDirectory(prefix="unrepeat-bench-") as folder:
        status = _run(f"sqlite:///{folder}/bench.db", folder, options.batch, "")
        if postgres_binaries() is None:
            print("PostgreSQL is not installed: its figures are missing.")
            return 1
        cluster = PostgresCluster(Path(folder) / "pg", durable=True)
        cluster.start()
        try:
            return _run(cluster.url("unrepeat"), folder, options.batch, "pg_") or status
        finally:
            cluster.stop()


def _run(url: str, folder: str, batch: int, prefix: str) -> int:
    """One database, in a process of its own: settings are read once a process."""
    environment = os.environ | {"DATABASE_URL": url, "UNREPEAT_DATA_DIR": folder, "UNREPEAT_LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "bench", "grouping", "--here", prefix or "-", "--batch", str(batch)]
    return subprocess.run(command, env=environment, check=False).returncode


def _storm(batch: int, prefix: str) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "unrepeat.settings"
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from unrepeat.incidents import commands
    from unrepeat.incidents.models import Incident
    from unrepeat.worker import GROUPED_TOGETHER

    prefix, batch = prefix.strip("-"), batch or GROUPED_TOGETHER
    alerts = _fire()
    firing = _grouped(batch)
    alerts.update(ends_at=START + timedelta(minutes=5), news=True)
    resolving = _grouped(batch)
    incidents, wrong = commands.rebuild()
    row = Incident.objects.get()
    whole = incidents == 1 and not wrong and row.last_seq == 2 * ALERTS + 1 and row.open_alerts == 0
    name = "postgresql" if prefix else "sqlite"
    print(f"{name:12} firing {firing:8,.0f} a second, resolving {resolving:8,.0f} a second, in batches of {batch}")
    print(f"FIGURE {prefix}grouped_per_s={min(firing, resolving):.0f} unit=alerts/s against=at_least_{NEEDED}")
    print(f"FIGURE {prefix}grouped_incidents={incidents} unit=incidents against=1")
    return 0 if whole and min(firing, resolving) >= NEEDED else 1


def _fire() -> Any:
    from unrepeat.arrivals.models import Alert, Source
    from unrepeat.arrivals.occurrences import place

    source = Source.objects.create(name="prometheus", kind="alertmanager", made_at=START)
    Alert.objects.bulk_create(
        Alert(
            source=source,
            key=f"storm-{n}",
            **place(source.pk, f"storm-{n}", START + timedelta(milliseconds=n)),
            name="PodDown",
            service="sessions",
            severity="critical",
            summary=f"Pod sessions-{n} has been down for more than five minutes",
            labels={"service": "sessions", "pod": f"sessions-{n}"},
            starts_at=START + timedelta(milliseconds=n),
            first_seen_at=START,
            last_seen_at=START,
        )
        for n in range(ALERTS)
    )
    return Alert.objects.all()


def _grouped(batch: int) -> float:
    """Alerts a second, until there are no more news."""
    from unrepeat.incidents.jobs import group_news

    began, seen = time.perf_counter(), 0
    while done := group_news(batch):
        seen += done
    return seen / (time.perf_counter() - began)
