"""Prometheus Alertmanager's webhook, version 4. The truth is each alert's own status, never the group's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.fingerprint import fingerprint
from unrepeat.arrivals.labels import service_of, severity_of, summary_of
from unrepeat.arrivals.records import AlertSeen, Json, Reading, Unreadable

TITLE = "Prometheus Alertmanager"
HELP = (
    "Give the address to a receiver as webhook_configs: [{url: …, send_resolved: true}]. "
    "With a secret, also set http_config.authorization.credentials to it."
)
MAX_BYTES = 8 * 1024 * 1024
SIGNED = True  # not a signature but `Authorization: Bearer SECRET`, which is all that Alertmanager can send

_ALERT_FIELDS = frozenset(
    {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"},
)
_GROUP_FIELDS = frozenset(
    {"version", "truncatedAlerts", "status", "groupLabels", "commonLabels", "commonAnnotations", "alerts"},
)  # what the alerts tell anyway; receiver, groupKey, externalURL, notification_reason, routeLabels and unknown ones are kept


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """Whether the Authorization header holds the secret; Alertmanager signs nothing."""
    return signatures.bearer(headers, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """A digest of the body: equal bodies say nothing new, since each alert in them carries its own times."""
    return signatures.digest(raw)


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """Every alert of the group, with its own status."""
    group = body.json_object(raw)
    alerts = group.get("alerts")
    if "orgId" in group or group.get("version") == "1":
        raise Unreadable("This is Grafana's body, not Alertmanager's. Send it to a source of kind grafana.")
    if not isinstance(alerts, list):
        raise Unreadable(
            "There is no list “alerts” in the body. If the receiver's webhook_configs sets “payload”, take that out: "
            "it replaces the whole body. Or send your own shape to a source of kind generic_alert."
        )
    kept = body.rest(group, _GROUP_FIELDS)
    seen, faults = [], []
    for number, alert in enumerate(alerts, start=1):
        try:
            seen.append(_alert(alert, kept))
        except Unreadable as fault:
            faults.append(f"Alert {number}: {fault}")
    if faults and not seen:
        raise Unreadable(faults[0])
    return Reading(alerts=tuple(seen), note=" ".join([*_hidden(group), *faults[:5]]))


def _alert(alert: object, group: Json) -> AlertSeen:
    if not isinstance(alert, dict):
        raise Unreadable("It is not an object with labels.")
    labels = body.texts(alert.get("labels"))
    if not labels:
        raise Unreadable("It has no labels, so nothing says which alert it is.")
    status = alert.get("status")
    if status not in ("firing", "resolved"):
        raise Unreadable(f"Its status is “{body.text(status, 40)}”, neither firing nor resolved.")
    annotations = body.texts(alert.get("annotations"))
    return AlertSeen(
        key=body.short_key(body.text(alert.get("fingerprint")) or fingerprint(labels)),
        status=status,
        name=body.text(labels.get("alertname"), body.NAME),
        starts_at=body.moment(alert.get("startsAt")),
        ends_at=body.moment(alert.get("endsAt")) if status == "resolved" else None,
        service=service_of(labels),
        severity=severity_of(labels),
        summary=summary_of(annotations),
        labels=labels,
        annotations=annotations,
        url=body.text(alert.get("generatorURL")),
        extra={**body.rest(alert, _ALERT_FIELDS), "group": group},
    )


def _hidden(group: Json) -> list[str]:
    left_out = group.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        return [f"The sender left out {left_out} more alerts (max_alerts in its configuration)."]
    return []
