"""Grafana Alerting's webhook contact point, version 1: Alertmanager's shape with Grafana's own fields in each alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.fingerprint import fingerprint
from unrepeat.arrivals.labels import service_of, severity_of, summary_of
from unrepeat.arrivals.records import AlertSeen, Json, Reading, Unreadable

TITLE = "Grafana Alerting"
HELP = (
    "Add a contact point of type Webhook with the address, and leave “Custom payload” empty. "
    "With a secret, set it as the HMAC signature's secret."
)
MAX_BYTES = 8 * 1024 * 1024
SIGNED = True

SIGNATURE_HEADER = "x-grafana-alerting-signature"
"""Where Grafana writes the signature unless told otherwise; option `signature_header` of the source names another."""

_ALERT_FIELDS = frozenset(
    {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"},
)
_GROUP_FIELDS = frozenset(
    {"version", "truncatedAlerts", "status", "groupLabels", "commonLabels", "commonAnnotations", "alerts"}
    | {"title", "state", "message"},  # the old fields tell what the alerts tell
)
_CONDITIONS = {"DatasourceNoData": "no data", "DatasourceError": "error"}


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:
    """HMAC-SHA256 in hex, over the body, or over "seconds:body" when option `timestamp_header` names where the seconds are."""
    given = headers.get(body.text(options.get("signature_header")).lower() or SIGNATURE_HEADER, "")
    timestamp_header = body.text(options.get("timestamp_header")).lower()
    signed = signatures.octets(headers.get(timestamp_header, "")) + b":" + raw if timestamp_header else raw
    return signatures.hex_signature(signed, given, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """A digest of the body: equal bodies say nothing new, since each alert in them carries its own times."""
    return signatures.digest(raw)


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """Every alert of the group, with its own status."""
    group = body.json_object(raw)
    alerts = group.get("alerts")
    if group.get("version") == "4" and "orgId" not in group:
        raise Unreadable("This is Alertmanager's body, not Grafana's. Send it to a source of kind alertmanager.")
    if not isinstance(alerts, list):
        raise Unreadable(
            "There is no list “alerts” in the body. If the contact point has a custom payload, take it out: "
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
    condition = _CONDITIONS.get(labels.get("alertname", ""), "")
    extra = {**body.rest(alert, _ALERT_FIELDS), "group": group}
    return AlertSeen(
        key=body.short_key(body.text(alert.get("fingerprint")) or fingerprint(labels)),
        status=status,
        name=_name(labels, condition),
        starts_at=body.moment(alert.get("startsAt")),
        ends_at=body.moment(alert.get("endsAt")) if status == "resolved" else None,
        service=service_of(labels),
        severity=severity_of(labels),
        summary=summary_of(annotations),
        labels=labels,
        annotations=annotations,
        url=body.first(alert, ("panelURL", "dashboardURL", "generatorURL")),
        extra={**extra, "condition": condition} if condition else extra,
    )


def _name(labels: Mapping[str, str], condition: str) -> str:
    """The rule's name; when its query gave nothing or failed, Grafana puts a general name in its place and keeps it in `rulename`."""
    rule = labels.get("rulename", "")
    if condition and rule:
        return body.text(f"{rule} ({condition})", body.NAME)
    return body.text(labels.get("alertname"), body.NAME)


def _hidden(group: Json) -> list[str]:
    left_out = group.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        return [f"The sender left out {left_out} more alerts (max alerts of its contact point)."]
    return []
