"""How long the server works on the pages of prevention with 10,000 guards of 1,000 runs each, and whether the patrol keeps up.

Server time: middleware, view, queries and template, in process, as an administrator who is signed in, on SQLite and PostgreSQL;
the FIGURE lines tell the slower one's median; beside it stands what this process worked for (cpu), which other work on the machine
does not lengthen. The patrol is measured on the same database, with all guards on a real kind
(http_check of a server on this machine) due every 5 minutes: achieved runs a second, and how late runs begin.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

LIMIT = 100  # milliseconds
EVERY = 300  # seconds between two runs of a guard
OPTIONS = {"guards": 10_000, "runs": 1_000, "incidents": 10_000, "reports": 200, "seconds": 60, "times": 15}
COLOURS = {7: "red", 8: "broken"}  # of fifty guards; the rest is green
LOG = 4  # entries of each incident


def main(argv: list[str]) -> int:
    """`python -m bench prevention [--guards N] [--runs N] [--incidents N] [--reports N] [--seconds N] [--sqlite | --postgresql]`."""
    options = {name: _option(argv, name, value) for name, value in OPTIONS.items()}
    if "--inside" in argv:
        print(json.dumps(_inside(**options)))
        return 0
    results = {database: _run(database, argv, url) for database, url in _databases(argv)}
    pages = next(iter(results.values()))["pages"]
    print(
        f"\n{options['guards']:,} guards with {options['runs']:,} runs each\n\n{'page':24}"
        + "".join(f"{name:>36}" for name in results)
    )
    for page in pages:
        print(f"{page:24}" + "".join(_cell(result["pages"][page]) for result in results.values()))
    print()
    for database, result in results.items():
        print(f"patrol on {database}: {result['patrol']['said']}")
    print()
    for figure, page in (("guards_board_ms", "measures board"), ("guards_list_ms", "guards"), ("guard_page_ms", "guard"),
                         ("guards_matrix_ms", "coverage"), ("insights_ms", "insights")):  # fmt: skip
        slower = max(result["pages"][page]["median"] for result in results.values())
        print(f"FIGURE {figure}={slower:.1f} unit=ms against={LIMIT}")
    late = max(result["patrol"]["p99"] for result in results.values())
    rate = min(result["patrol"]["rate"] for result in results.values())
    print(f"FIGURE guard_lateness_p99_s={late:.1f} unit=s")
    print(f"FIGURE guard_runs_per_s={rate:.1f} unit=1/s against={options['guards'] / EVERY:.1f}")
    return 0


def _option(argv: list[str], name: str, default: int) -> int:
    return int(argv[argv.index(f"--{name}") + 1]) if f"--{name}" in argv else default


def _cell(timed: dict[str, float]) -> str:
    return f"{timed['median']:8.1f} ms, p95 {timed['p95']:6.1f} (cpu {timed['cpu']:5.1f})"


def _databases(argv: list[str]) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="unrepeat-prevention-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        if "--postgresql" not in argv:
            yield "sqlite", f"sqlite:///{home}/prevention.db"
            for left in home.glob("prevention.db*"):
                left.unlink()
        if "--sqlite" in argv:
            return
        sys.path.insert(0, str(Path(__file__).parents[1]))
        from tests.support.postgres import PostgresCluster, postgres_binaries

        if postgres_binaries() is None:
            print("PostgreSQL is missing: its column is not measured (apt install postgresql)")
            return
        cluster = PostgresCluster(home / "pg")
        cluster.start()
        try:
            yield "postgresql", cluster.url("unrepeat")
        finally:
            cluster.stop()


def _run(database: str, argv: list[str], url: str) -> dict[str, Any]:
    print(f"{database}: filling and measuring ...", flush=True)
    with tempfile.TemporaryDirectory() as data:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "UNREPEAT_DATA_DIR": data,
            "UNREPEAT_SECRET_KEY": "bench" * 10,
            "UNREPEAT_PRIVATE_ADDRESSES": "127.0.0.1",
            "DJANGO_SETTINGS_MODULE": "unrepeat.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "bench.prevention", "--inside", *argv],
            env=environment, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print("  " + ", ".join(f"{page} {timed['median']:.0f} ms" for page, timed in answer["pages"].items()), flush=True)
    return answer


def _inside(guards: int, runs: int, incidents: int, reports: int, seconds: int, times: int) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from unrepeat.web.models import User

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    with _Server() as address:
        _fill(guards, incidents, reports, address)
        _fill_runs(runs)
        with connection.cursor() as cursor:
            cursor.execute("analyze")
        print(f"  filled in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        client = Client()
        person = User.objects.create_user("ada", role=User.Role.ADMIN)
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        pages: dict[str, Callable[[int], str]] = {
            "measures board": lambda _: "/measures",
            "measures list": lambda i: f"/measures?view=list&page={1 + i * 7}",
            "measures of one": lambda i: f"/measures?owner=owner-{i}",
            "guards": lambda i: f"/guards?page={1 + i * 11}",
            "guards, red": lambda _: "/guards?colour=red",
            "guard": lambda i: f"/guards/guard-{i * 241 % guards}",
            "measure": lambda i: f"/incidents/{1 + i * 241 % incidents}/measures/1",
            "coverage": lambda i: f"/coverage?page={1 + i % 4}",
            "insights": lambda _: "/insights",
        }
        timed = {page: _timed(client, address_of, times) for page, address_of in pages.items()}
        return {"pages": timed, "patrol": _patrol(guards, seconds)}


def _timed(client: Any, address: Callable[[int], str], times: int) -> dict[str, float]:
    taken, worked = [], []
    for i in range(times + 2):
        began, before = time.perf_counter(), time.process_time()
        answer = client.get(address(i))
        took = (time.perf_counter() - began) * 1000
        assert answer.status_code == 200, (address(i), answer.status_code)
        if i > 1:  # the first two warm up
            taken.append(took)
            worked.append((time.process_time() - before) * 1000)
    return {
        "median": statistics.median(taken),
        "cpu": statistics.median(worked),
        "p95": sorted(taken)[int(len(taken) * 0.95)],
    }


# --- what is in it


def _fill(guards: int, incidents: int, reports: int, address: str) -> None:
    """Incidents with a measure each, guards tied to them, proofs of most, published reports, and a night's answers."""
    from unrepeat.incidents.models import Incident, MeasureRow
    from unrepeat.postmortems.models import Postmortem
    from unrepeat.prevention.models import Coverage, Guard, Tie
    from unrepeat.prevention.proving import digest_of

    now = datetime.now(UTC)
    words = (
        ("deploy", "software_defect", "late_detection"),
        ("config_change", "configuration_error", "missing_validation"),
    )

    def opened(i: int) -> datetime:
        return now - timedelta(minutes=100 * i + 10)

    Incident.objects.bulk_create(
        (
            Incident(
                opened_at=opened(i), started_at=opened(i), detected_at=opened(i), resolved_at=opened(i), title=f"Outage {i}", status="resolved",
                severity="major", service=f"service-{i % 50}", services=[f"service-{i % 50}"], is_open=False, last_seq=LOG, last_at=opened(i),
                to_detect=i * 7 % 3600, to_cause=i * 13 % 7200, to_mitigate=i * 17 % 9000, repeat_of=1 if i % 40 == 0 else None,
                causes=[[role, word] for role, word in zip(("trigger", "cause", "factor"), words[i % 2], strict=True)],
            )
            for i in range(incidents)
        ),
        batch_size=500,
    )  # fmt: skip
    numbers = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
    states = ("open", "done", "verified", "verified", "failed")
    MeasureRow.objects.bulk_create(
        (
            MeasureRow(
                incident_id=number, number=1, kind="task", effect="prevent", text=f"What is done about outage {number}", owner=f"owner-{i % 200}",
                due=(now + timedelta(days=i % 60 - 20)).date(), state=states[i % 5], service=f"service-{i % 50}", proposed_at=opened(i),
                done_at=opened(i) if i % 5 else None, verified_at=opened(i) if i % 5 > 1 else None,
                failed_at=opened(i) if i % 5 == 4 else None, guards=1, proven=int(i % 5 > 1),
            )
            for i, number in enumerate(numbers)
        ),
        batch_size=500,
    )  # fmt: skip
    spec = {"url": f"{address}/"}
    digest = digest_of("http_check", spec)
    Guard.objects.bulk_create(
        (
            Guard(
                name=f"guard-{i}", kind="http_check", service=f"service-{i % 50}", spec=spec, digest=digest, every=EVERY, origin="api",
                made_by="ada", made_at=now, changed_at=now, colour=COLOURS.get(i % 50, "green"), turned_at=now, ran_at=now, ran_said="it answers",
                runs=1000, proven_digest=digest if i % 3 else "", proven_at=now if i % 3 else None, flaky=i % 100 == 0, measures=1,
            )
            for i in range(guards)
        ),
        batch_size=500,
    )  # fmt: skip
    keys = list(Guard.objects.order_by("pk").values_list("pk", flat=True))
    Tie.objects.bulk_create(
        (Tie(guard_id=key, incident_id=numbers[i % len(numbers)], measure=1) for i, key in enumerate(keys)),
        batch_size=2000,
    )
    _logs(numbers, keys, digest, now)
    Postmortem.objects.bulk_create(
        (
            Postmortem(
                incident_id=number,
                drafted_at=now,
                published_at=now,
                revision=1,
                headline=f"The day of outage {number}",
                started_at=now,
            )
            for number in numbers[:reports]
        ),
        batch_size=500,
    )
    pairs = [(report, key) for report in Postmortem.objects.values_list("pk", flat=True) for key in keys[:100]]
    outcomes = ("caught", "late", "missed", "broken")
    Coverage.objects.bulk_create(
        (
            Coverage(
                postmortem_id=report, recording=f"outage-{report}", subject=f"guard:{key}", guard_id=key, name=f"guard-{key - keys[0]}",
                outcome=outcomes[(report * 7 + key) % 4], since=now - timedelta(days=9), at=now, lead_minutes=float((report * key) % 50), said="it fires",
            )
            for report, key in pairs
        ),
        batch_size=1000,
    )  # fmt: skip


