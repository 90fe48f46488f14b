"""Prometheus Alertmanager's webhook, version 4. The truth is each alert's own status, never the group's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from unrepeat.arrivals import body, grouped, plain, signatures
from unrepeat.arrivals.records import Json, Reading, Unreadable

TITLE = "Prometheus Alertmanager"
HELP = (
    "Give the address to a receiver as webhook_configs: [{url: …, send_resolved: true}]. "
    "With a secret, also set http_config.authorization.credentials to it."
)
MAX_BYTES = 8 * 1024 * 1024
SIGNED = True  # not a signature but `Authorization: Bearer SECRET`, which is all that Alertmanager can send


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """Whether the Authorization header holds the secret; Alertmanager signs nothing."""
    return signatures.bearer(headers, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """None: a delivery has no id of its own, and needs none, since each alert in it is known by its fingerprint and start."""
    return None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """Every alert of the group, with its own status."""
    found = plain.read(raw)
    if found is not None:
        return found
    group = body.json_object(raw)
    if "orgId" in group or group.get("version") == "1":
        raise Unreadable("This is Grafana's body, not Alertmanager's. Send it to a source of kind grafana.")
    return grouped.read(group, _own)


def _own(alert: Json, labels: dict[str, str]) -> grouped.Own:
    return grouped.Own(labels.get("alertname", ""), body.text(alert.get("generatorURL")), {})
