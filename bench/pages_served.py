"""How long the server works on a page, with 10,000 incidents, 1,000,000 entries and 10,000 published reports.

Server time: middleware, view, queries, fold and template, in process, as an administrator who is signed in. Both databases;
the FIGURE lines tell the slower one's median. The logs are real ones: made of entries, folded into their summary rows.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
LIMITS = {"incident_page_ms": 50, "library_search_ms": 50}
WORDS = ["memory", "leak", "session", "checkout", "database", "certificate", "expired", "disk", "full", "deploy", "rollback", "cache", "queue",
         "timeout", "retry", "storm", "quota", "dns", "pool", "exhausted", "payment", "search", "index", "replica", "lag", "config", "flag"]  # fmt: skip


def main(argv: list[str]) -> int:
    """`python -m bench pages_served [--incidents 10000] [--entries 100] [--reports 10000]`."""
    options = {"incidents": 10_000, "entries": 100, "reports": 10_000}
    for name in options:
        if f"--{name}" in argv:
            options[name] = int(argv[argv.index(f"--{name}") + 1])
    if "--inside" in argv:
        print(json.dumps(_inside(**options)))
        return 0
    results = {database: _run(database, argv, url) for database, url in _databases()}
    print(f"\n{'page':24}" + "".join(f"{name:>26}" for name in results))
    for page in next(iter(results.values())):
        print(
            f"{page:24}" + "".join(f"{r[page]['median']:12.1f} ms, p95 {r[page]['p95']:5.1f}" for r in results.values())
        )
    print()
    for figure, page in (("incident_page_ms", "incident"), ("library_search_ms", "library search")):
        slower = max(result[page]["median"] for result in results.values())
        print(f"FIGURE {figure}={slower:.1f} unit=ms against={LIMITS[figure]}")
    return 0


def _databases() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="unrepeat-pages-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        yield "sqlite", f"sqlite:///{home}/pages.db"
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


def _run(database: str, argv: list[str], url: str) -> dict[str, dict[str, float]]:
    print(f"{database}: filling and measuring ...", flush=True)
    with tempfile.TemporaryDirectory() as data:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "UNREPEAT_DATA_DIR": data,
            "UNREPEAT_SECRET_KEY": "bench" * 10,
            "DJANGO_SETTINGS_MODULE": "unrepeat.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", "bench.pages_served", "--inside", *argv],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    answer: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _inside(incidents: int, entries: int, reports: int) -> dict[str, dict[str, float]]:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    from unrepeat.web.models import User

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    _fill_incidents(incidents, entries)
    _fill_reports(min(reports, incidents))
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    print(f"  filled in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    client = Client()
    client.force_login(
        User.objects.create_user("ada", role=User.Role.ADMIN), backend="django.contrib.auth.backends.ModelBackend"
    )
    pages: dict[str, Callable[[int], str]] = {
        "now": lambda _: "/",
        "incidents": lambda i: f"/incidents?page={1 + i % 100}",
        "incident": lambda i: f"/incidents/{1 + i * 241 % incidents}",
        "library": lambda i: f"/postmortems?page={1 + i % 50}",
        "library search": lambda i: f"/postmortems?text={WORDS[i % len(WORDS)]}+{WORDS[(i * 7 + 3) % len(WORDS)]}",
        "postmortem": lambda i: f"/postmortems/{1 + i * 241 % min(reports, incidents)}",
        "services": lambda _: "/services",
    }
    return {page: _timed(client, address) for page, address in pages.items()}


def _timed(client: Any, address: Callable[[int], str], rounds: int = 60) -> dict[str, float]:
    times = []
    for i in range(rounds + 5):
        began = time.perf_counter()
        answer = client.get(address(i))
        took = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            raise SystemExit(f"{address(i)} answered {answer.status_code}")
        if i >= 5:  # the first ones compile templates
            times.append(took)
    return {"median": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}


def _title(number: int) -> str:
    return " ".join(WORDS[(number * k + k) % len(WORDS)] for k in (1, 3, 5, 7)) + f" on service-{number % 40}"


def _said(number: int) -> str:
    """Words of its own: some that many reports share, most that few do."""
    chosen = random.Random(number)
    return " ".join([*chosen.sample(WORDS, 4), *(f"part{chosen.randrange(3000)}" for _ in range(40))])


def _log(number: int, entries: int) -> list[Any]:
    """A whole outage: fired, people at work, resolved; as many entries as asked for."""
    from unrepeat.incidents import entries as e
    from unrepeat.incidents.entries import Logged

    start = FIRST + timedelta(hours=number * 2)
    service = f"service-{number % 40}"
    title = _title(number)
    story: list[tuple[str, e.Entry]] = [
        ("unrepeat", e.IncidentOpened(title, "critical", service, "UTC", "new")),
        (
            "alertmanager",
            e.AlertFired(number, "High memory usage", service, "critical", title, "alertmanager", "", "opened it"),
        ),
        ("Ben", e.Acknowledged()),
        ("Ada", e.RoleHanded("lead", "Ada")),
        ("unrepeat", e.ChangeNoticed(number, "deploy", "succeeded", service, "2.0", "1.4", "session tracking", "Dana")),
        ("Ada", e.SuspectRaised("database", "service", "It was the database last time.")),
        ("Ada", e.SuspectCleared("database", "service", "Queries take 3 ms, as ever.")),
        ("Ada", e.SuspectConvicted(service, "service", "Memory grows with each request since 2.0.")),
    ]
    story += [
        ("Ben", e.NoteWritten(f"Looked at {WORDS[i % len(WORDS)]}: nothing new after {i} minutes."))
        for i in range(entries - len(story) - 4)
    ]
    story += [
        ("Ada", e.Mitigated("2.0.1 deployed")),
        ("alertmanager", e.AlertResolved(number, "High memory usage")),
        ("Ada", e.Resolved("All is well.")),
        ("Ada", e.MeasureProposed(1, "task", "Watch memory", "Ben", "2024-09-01")),
    ]
    return [
        Logged(seq, start + timedelta(minutes=seq), start + timedelta(minutes=seq), by, entry)
        for seq, (by, entry) in enumerate(story, start=1)
    ]


def _fill_incidents(count: int, entries: int) -> None:
    from unrepeat.incidents import store
    from unrepeat.incidents.codec import encode
    from unrepeat.incidents.fold import fold
    from unrepeat.incidents.models import Incident, LogEntry

    for first in range(1, count + 1, 500):
        rows, log_rows = [], []
        for number in range(first, min(first + 500, count + 1)):
            log = _log(number, entries)
            rows.append(Incident(pk=number, **store.summary(fold(log))))
            for one in log:
                kind, data = encode(one.entry)
                log_rows.append(
                    LogEntry(
                        incident_id=number,
                        seq=one.seq,
                        kind=kind,
                        at=one.at,
                        recorded_at=one.recorded_at,
                        by=one.by,
                        data=data,
                    )
                )
        Incident.objects.bulk_create(rows)
        LogEntry.objects.bulk_create(log_rows, batch_size=2000)
    _catch_up_sequence(Incident)


def _fill_reports(count: int, by_hand: int = 100) -> None:
    """The first ones are drafted and published by the real commands; the rest are copies of those with their own words."""
    from django.db import transaction

    from unrepeat.postmortems import commands, queries, shelving, store
    from unrepeat.postmortems.models import Postmortem, Revision

    for incident in range(1, min(by_hand, count) + 1):
        number, _ = commands.draft(incident)
        commands.publish(number, by="Ada")
    patterns = list(Revision.objects.order_by("postmortem_id")[:by_hand])
    copied = [
        f.name for f in Postmortem._meta.concrete_fields if f.name not in {"id", "incident", "headline", "published_at"}
    ]
    for first in range(by_hand + 1, count + 1, 500):
        numbers = range(first, min(first + 500, count + 1))
        rows, revisions = [], []
        for number in numbers:
            pattern = patterns[number % len(patterns)]
            kept = pattern.postmortem
            published = FIRST + timedelta(hours=number * 2 + 30)
            rows.append(
                Postmortem(
                    pk=number,
                    incident_id=number,
                    headline=_title(number),
                    published_at=published,
                    **{name: getattr(kept, name) for name in copied},
                )
            )
            revisions.append(
                Revision(
                    postmortem_id=number,
                    number=1,
                    at=published,
                    by="Ada",
                    facts=pattern.facts,
                    prose=pattern.prose,
                    figures=pattern.figures,
                    digest=pattern.digest,
                )
            )
        with transaction.atomic():
            Postmortem.objects.bulk_create(rows)
            Revision.objects.bulk_create(revisions)
            abouts = {}
            for number in numbers:
                fields = shelving.about(queries.revision(1 + number % by_hand, 1)) | {"title": _title(number)}
                fields["body"] += f" {_said(number)}"
                store.SEARCH.index(number, fields)
                abouts[number] = fields
            store.RELATED.index_all(abouts)
    _catch_up_sequence(Postmortem)


def _catch_up_sequence(model: Any) -> None:
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
