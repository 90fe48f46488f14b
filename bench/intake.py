"""Durable alerts a second through the real server, its worker running, against Alertmanager in memory in the same run.

Rounds take turns: Alertmanager (started anew each round), Unrepeat on SQLite (synchronous=FULL), Unrepeat on PostgreSQL
(fsync on). After each round it waits until every accepted alert can be read as an alert. At the end the server is killed with
-9 in the middle of sending, several times, and what was answered 2xx is looked for in the table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench._intake_kills import lost_over_kills
from tests.support.postgres import PostgresCluster, free_port, postgres_binaries
from tests.support.served import Served, until

LUA = Path(__file__).with_name("intake_alerts.lua")
CONNECTIONS = 64
READABLE_WITHIN = 180  # seconds
ALERTMANAGER = """
route: {receiver: nobody, group_by: [alertname], group_wait: 30s, group_interval: 5m, repeat_interval: 4h}
receivers: [{name: nobody}]
"""


@dataclass(slots=True)
class Round:
    """What one round of sending measured. `readable` and `sending` are seconds from the first request."""

    alerts_a_second: float
    p99_ms: float
    refused: int
    sending: float
    accepted: int
    readable: float = 0.0
    missing: int = 0


@dataclass(slots=True)
class Row:
    """The rounds of one server at one batch size."""

    rounds: list[Round] = field(default_factory=list)

    def median(self, of: Callable[[Round], float]) -> float:
        """The median over the rounds."""
        return statistics.median(of(r) for r in self.rounds)


def main(argv: list[str]) -> int:
    """Run the benchmark; exit status 1 when something is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench intake", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--batches", default="1,10,100")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--kills", type=int, default=3)
    options = parser.parse_args(argv)
    alertmanager = shutil.which("alertmanager") or shutil.which("prometheus-alertmanager")
    databases = options.databases.split(",")
    missing = [
        name
        for name, there in (
            ("wrk", shutil.which("wrk")),
            ("alertmanager", alertmanager),
            ("PostgreSQL's own programs (initdb, postgres)", "postgresql" not in databases or postgres_binaries()),
        )
        if not there
    ]
    if missing or alertmanager is None:
        print(f"Missing here: {', '.join(missing)}. Install them and run this again; nothing was measured.")
        return 1
    with tempfile.TemporaryDirectory(prefix="unrepeat-bench-") as home:
        return _run(options, databases, alertmanager, Path(home))


def _run(options: argparse.Namespace, databases: list[str], alertmanager: str, home: Path) -> int:
    batches = [int(batch) for batch in options.batches.split(",")]
    rows: dict[tuple[str, int], Row] = {}
    lost: dict[str, int] = {}
    cluster = PostgresCluster(home / "pg", durable=True) if "postgresql" in databases else None
    if cluster:
        cluster.start()
    try:
        for batch in batches:
            servers = {name: _Ours(home / f"{name}-{batch}", name, cluster, batch) for name in databases}
            for number in range(options.rounds):
                mark = f"{batch % 251:02x}{number:02x}"
                rows.setdefault(("alertmanager", batch), Row()).rounds.append(
                    _alertmanager(alertmanager, home / f"am-{batch}-{number}", batch, options.seconds, mark)
                )
                for name, ours in servers.items():
                    rows.setdefault((name, batch), Row()).rounds.append(ours.round(batch, options.seconds, mark))
            for ours in servers.values():
                ours.end()
        for name in databases:
            ours = _Ours(home / f"{name}-kills", name, cluster, 0)
            ours.let(signal.SIGCONT)
            lost[name] = lost_over_kills(ours.served, ours.path, ours.holds, kills=options.kills)
            ours.end()
    finally:
        if cluster:
            cluster.stop()
    _table(batches, databases, rows, lost)
    _figures(batches, databases, rows, lost)
    return 0


