"""What has arrived: alerts, changes, and deliveries that could not be read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.core.paginator import Page
from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from unrepeat.arrivals import queries
from unrepeat.arrivals.models import Alert, Change, Delivery
from unrepeat.incidents.queries import incidents_of_alerts
from unrepeat.web.access import Role, needs
from unrepeat.web.api.fields import Items, Name, Nth, Paging

router = Router(tags=["arrivals"])


class AlertShape(Schema):
    """One occurrence of a monitoring alert; `ends_at` is null while it fires."""

    number: int
    source: str
    name: str
    service: str
    severity: str
    summary: str
    labels: dict[str, Any]
    annotations: dict[str, Any]
    url: str
    starts_at: datetime
    ends_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    count: int = Field(description="How often it was told.")
    incident: int | None = Field(description="The incident it belongs to now.")


class ChangeShape(Schema):
    """Something people shipped."""

    number: int
    source: str
    kind: str
    service: str
    environment: str
    version: str
    previous: str
    status: str
    summary: str
    author: str
    url: str
    at: datetime


class DeliveryShape(Schema):
    """A delivery that could not be read, and why. Its own address shows its body."""

    number: int
    source: str
    kind: str
    received_at: datetime
    state: str
    reason: str
    size: int = Field(description="Bytes of the body.")


class DeliveryFull(DeliveryShape):
    """A delivery with what was sent."""

    headers: dict[str, Any]
    body: str = Field(description="As UTF-8; what is none is shown as U+FFFD.")


class OfService(Paging):
    """Which ones."""

    service: Annotated[Name, Field(description="Only of this service.")] = ""


class ChosenAlerts(OfService):
    """Which alerts."""

    firing: Annotated[bool | None, Field(description="Only those that fire now, or only those that do not.")] = None


@router.get("/alerts", response=Items[AlertShape], summary="List alerts")
@needs(Role.READER)
def list_alerts(request: HttpRequest, chosen: Query[ChosenAlerts]) -> dict[str, Any]:  # noqa: ARG001
    """Alerts, the newest start first."""
    page = queries.alerts_seen(firing=chosen.firing, service=chosen.service, page=chosen.page, size=chosen.per_page)
    belongs = incidents_of_alerts([row.pk for row in page])
    rows = {row.pk: _alert(row, belongs.get(row.pk)) for row in page}
    return _items(page, chosen.page, list(rows.values()))


@router.get("/alerts/{number}", response=AlertShape, summary="One alert")
@needs(Role.READER)
def get_alert(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """One alert, and the incident it belongs to."""
    return _alert(queries.alert(number), incidents_of_alerts([number]).get(number))


@router.get("/changes", response=Items[ChangeShape], summary="List changes")
@needs(Role.READER)
def list_changes(request: HttpRequest, chosen: Query[OfService]) -> dict[str, Any]:  # noqa: ARG001
    """Changes, newest first."""
    page = queries.changes_seen(service=chosen.service, page=chosen.page, size=chosen.per_page)
    return _items(page, chosen.page, [_change(row) for row in page])


@router.get("/deliveries/unreadable", response=Items[DeliveryShape], summary="List unreadable deliveries")
@needs(Role.RESPONDER)
def list_unreadable(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:  # noqa: ARG001
    """Deliveries that could not be read, newest first, with the reason. Nothing of them is lost."""
    page = queries.unreadable(paging.page, paging.per_page)
    return _items(page, paging.page, [_delivery(row, row.size) for row in page])


@router.get("/deliveries/{number}", response=DeliveryFull, summary="One delivery with its body")
@needs(Role.RESPONDER)
def get_delivery(request: HttpRequest, number: Path[Nth]) -> dict[str, Any]:  # noqa: ARG001
    """One delivery, with what was sent; not for readers, since bodies may hold what is not for everybody."""
    row = queries.delivery(number)
    body = bytes(row.body).decode("utf-8", "replace")
    return _delivery(row, len(row.body)) | {"headers": row.headers, "body": body}


def _items(page: Page[Any], asked: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """A page of a list; a page behind the last one is empty."""
    return {"items": rows if asked <= page.paginator.num_pages else [], "count": page.paginator.count}


def _alert(row: Alert, incident: int | None) -> dict[str, Any]:
    return _same(AlertShape, row) | {"incident": incident}


def _change(row: Change) -> dict[str, Any]:
    return _same(ChangeShape, row)


def _delivery(row: Delivery, size: int) -> dict[str, Any]:
    return {
        "number": row.pk,
        "source": row.source.name,
        "kind": row.source.kind,
        "received_at": row.received_at,
        "state": Delivery.State(row.state).name.lower(),
        "reason": row.reason,
        "size": size,
    }


def _same(shape: type[Schema], row: Alert | Change) -> dict[str, Any]:
    """The columns that have a shape's field names."""
    own = {name: getattr(row, name) for name in shape.model_fields if name not in ("number", "source", "incident")}
    return own | {"number": row.pk, "source": row.source.name}
