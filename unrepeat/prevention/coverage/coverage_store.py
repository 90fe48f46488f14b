"""Reads and writes of the table of coverage: one row for nights in a row with the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max, QuerySet

from unrepeat.postmortems.models import Postmortem
from unrepeat.prevention.models import Coverage, Guard, Recording, Tie


def asked_about() -> list[Recording]:
    """The recordings of failures whose reports are published, newest outage first, with incident and report."""
    rows = Recording.objects.filter(healthy=False, incident__postmortem__published_at__isnull=False)
    return list(rows.select_related("incident__postmortem").order_by("-incident__postmortem__pk", "name"))


def guards_of(kinds: Iterable[str]) -> list[Guard]:
    """The guards in service of these kinds, by name."""
    return list(Guard.objects.filter(retired_at=None, kind__in=list(kinds)).order_by("name"))


def ties() -> set[tuple[int, int]]:
    """Which guard watches over a measure of which incident."""
    return set(Tie.objects.values_list("guard_id", "incident_id"))


def newest(**wanted: Any) -> QuerySet[Coverage]:
    """The answers that stand."""
    return Coverage.objects.filter(newest=True, **wanted)


def answered_since(moment: datetime) -> set[tuple[int, str, str]]:
    """What has been answered since then: report, recording, subject."""
    return set(newest(at__gte=moment).values_list("postmortem_id", "recording", "subject"))


def last_night() -> datetime | None:
    """When the newest answer was given (UTC)."""
    found: datetime | None = newest().aggregate(at=Max("at"))["at"]
    return found


def put(postmortem: int, recording: str, subject: str, at: datetime, **columns: Any) -> Coverage:
    """Keep an answer: it lengthens the stretch that stands when the outcome is the same, and begins another when not."""
    before = newest(postmortem_id=postmortem, recording=recording, subject=subject).select_for_update().first()
    if before is not None and before.outcome == columns["outcome"]:
        for name, value in {**columns, "at": at}.items():
            setattr(before, name, value)
        before.save(update_fields=[*columns, "at"])
        return before
    caught = False
    if before is not None:
        caught = before.caught_before or before.outcome == "caught"
        before.newest = False
        before.save(update_fields=["newest"])
    return Coverage.objects.create(
        postmortem_id=postmortem,
        recording=recording,
        subject=subject,
        since=at,
        at=at,
        caught_before=caught,
        **columns,
    )


def history(postmortem: int, subject: str, limit: int = 50) -> list[Coverage]:
    """The stretches of a guard or rule on one past outage, newest first."""
    return list(Coverage.objects.filter(postmortem_id=postmortem, subject=subject).order_by("-at", "-pk")[:limit])


def reports(numbers: Iterable[int]) -> dict[int, Postmortem]:
    """Reports by their numbers."""
    return Postmortem.objects.in_bulk(list(numbers))
