"""What stands in the database of the prevention benchmark besides the runs: outages, measures, guards, reports, a night's answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

SERVICES = 50
COLOURS = {7: "red", 8: "broken"}  # of fifty guards; the rest is green
EVERY = (60,) * 2 + (300,) * 10 + (900,) * 5 + (3600,) * 3  # seconds between two runs, of twenty guards
LOG = 4  # entries of each incident
ENDS = ("open", "done", "verified", "verified", "failed")
WORDS = (
    ("deploy", "software_defect", "late_detection"),
    ("config_change", "configuration_error", "missing_validation"),
)


def fill(guards: int, incidents: int, reports: int, port: int) -> None:
    """Incidents with a measure and a log each, guards tied to them, published reports, and what a night's guards said to those.

    `port`: where the guards' addresses answer, on this machine.
    """
    now = datetime.now(UTC)
    numbers = _incidents(incidents, now)
    keys = _guards(guards, now, port)
    _ties(numbers, keys)
    _logs(numbers, keys, now)
    _reports(numbers[:reports], now)
    _coverage()


def _opened(i: int, now: datetime) -> datetime:
    return now - timedelta(minutes=100 * i + 10)


def _incidents(count: int, now: datetime) -> list[int]:
    from unrepeat.incidents.models import Incident, MeasureRow

    Incident.objects.bulk_create(
        (
            Incident(
                opened_at=(at := _opened(i, now)), started_at=at, detected_at=at, resolved_at=at, title=f"Outage {i}", status="resolved",
                severity="major", service=f"service-{i % SERVICES}", services=[f"service-{i % SERVICES}"], is_open=False, last_seq=LOG,
                last_at=at, to_detect=i * 7 % 3600, to_cause=i * 13 % 7200, to_mitigate=i * 17 % 9000, repeat_of=1 if i % 40 == 0 else None,
                causes=[[role, word] for role, word in zip(("trigger", "cause", "factor"), WORDS[i % 2], strict=True)],
            )
            for i in range(count)
        ),
        batch_size=500,
    )  # fmt: skip
    numbers = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
    MeasureRow.objects.bulk_create(
        (
            MeasureRow(
                incident_id=number, number=1, kind="task", effect="prevent", text=f"What is done about outage {number}", owner=f"owner-{i % 200}",
                due=(now + timedelta(days=i % 60 - 20)).date(), state=(state := ENDS[i % 5]), service=f"service-{i % SERVICES}",
                proposed_at=(at := _opened(i, now)), done_at=at if state != "open" else None,
                verified_at=at if state in ("verified", "failed") else None, failed_at=at if state == "failed" else None,
                guards=1, proven=int(state in ("verified", "failed")),
            )
            for i, number in enumerate(numbers)
        ),
        batch_size=500,
    )  # fmt: skip
    _turns()
    return numbers


def _turns() -> None:
    """How each measure came into its state, by statements of the database."""
    from django.db import connection

    path = (
        ("proposed", "open", ""),
        ("done", "done", "open"),
        ("verified", "verified", "done"),
        ("failed", "failed", "verified"),
    )
    with connection.cursor() as cursor:
        for place, (column, state, before) in enumerate(path):
            cursor.execute(
                f"""insert into incidents_measure_turn (incident_id, number, place, month, state, before) select incident_id, number, {place},
                substr(cast({column}_at as text), 1, 7), '{state}', '{before}' from incidents_measure where {column}_at is not null"""
            )


def _guards(count: int, now: datetime, port: int) -> list[int]:
    from unrepeat.prevention.models import Guard
    from unrepeat.prevention.proving import digest_of

    def rows() -> Iterator[Guard]:
        for i in range(count):
            spec = {"url": f"http://127.0.0.1:{port}/service-{i % SERVICES}/health/{i}", "contains": ['"status":"ok"']}
            digest, proven = digest_of("http_check", spec), i % 3 != 0
            yield Guard(
                name=f"guard-{i}", kind="http_check", service=f"service-{i % SERVICES}", spec=spec, digest=digest, every=EVERY[i % len(EVERY)],
                origin="api", made_by="ada", made_at=now, changed_at=now, colour=COLOURS.get(i % 50, "green"), turned_at=now, ran_at=now,
                ran_said="it answers", proven_digest=digest if proven else "", proven_at=now if proven else None, flaky=i % 100 == 0, measures=1,
            )  # fmt: skip

    Guard.objects.bulk_create(rows(), batch_size=500)
    return list(Guard.objects.order_by("pk").values_list("pk", flat=True))


def _ties(numbers: list[int], keys: list[int]) -> None:
    from unrepeat.prevention.models import Tie

    Tie.objects.bulk_create(
        (Tie(guard_id=key, incident_id=numbers[i % len(numbers)], measure=1) for i, key in enumerate(keys)),
        batch_size=2000,
    )


def _logs(numbers: list[int], keys: list[int], now: datetime) -> None:
    """A real log for each incident: it opened, its measure was proposed and done, a guard was tied to it."""
    from unrepeat.incidents import entries as e
    from unrepeat.incidents.codec import encode
    from unrepeat.incidents.models import LogEntry
    from unrepeat.prevention.models import Guard

    digests = dict(Guard.objects.values_list("pk", "digest"))

    def rows() -> Iterator[LogEntry]:
        for i, number in enumerate(numbers):
            key = keys[i % len(keys)]
            entries: tuple[e.Entry, ...] = (
                e.IncidentOpened("The shop is slow", "major", "shop", "UTC", "by_hand"),
                e.MeasureProposed(1, "task", "What is done about it", "owner-1", "2026-01-01", "prevent"),
                e.MeasureDone(1, "it is out"),
                e.GuardTied(1, key, f"guard-{i % len(keys)}", "http_check", digests[key]),
            )
            assert len(entries) == LOG
            for seq, entry in enumerate(entries, 1):
                kind, data = encode(entry)
                yield LogEntry(incident_id=number, seq=seq, kind=kind, at=now, recorded_at=now, by="ada", data=data)

    LogEntry.objects.bulk_create(rows(), batch_size=2000)


def _reports(numbers: list[int], now: datetime) -> None:
    from unrepeat.postmortems.models import Postmortem

    Postmortem.objects.bulk_create(
        (
            Postmortem(
                incident_id=number, drafted_at=now, published_at=now, revision=1, headline=f"The day of outage {number}",
                service=f"service-{i % SERVICES}", started_at=_opened(i, now),
            )
            for i, number in enumerate(numbers)
        ),
        batch_size=500,
    )  # fmt: skip


def _coverage() -> None:
    """Each report asked against the guards of its service, by one statement; every third answer took the place of an older one."""
    from django.db import connection

    ago = (
        "to_timestamp(extract(epoch from now()) - {})"
        if connection.vendor == "postgresql"
        else "datetime('now', '-' || ({}) || ' seconds')"
    )
    place = "(p.id * 7 + g.id)"
    outcome = f"case {place} % 4 when 0 then 'caught' when 1 then 'late' when 2 then 'missed' else 'broken' end"
    lead = f"case when {place} % 4 < 2 then ({place} % 50) - 25.0 * ({place} % 4) end"
    head = """insert into prevention_coverage (postmortem_id, recording, subject, guard_id, name, outcome, since, at, newest, caught_before,
        lead_minutes, said, remedy) select p.id, 'outage-' || p.id, 'guard:' || g.id, g.id, g.name"""
    tail = """from postmortems_postmortem p join prevention_guard g on g.service = p.service"""
    said = "'In outage-' || p.id || ' it was asked about the recorded minutes.', ''"
    older = f"{head}, 'caught', {ago.format('86400 * 90')}, {ago.format('86400 * 9')}, false, false, 5.0, {said} {tail} where {place} % 3 = 0"
    newest = f"{head}, {outcome}, {ago.format('86400 * 9')}, {ago.format('3600')}, true, {place} % 3 = 0, {lead}, {said} {tail}"
    with connection.cursor() as cursor:
        for statement in (older, newest):
            cursor.execute(statement)