class _Ours:
    """One Unrepeat server on an empty database."""

    def __init__(self, home: Path, name: str, cluster: PostgresCluster | None, batch: int) -> None:
        home.mkdir(parents=True)
        self._url = f"sqlite:///{home}/unrepeat.db"
        self._file = home / "unrepeat.db"
        self._connection: Any = None
        if name == "postgresql":
            assert cluster is not None
            database = f"intake_{batch}"
            _create_database(cluster, database)
            self._url = cluster.url(database)
        self._name = name
        self.served = Served(home, self._url)
        self.served.command("migrate")
        self.path = self.served.add_source("alertmanager")
        self.served.start()
        self.let(signal.SIGSTOP)

    def round(self, batch: int, seconds: int, mark: str) -> Round:
        """Send for some seconds, then wait until all is readable. Between rounds it stands still, and takes nothing from the others."""
        self.let(signal.SIGCONT)
        before = self._one("select count(*) from arrivals_alert")
        began = time.monotonic()
        result = _wrk(self.served.port, "webhook", self.path, batch, seconds, mark)
        until(lambda: self._waiting() == 0, READABLE_WITHIN, "all deliveries are read")
        result.readable = time.monotonic() - began
        there = self._one("select count(*) from arrivals_alert") - before
        result.missing = max(0, result.accepted - there)
        unreadable = self._one("select count(*) from arrivals_delivery where state = 2")
        if unreadable:
            raise RuntimeError(f"{unreadable} deliveries could not be read")
        self.let(signal.SIGSTOP)
        return result

    def holds(self, keys: list[str]) -> set[str]:
        """Which of these fingerprints are in the table of alerts, once all deliveries are read."""
        until(lambda: self._waiting() == 0, READABLE_WITHIN, "all deliveries are read")
        found: set[str] = set()
        for start in range(0, len(keys), 500):
            some = ",".join(f"'{key}'" for key in keys[start : start + 500])
            found.update(key for (key,) in self._query(f"select key from arrivals_alert where key in ({some})"))
        return found

    def end(self) -> None:
        """End the server at once, whatever it still has to do."""
        if self._connection is not None:
            self._connection.close()
        self.served.kill()

    def let(self, go: signal.Signals) -> None:
        """Let the server and all its processes stand still (SIGSTOP) or go on (SIGCONT)."""
        assert self.served.process is not None
        os.killpg(self.served.process.pid, go)

    def _waiting(self) -> int:
        return self._one("select count(*) from (select 1 from arrivals_delivery where state = 0 limit 1) w")

    def _one(self, query: str) -> int:
        return int(self._query(query)[0][0])

    def _query(self, query: str) -> list[Any]:
        if self._connection is None:
            if self._name == "sqlite":
                self._connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, isolation_level=None)
            else:
                import psycopg

                self._connection = psycopg.connect(self._url, autocommit=True)
        return list(self._connection.execute(query).fetchall())


def _create_database(cluster: PostgresCluster, name: str) -> None:
    import psycopg

    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}")


def _alertmanager(program: str, home: Path, batch: int, seconds: int, mark: str) -> Round:
    home.mkdir()
    (home / "alertmanager.yml").write_text(ALERTMANAGER)
    port = free_port()
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={home}/alertmanager.yml",
                f"--storage.path={home}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
                "--log.level=error",
            ],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        until(lambda: _is_up(port), 20, "Alertmanager answers")
        return _wrk(port, "api", "/api/v2/alerts", batch, seconds, mark)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _is_up(port: int) -> bool:
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=1) as answer:
            return int(answer.status) == 200
    except (OSError, urllib.error.URLError):
        return False


def _wrk(port: int, shape: str, path: str, batch: int, seconds: int, mark: str) -> Round:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "-s", str(LUA)]
    command += [f"http://127.0.0.1:{port}", "--", shape, path, str(batch), mark]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    line = next(line for line in done.stdout.splitlines() if line.startswith("RESULT "))
    requests, micros, refused, broken, p99 = (int(float(word)) for word in line.split()[1:])
    if broken:
        raise RuntimeError(f"wrk met {broken} broken connections:\n{done.stdout}")
    sending = micros / 1e6
    accepted = (requests - refused) * batch
    return Round(accepted / sending, p99 / 1000, refused, sending, accepted)


def _table(batches: list[int], databases: list[str], rows: dict[tuple[str, int], Row], lost: dict[str, int]) -> None:
    print(
        f"\n{'server':14}{'batch':>6}{'alerts/s':>11}{'ratio':>8}{'p99 ms':>9}{'sending s':>11}{'readable s':>12}{'503':>6}"
    )
    for batch in batches:
        reference = rows["alertmanager", batch].median(lambda r: r.alerts_a_second)
        for name in ("alertmanager", *databases):
            row = rows[name, batch]
            speed = row.median(lambda r: r.alerts_a_second)
            readable = f"{row.median(lambda r: r.readable):12.2f}" if name != "alertmanager" else f"{'-':>12}"
            print(
                f"{name:14}{batch:>6}{speed:>11,.0f}{speed / reference:>8.2f}{row.median(lambda r: r.p99_ms):>9.1f}"
                f"{row.median(lambda r: r.sending):>11.2f}{readable}{sum(r.refused for r in row.rounds):>6}"
            )
    for name, count in lost.items():
        print(f"{name}: {count} accepted alerts lost over the kills")
    print()


def _figures(batches: list[int], databases: list[str], rows: dict[tuple[str, int], Row], lost: dict[str, int]) -> None:
    for name in databases:
        prefix = "pg_" if name == "postgresql" else ""
        worst = 0.0
        missing = lost[name]
        for batch in batches:
            ours, theirs = rows[name, batch], rows["alertmanager", batch]
            ratio = ours.median(lambda r: r.alerts_a_second) / theirs.median(lambda r: r.alerts_a_second)
            print(f"FIGURE {prefix}intake_ratio_{batch}={ratio:.2f} unit=ratio against=alertmanager-in-memory")
            worst = max(worst, ours.median(lambda r: r.readable / r.sending))
            missing += sum(r.missing for r in ours.rounds)
        print(f"FIGURE {prefix}intake_lost={missing} unit=alerts against=accepted")
        print(f"FIGURE {prefix}intake_readable_ratio={worst:.2f} unit=ratio against=sending-time")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
