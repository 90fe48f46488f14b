"""What pages, API and terminal may ask about arrivals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Q
from django.db.models.functions import Length

from unrepeat.arrivals.kind import source_kinds
from unrepeat.arrivals.models import Alert, Change, Delivery, Source
from unrepeat.support import clock
from unrepeat.support.problems import NotFound

PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A source as people see it. `tokens` counts those that are good now; `last_at` is its newest delivery (UTC)."""

    name: str
    kind: str
    title: str
    made_at: datetime
    tokens: int
    signed: bool
    last_at: datetime | None
    waiting: int
    unreadable: int


def sources() -> list[SourceSeen]:
    """All sources, by name."""
    good = Q(tokens__revoked_at=None) & (Q(tokens__expires_at=None) | Q(tokens__expires_at__gt=clock.now()))
    secret = Q(secrets__revoked_at=None, secrets__id__isnull=False)
    rows = Source.objects.annotate(
        good=Count("tokens", filter=good, distinct=True), secret=Count("secrets", filter=secret, distinct=True)
    ).order_by("name")
    last = dict(_newest())
    states = {(s, state): n for s, state, n in _unfinished()}
    return [
        SourceSeen(
            row.name,
            row.kind,
            _title(row.kind),
            row.made_at,
            row.good,
            row.secret > 0,
            last.get(row.id),
            states.get((row.id, Delivery.State.WAITING), 0),
            states.get((row.id, Delivery.State.UNREADABLE), 0),
        )
        for row in rows
    ]


def waiting() -> int:
    """How many deliveries wait to be read."""
    return Delivery.objects.filter(state=Delivery.State.WAITING).count()


def unreadable(page: int = 1, size: int = PER_PAGE) -> Page[Any]:
    """Deliveries that could not be read, newest first, with their sources, and `size` (bytes) in place of body and headers."""
    rows = (
        Delivery.objects.filter(state=Delivery.State.UNREADABLE)
        .select_related("source")
        .annotate(size=Length("body"))
        .defer("body", "headers")
        .order_by("-received_at", "-id")
    )
    return Paginator(rows, size).get_page(page)


def deliveries(limit: int = PER_PAGE, *, unreadable: bool = False) -> list[Delivery]:
    """The newest deliveries with their sources, or the newest of those that could not be read; without bodies and headers."""
    rows = Delivery.objects.select_related("source").defer("body", "headers").order_by("-id")
    return list((rows.filter(state=Delivery.State.UNREADABLE) if unreadable else rows)[:limit])


def delivery(number: int) -> Delivery:
    """One delivery with its source; NotFound."""
    row = Delivery.objects.select_related("source").filter(id=number).first()
    if row is None:
        raise NotFound(f"There is no delivery {number}.")
    return row


def recent_changes(since: datetime, limit: int = 50) -> list[Change]:
    """Changes at or after `since`, newest first."""
    return list(Change.objects.filter(at__gte=since).select_related("source").order_by("-at", "-id")[:limit])


def changes_of(services: Iterable[str], since: datetime, until: datetime) -> list[Change]:
    """Changes of these services (and those that name no service) within [since, until], oldest first."""
    rows = Change.objects.filter(service__in=[*services, ""], at__gte=since, at__lte=until)
    return list(rows.select_related("source").order_by("at", "id"))


def change(number: int) -> Change:
    """One change with its source; NotFound."""
    row = Change.objects.select_related("source").filter(id=number).first()
    if row is None:
        raise NotFound(f"There is no change {number}.")
    return row


def alert(number: int) -> Alert:
    """One alert with its source; NotFound."""
    row = Alert.objects.select_related("source").filter(id=number).first()
    if row is None:
        raise NotFound(f"There is no alert {number}.")
    return row


def alerts(numbers: Iterable[int]) -> list[Alert]:
    """The alerts with these ids, in order of their start."""
    return list(Alert.objects.filter(id__in=list(numbers)).select_related("source").order_by("starts_at", "id"))


def alerts_seen(*, firing: bool | None = None, service: str = "", page: int = 1, size: int = PER_PAGE) -> Page[Alert]:
    """Alerts, the newest start first. `firing`: only those that are firing, or only those that are not."""
    rows = Alert.objects.select_related("source").order_by("-starts_at", "-id")
    if firing is not None:
        rows = rows.filter(ends_at__isnull=firing)
    if service:
        rows = rows.filter(service=service)
    return Paginator(rows, size).get_page(page)


def changes_seen(*, service: str = "", page: int = 1, size: int = PER_PAGE) -> Page[Change]:
    """Changes, newest first; `service`: only those of one service."""
    rows = Change.objects.select_related("source").order_by("-at", "-id")
    return Paginator(rows.filter(service=service) if service else rows, size).get_page(page)


def oldest_waiting() -> datetime | None:
    """When the oldest delivery that waits to be read came in (UTC); None when none waits."""
    rows = Delivery.objects.filter(state=Delivery.State.WAITING).order_by("id")
    return rows.values_list("received_at", flat=True).first()


def _newest() -> list[tuple[int, datetime]]:
    ids = Delivery.objects.values("source_id").annotate(newest=Max("id")).values("newest")
    return list(Delivery.objects.filter(id__in=ids).values_list("source_id", "received_at"))


def _unfinished() -> list[tuple[int, int, int]]:
    waiting_or_not = Delivery.objects.filter(state__in=[Delivery.State.WAITING, Delivery.State.UNREADABLE])
    return list(waiting_or_not.values_list("source_id", "state").annotate(Count("id")).order_by())


def _title(kind: str) -> str:
    found = source_kinds().get(kind)
    return found.TITLE if found else kind
