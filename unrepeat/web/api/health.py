"""How we ourselves are: health for a load balancer, numbers for a Prometheus that watches us."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from ninja import Router, Schema, Status
from prometheus_client import PROCESS_COLLECTOR, CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from pydantic import Field

from unrepeat import __version__
from unrepeat.arrivals import queries as arrivals
from unrepeat.incidents import queries as incidents
from unrepeat.support import clock, wakeups
from unrepeat.web.access import Role, caller_of, may, needs, open_to_all
from unrepeat.web.live import hub

router = Router(tags=["health"])
LATE = timedelta(seconds=30)  # what has waited longer than this is not being worked on


class Health(Schema):
    """Whether all parts do their work."""

    status: Literal["well", "behind", "ill"]
    database: Literal["answers", "away"]
    worker: Literal["works", "behind", "unknown"] = Field(description="`behind`: something has been due for over 30 s.")
    waiting_deliveries: int | None
    version: str | None = Field(description="Only for those who may read.")


@router.get("/health", response={200: Health, 503: Health}, summary="Are we well?")
@open_to_all
def get_health(request: HttpRequest) -> Status[dict[str, Any]]:
    """200 while the database answers, 503 otherwise. Open to all; the version only for those who may read."""
    try:
        waiting, late = arrivals.waiting(), work_is_late()
        version = __version__ if may(caller_of(request), Role.READER) else None
    except DatabaseError:
        away = {"status": "ill", "database": "away", "worker": "unknown", "waiting_deliveries": None, "version": None}
        return Status(503, away)
    well = {
        "status": "behind" if late else "well",
        "database": "answers",
        "worker": "behind" if late else "works",
        "waiting_deliveries": waiting,
        "version": version,
    }
    return Status(200, well)


def work_is_late() -> bool:
    """Whether a delivery or a wakeup has waited for over 30 s, so that no worker seems to be there."""
    oldest = [moment for moment in (arrivals.oldest_waiting(), wakeups.next_due()) if moment is not None]
    return any(moment < clock.now() - LATE for moment in oldest)


@needs(Role.READER)
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Numbers about ourselves, in Prometheus' text format. Needs a reader's token, unless reading is open."""
    registry = CollectorRegistry()
    registry.register(PROCESS_COLLECTOR)
    for name, said, value in (
        ("unrepeat_deliveries_waiting", "Deliveries that wait to be read.", arrivals.waiting()),
        ("unrepeat_deliveries_unreadable", "Deliveries that could not be read.", arrivals.unreadable().paginator.count),
        ("unrepeat_incidents_open", "Incidents that are not over.", len(incidents.open_incidents())),
        ("unrepeat_work_late", "1 when something has been due for over 30 s.", int(work_is_late())),
        ("unrepeat_live_streams", "Live streams open in this process.", hub.watchers),
    ):
        Gauge(name, said, registry=registry).set(value)
    about = Gauge("unrepeat_info", "What runs here.", ["version", "database"], registry=registry)
    about.labels(__version__, connection.vendor).set(1)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