def _logs(numbers: list[int], keys: list[int], digest: str, now: datetime) -> None:
    """A real log for each incident: it opened, its measure was proposed and done, a guard was tied to it."""
    from unrepeat.incidents import entries as e
    from unrepeat.incidents.codec import encode
    from unrepeat.incidents.models import LogEntry

    def rows() -> Iterator[LogEntry]:
        for i, number in enumerate(numbers):
            entries: tuple[e.Entry, ...] = (
                e.IncidentOpened("The shop is slow", "major", "shop", "UTC", "by_hand"),
                e.MeasureProposed(1, "task", "What is done about it", "owner-1", "2026-01-01", "prevent"),
                e.MeasureDone(1, "it is out"),
                e.GuardTied(1, keys[i % len(keys)], f"guard-{i % len(keys)}", "http_check", digest),
            )
            assert len(entries) == LOG
            for seq, entry in enumerate(entries, 1):
                kind, data = encode(entry)
                yield LogEntry(incident_id=number, seq=seq, kind=kind, at=now, recorded_at=now, by="ada", data=data)

    LogEntry.objects.bulk_create(rows(), batch_size=2000)


def _fill_runs(runs: int) -> None:
    """All runs by one statement, oldest first: one every 5 minutes, the newest a minute ago."""
    from django.db import connection

    series, stamp = {
        "sqlite": (
            "(with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < %(runs)s) select i from n) n",
            "strftime('%%Y-%%m-%%d %%H:%%M:%%S', 'now', '-' || ((%(runs)s - 1 - n.i) * 300 + g.id %% 300 + 60) || ' seconds')",
        ),
        "postgresql": (
            "generate_series(0, %(runs)s - 1) as n(i)",
            "now() - make_interval(secs => (%(runs)s - 1 - n.i) * 300 + g.id %% 300 + 60)",
        ),
    }[connection.vendor]
    colour = (
        "case when (n.i * 7 + g.id) %% 97 = 0 then 'red' when (n.i + g.id) %% 211 = 0 then 'broken' else 'green' end"
    )
    statement = f"""insert into prevention_run (guard_id, guard_digest, side, colour, at, seconds, said, remedy, output, figures, target, ref,
        "where", environment, "by", digest) select g.id, g.digest, 'now', {colour}, {stamp}, 0.05, 'it answers', '', 'HTTP/1.1 200 OK', '{{}}',
        'now', '', 'server', '{{}}', 'unrepeat', g.digest from {series} cross join prevention_guard g"""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("pragma synchronous = off")
            cursor.execute("pragma journal_mode = off")  # what is made here need not survive anything
        cursor.execute(statement.replace("%(runs)s", str(int(runs))).replace("%%", "%"))
        if connection.vendor == "sqlite":
            cursor.execute("pragma journal_mode = wal")
            cursor.execute("pragma synchronous = full")


