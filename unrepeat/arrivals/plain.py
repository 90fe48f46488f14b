"""Alertmanager's usual body, read in half the time: one that holds nothing odd, only the fields of version 4, each of its type.

Says exactly what `grouped` says of the same body (a test holds them together); everything else is left to that.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from unrepeat.arrivals import body
from unrepeat.arrivals.labels import service_of, severity_of, summary_of
from unrepeat.arrivals.records import AlertSeen, Reading

UNSET = msgspec.UNSET


class _Alert(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    fingerprint: str
    starts_at: str = msgspec.field(name="startsAt")
    annotations: dict[str, str] = {}
    ends_at: str = msgspec.field(name="endsAt", default="")
    generator_url: str = msgspec.field(name="generatorURL", default="")


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    alerts: list[_Alert]
    version: Literal["4"]
    truncated: Literal[0] = msgspec.field(name="truncatedAlerts", default=0)
    status: Any = None
    group_labels: Any = msgspec.field(name="groupLabels", default=None)
    common_labels: Any = msgspec.field(name="commonLabels", default=None)
    common_annotations: Any = msgspec.field(name="commonAnnotations", default=None)
    receiver: Any = UNSET
    group_key: Any = msgspec.field(name="groupKey", default=UNSET)
    external_url: Any = msgspec.field(name="externalURL", default=UNSET)
    notification_reason: Any = UNSET
    route_labels: Any = msgspec.field(name="routeLabels", default=UNSET)


_decode = msgspec.json.Decoder(_Group).decode


def read(raw: bytes) -> Reading | None:
    """What a usual body says; None when it is not quite usual."""
    if b"\\u0000" in raw:
        return None
    try:
        group = _decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not all(alert.labels and alert.fingerprint for alert in group.alerts):
        return None
    kept = {
        "receiver": group.receiver,
        "groupKey": group.group_key,
        "externalURL": group.external_url,
        "notification_reason": group.notification_reason,
        "routeLabels": group.route_labels,
    }
    extra = {"group": {name: value for name, value in kept.items() if value is not UNSET}}
    return Reading(
        alerts=tuple(
            AlertSeen(
                body.text(alert.fingerprint),
                alert.status,
                alert.labels.get("alertname", ""),
                _moment(alert.starts_at),
                _moment(alert.ends_at) if alert.status == "resolved" else None,
                service_of(alert.labels),
                severity_of(alert.labels),
                summary_of(alert.annotations),
                alert.labels,
                alert.annotations,
                body.text(alert.generator_url),
                extra,
            )
            for alert in group.alerts
        )
    )


@lru_cache(2048)
def _moment(written: str) -> datetime | None:
    """A time by how it is written: in a flood, and in every repeated notification, many are the same."""
    return body.moment(written)
