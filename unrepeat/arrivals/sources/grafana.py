"""Grafana Alerting's webhook contact point, version 1: Alertmanager's shape with Grafana's own fields in each alert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unrepeat.arrivals import body, grouped, signatures
from unrepeat.arrivals.records import Json, Reading, Unreadable

TITLE = "Grafana Alerting"
HELP = (
    "Add a contact point of type Webhook with the address, and leave “Custom payload” empty. "
    "With a secret, set it as the HMAC signature's secret."
)
MAX_BYTES = 8 * 1024 * 1024
SIGNED = True

SIGNATURE_HEADER = "x-grafana-alerting-signature"
"""Where Grafana writes the signature unless told otherwise; option `signature_header` of the source names another."""

_OLD_FIELDS = frozenset({"title", "state", "message"})  # they tell what the alerts tell
_CONDITIONS = {"DatasourceNoData": "no data", "DatasourceError": "error"}


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:
    """HMAC-SHA256 in hex, over the body, or over "seconds:body" when option `timestamp_header` names where the seconds are."""
    given = headers.get(body.text(options.get("signature_header")).lower() or SIGNATURE_HEADER, "")
    timestamp_header = body.text(options.get("timestamp_header")).lower()
    signed = signatures.octets(headers.get(timestamp_header, "")) + b":" + raw if timestamp_header else raw
    return signatures.hex_signature(signed, given, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """None: a delivery has no id of its own, and needs none, since each alert in it is known by its fingerprint and start."""
    return None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """Every alert of the group, with its own status."""
    group = body.json_object(raw)
    if group.get("version") == "4" and "orgId" not in group:
        raise Unreadable("This is Alertmanager's body, not Grafana's. Send it to a source of kind alertmanager.")
    return grouped.read(group, _own, _OLD_FIELDS)


def _own(alert: Json, labels: dict[str, str]) -> grouped.Own:
    """When a rule's query gave nothing or failed, Grafana puts a general name in the place of the rule's, which is in `rulename`."""
    url = body.first(alert, ("panelURL", "dashboardURL", "generatorURL"))
    name, rule = labels.get("alertname", ""), labels.get("rulename", "")
    condition = _CONDITIONS.get(name, "")
    if not condition:
        return grouped.Own(name, url, {})
    return grouped.Own(f"{rule} ({condition})" if rule else name, url, {"condition": condition})
