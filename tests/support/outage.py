"""The outage of 12 August 2024 as a log, for tests of the report: Ada leads, Ben is on call, the service is `sessions`."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from unrepeat.incidents import entries as e
from unrepeat.incidents.entries import Entry, Logged

DIGEST = "5e" * 32
COUNTED = "1a" * 32
QUERY = "SELECT count(*) AS users FROM requests;"
SOURCE = "Recording 2024-08-12-memory-leak (the time axis is stretched 60-fold. It was made in the lab)"


def at(clock: str, day: int = 12) -> datetime:
    """A moment on 12 August 2024, UTC."""
    hours, minutes = clock.split(":")
    return datetime(2024, 8, day, int(hours), int(minutes), tzinfo=UTC)


def log(*happened: tuple[datetime, str, Entry]) -> list[Logged]:
    """Entries as a log, in the order given."""
    return [
        Logged(seq, when, when + timedelta(seconds=1), by, entry)
        for seq, (when, by, entry) in enumerate(happened, start=1)
    ]


def outage() -> list[tuple[datetime, str, Entry]]:
    """What happened, in order, up to resolved."""
    return [
        (
            at("15:15"),
            "unrepeat",
            e.IncidentOpened("The shop was slow: sessions ran out of memory", "critical", "sessions", "UTC", "new"),
        ),
        (
            at("15:15"),
            "prometheus",
            e.AlertFired(
                1,
                "High memory usage",
                "sessions",
                "critical",
                "resident memory is 81 % of its budget",
                "alertmanager",
                "https://prometheus.example/graph?g0.expr=memory",
            ),
        ),
        (
            at("14:28"),
            "pipeline",
            e.ChangeNoticed(
                1,
                "deploy",
                "succeeded",
                "sessions",
                "2.0",
                "1.4",
                "session tracking",
                "Dana",
                "https://ci.example/4181",
            ),
        ),
        (at("15:17"), "Ada", e.RoleHanded("lead", "Ada")),
        (at("15:17"), "Ben", e.Acknowledged()),
        (at("15:20"), "Ben", e.SuspectRaised("database", "service", "it was the database the last three times")),
        (at("15:20"), "Ada", e.NoteWritten("Is it the database again?")),
        (at("15:35"), "Ben", e.SuspectCleared("database", "service", "query times are as ever: p95 3 ms")),
        (at("15:35"), "Ben", e.SuspectRaised("load balancer", "service", "pages wait somewhere in front of the shop")),
        (at("16:00"), "Ada", e.NoteWritten("Server metrics point to a memory leak.")),
        (at("16:00"), "Ben", e.SuspectCleared("load balancer", "service", "it only waits for the shop")),
        (
            at("16:20"),
            "Ada",
            e.SuspectRaised("sessions", "service", "its memory grows and never falls; it was updated today"),
        ),
        (at("16:45"), "Ada", e.Escalated("sessions-team", "they built it")),
        (
            at("17:15"),
            "Dana",
            e.SuspectConvicted("sessions", "service", "tracked sessions are never released from memory"),
        ),
        (
            at("17:15"),
            "Dana",
            e.SuspectConvicted("sessions 2.0", "change", "it brought session tracking without an end"),
        ),
        (
            at("17:45"),
            "pipeline",
            e.ChangeNoticed(
                2,
                "deploy",
                "succeeded",
                "sessions",
                "2.0.1",
                "2.0",
                "release tracked sessions",
                "Dana",
                "https://ci.example/4182",
            ),
        ),
        (at("17:45"), "Ben", e.Mitigated("sessions 2.0.1 is out; memory is back where it was", 2)),
        (at("17:50"), "prometheus", e.AlertResolved(1, "High memory usage")),
        (at("18:00"), "Ada", e.Resolved("pages answer as before for ten minutes")),
        (
            at("18:00"),
            "unrepeat",
            e.EvidenceGathered(
                DIGEST,
                "Memory of sessions",
                SOURCE,
                'process_resident_memory_bytes{job="sessions"}',
                at("14:15"),
                at("18:15"),
                "sessions",
                "bytes",
            ),
        ),
        (
            at("18:05"),
            "Ada",
            e.MeasureProposed(1, "improvement", "Alert on memory that grows, not only on a limit", "Ben", "2024-08-19"),
        ),
        (
            at("18:05"),
            "Ada",
            e.MeasureProposed(2, "improvement", "Load tests that run for hours", "sessions-team", "2024-08-26"),
        ),
        (at("18:06"), "Ada", e.MeasureProposed(3, "task", "Review who else keeps sessions", "Dana", "2024-08-16")),
        (at("18:06"), "Ada", e.MeasureProposed(4, "task", "Write down how memory is managed here")),
    ]


def memory(step: int = 60) -> dict[str, Any]:
    """Resident memory of `sessions` from 14:15 to 18:15: flat, a leak from 14:28 on, flat again after the patch at 17:45."""
    start, end = at("14:15").timestamp(), at("18:15").timestamp()
    leak, patched = at("14:28").timestamp(), at("17:45").timestamp()
    points = []
    for i in range(int((end - start) // step) + 1):
        now = start + i * step
        wobble = 1.2e6 * math.sin(i * 1.7)
        grown = 63e6 + wobble + (max(now - leak, 0) ** 0.92 / (patched - leak) ** 0.92) * 368e6
        points.append([now, float(round(grown if now < patched else 58e6 + wobble))])
    return {"step": step, "series": [{"labels": {"job": "sessions"}, "points": points}]}


def hurt(**changed: Any) -> e.ImpactMeasured:
    """Who was hurt by the outage, as the log holds it."""
    fields: dict[str, Any] = {
        "digest": COUNTED,
        "source": "access.log",
        "window_from": at("15:15"),
        "window_to": at("17:45"),
        "slow_seconds": 0.5,
        "slow_source": "objective of shop",
        "shares": (
            e.ShareMeasured("users slowed", "users", 521, 622),
            e.ShareMeasured("users who met an error", "users", 12, 622),
            e.ShareMeasured("requests failed", "requests", 13, 5210),
            e.ShareMeasured("checkout lost", "attempts", 64, 288),
        ),
        "harm_from": at("15:00"),
        "harm_to": at("17:50"),
    }
    return e.ImpactMeasured(**{**fields, **changed})


def measured_outage(**changed: Any) -> list[tuple[datetime, str, Entry]]:
    """The outage, with those who were hurt counted when it was over."""
    return [*outage(), (at("18:00"), "unrepeat", hurt(**changed))]


def counts(step: int = 300) -> dict[str, Any]:
    """The counts over time: nobody hurt until 15:00, more and more until 17:45, nobody after 17:50."""
    buckets = []
    for i in range(48):
        start = at("14:15") + timedelta(seconds=i * step)
        grown = max(0.0, min(1.0, (start - at("14:55")) / timedelta(hours=2))) if start < at("17:50") else 0.0
        users, attempts = 24 + i % 3, 10 + i % 2
        slowed, lost = round(users * grown), round(attempts * max(0.0, grown - 0.4))
        buckets.append({"at": start.timestamp(), "users": users, "slowed": slowed, "attempts": attempts, "lost": lost})
    return {"step": step, "known_to": at("18:15").timestamp(), "buckets": buckets}
