"""What pages, API and terminal may ask of the incidents room."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db.models import Count, Q, QuerySet

from unrepeat.arrivals import queries as arrivals
from unrepeat.incidents import store
from unrepeat.incidents.entries import AlertFired, ChangeNoticed, Logged
from unrepeat.incidents.models import Incident, LogEntry, MeasureRow, Membership, Redaction
from unrepeat.incidents.state import State

PAGE = 50  # rows of a list
A_TEXT = 16  # characters from which a text that stands twice is worth a look


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, newest first."""

    rows: list[Incident]
    page: int
    pages: int
    total: int

    def __iter__(self) -> Iterator[Incident]:
        return iter(self.rows)


def state_of(number: int) -> State:
    """The state of an incident, folded now; NotFound."""
    return store.state_of(number)


def log_of(number: int, after: int = 0) -> list[Logged]:
    """The log from the entry behind `after` on; NotFound."""
    store.row(number)
    return store.log_of(number, after)


def incident(number: int) -> Incident:
    """The summary row; NotFound."""
    return store.row(number)


def open_incidents() -> list[Incident]:
    """All open incidents, newest first."""
    return list(Incident.objects.filter(is_open=True).order_by("-opened_at", "-pk"))


def incidents(*, status: str = "", service: str = "", page: int = 1, size: int = PAGE) -> Listing:
    """One page of all incidents. `status`: a status, or `open`; `service`: one of the incident's services."""
    rows = _chosen(status, service)
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    return Listing(list(rows[(page - 1) * size : page * size]), page, pages, total)


def _chosen(status: str, service: str) -> QuerySet[Incident]:
    rows = Incident.objects.order_by("-opened_at", "-pk")
    if status == "open":
        rows = rows.filter(is_open=True)
    elif status:
        rows = rows.filter(status=status)
    if service:
        rows = rows.filter(Q(service=service) | Q(services__icontains=json.dumps(service)))
    return rows


def incident_of_alert(alert: int) -> int | None:
    """The number of the incident that an alert belongs to now."""
    return Membership.objects.filter(alert_id=alert).values_list("incident_id", flat=True).first()


def incidents_of_alerts(alerts: list[int]) -> dict[int, int]:
    """Alert number -> the number of the incident it belongs to now."""
    return dict(Membership.objects.filter(alert_id__in=alerts).values_list("alert_id", "incident_id"))


def measures_in(numbers: Iterable[int], states: Iterable[str]) -> dict[int, int]:
    """Incident number -> how many of its measures are in one of these states, for those that have some."""
    rows = MeasureRow.objects.filter(incident_id__in=list(numbers), state__in=list(states))
    return {row["incident_id"]: row["n"] for row in rows.values("incident_id").annotate(n=Count("pk"))}


def repeats(since: datetime | None = None) -> int:
    """How many incidents a person has called repeats, that began to be handled at or after `since`."""
    rows = Incident.objects.filter(repeat_of__isnull=False).exclude(status="merged")
    return (rows.filter(opened_at__gte=since) if since else rows).count()


def last_repeat() -> Incident | None:
    """The repeat that began last."""
    rows = Incident.objects.filter(repeat_of__isnull=False).exclude(status="merged")
    return rows.order_by("-opened_at", "-pk").first()


def last_ended() -> Incident | None:
    """The incident that was over last."""
    rows = Incident.objects.filter(status="resolved", resolved_at__isnull=False)
    return rows.order_by("-resolved_at", "-pk").first()


def first_incident() -> Incident | None:
    """The incident that began first."""
    return Incident.objects.exclude(status="merged").order_by("opened_at", "pk").first()


def redactions(number: int) -> list[Redaction]:
    """Who blanked which entries of a log, when and why, oldest first."""
    return list(Redaction.objects.filter(entry__incident_id=number).select_related("entry").order_by("pk"))


def last_seqs(numbers: Iterable[int]) -> dict[int, int]:
    """Incident number -> the last seq of its log, for those that there are."""
    return dict(Incident.objects.filter(pk__in=list(numbers)).values_list("pk", "last_seq"))


def newest_entries(limit: int) -> list[tuple[int, int, int]]:
    """The rows written last over all logs, newest first: row, incident, seq."""
    return list(LogEntry.objects.order_by("-pk").values_list("pk", "incident_id", "seq")[:limit])


def saying_the_same(number: int, seq: int) -> list[int]:
    """The other entries of a log that hold a text of entry `seq`, as a headline holds an alert's summary: for one who blanks it."""
    texts = {one.seq: _texts(one.entry) for one in store.log_of(number)}
    said = [text for text in texts.get(seq, []) if len(text) >= A_TEXT]
    return [other for other, its in texts.items() if other != seq and any(text in one for text in said for one in its)]


def _texts(entry: object) -> list[str]:
    values = [getattr(entry, field.name) for field in dataclasses.fields(cast("Any", entry))]
    return [value for value in values if isinstance(value, str)]


def delivery_behind(number: int, seq: int) -> int | None:
    """The delivery that the alert or change of an entry came in, for one who blanks the entry; None when there is none."""
    entry = next((one.entry for one in store.log_of(number, seq - 1) if one.seq == seq), None)
    if isinstance(entry, AlertFired):
        return arrivals.alert(entry.alert).delivery_id
    if isinstance(entry, ChangeNoticed):
        return arrivals.change(entry.change).delivery_id
    return None