# --- the patrol


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Well."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing: ten thousand lines help nobody."""


class _Server:
    """A web server of this machine that always answers."""

    def __enter__(self) -> str:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


def _patrol(guards: int, seconds: int) -> dict[str, Any]:
    """Guards fall due evenly, all of them once in `EVERY` seconds; the patrol makes its rounds as the worker does."""
    from django.db import transaction

    from unrepeat.prevention.models import Guard
    from unrepeat.prevention.running import patrol
    from unrepeat.support import clock

    begin = clock.now()
    rows = list(Guard.objects.order_by("pk"))
    due = {}
    for i, guard in enumerate(rows):
        guard.due_at = due[guard.pk] = begin + timedelta(seconds=EVERY * i / guards)
    Guard.objects.bulk_update(rows, ["due_at"], batch_size=500)
    late: list[float] = []
    colours: dict[str, int] = {}
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        made = patrol.run_due()
        for one in made:
            at = one.ran.at or clock.now()
            late.append((at - due[one.guard]).total_seconds())
            due[one.guard] += timedelta(seconds=EVERY)
            colours[one.ran.outcome.colour] = colours.get(one.ran.outcome.colour, 0) + 1
        with transaction.atomic():  # as the worker does
            following = patrol.keep(made)
        wait = (following - clock.now()).total_seconds()
        if wait > 0:
            time.sleep(min(wait, 1.0))
    backlog = sum(at <= clock.now() for at in due.values())
    late.sort()
    p50, p99 = (late[int(len(late) * share)] if late else 0.0 for share in (0.5, 0.99))
    rate = len(late) / seconds
    said = (
        f"{len(late):,} runs in {seconds} s = {rate:.1f}/s (needed {guards / EVERY:.1f}/s), they began {p50:.1f} s (median) and {p99:.1f} s "
        f"(p99) after they were due; {backlog} due at the end; colours {colours}"
    )
    return {"rate": rate, "p50": p50, "p99": p99, "backlog": backlog, "said": said}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
