"""The part of the room's store that knows since when nothing is missing, and what is stored of the alerts in a window."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from unrepeat.arrivals import store
from unrepeat.arrivals.gap import Known
from unrepeat.arrivals.models import Alert, Delivery, Listening, Source

ONLY = 1  # id of the only row
KIND = "alertmanager"
HEADERS = json.dumps({"content-type": "application/json", "user-agent": "unrepeat (gap)"})


def complete_until() -> datetime | None:
    """Up to when nothing is missing (UTC); None when this server never listened."""
    return Listening.objects.filter(id=ONLY).values_list("until", flat=True).first()


def complete(until: datetime) -> None:
    """Nothing is missing up to `until`; never goes back."""
    Listening.objects.bulk_create([Listening(id=ONLY, until=until)], ignore_conflicts=True)
    Listening.objects.filter(id=ONLY, until__lt=until).update(until=until)


def filled_source(names: Iterable[str]) -> int | None:
    """The Alertmanager source that last told of one of these alerts, else the one that last told anything; None without one."""
    sources = Source.objects.filter(kind=KIND)
    told = Alert.objects.filter(source__in=sources, name__in=list(names)).order_by("-last_seen_at")
    found = told.values_list("source_id", flat=True).first()
    if found is None:
        latest = Delivery.objects.filter(source__in=sources).order_by("-id")
        found = latest.values_list("source_id", flat=True).first()
    return found or sources.order_by("id").values_list("id", flat=True).first()


def known(source: int, names: Iterable[str], since: datetime) -> list[Known]:
    """The occurrences of the alerts with these names that were open at `since` or later."""
    open_then = Q(ends_at=None) | Q(ends_at__gte=since)
    rows = Alert.objects.filter(open_then, source_id=source, name__in=list(names))
    return [Known(*row) for row in rows.values_list("key", "labels", "starts_at", "ends_at")]


def keep(source: int, body: bytes, at: datetime) -> None:
    """Store a body that we wrote ourselves, as a delivery of the source; the worker reads it like any other."""
    key = hashlib.blake2b(body, digest_size=32).digest()
    with transaction.atomic():
        store.keep_deliveries([store.Arrival(source, key, at, HEADERS, body)])
