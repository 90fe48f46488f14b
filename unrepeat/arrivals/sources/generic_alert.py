"""Any alert, told in our own words: one JSON object or form. Only the summary is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.labels import service_of, severity_of
from unrepeat.arrivals.records import AlertSeen, Json, Reading, Unreadable

TITLE = "Any alert (JSON or form)"
HELP = (
    "POST {“summary”, “service”, “severity”, “dedup_key”, …} to the address; "
    "later the same dedup_key with action acknowledge or resolve."
)
MAX_BYTES = 1024 * 1024
SIGNED = True

Status = Literal["firing", "acknowledged", "resolved"]
_ACTIONS: dict[str, Status] = {
    "": "firing",
    "trigger": "firing",
    "firing": "firing",
    "acknowledge": "acknowledged",
    "ack": "acknowledged",
    "acknowledged": "acknowledged",
    "resolve": "resolved",
    "resolved": "resolved",
    "close": "resolved",
}
_KNOWN = frozenset(
    {
        "summary",
        "dedup_key",
        "dedup",
        "action",
        "severity",
        "service",
        "details",
        "started_at",
        "labels",
        "name",
        "url",
    },
)  # environment, links, source, version, commit and unknown fields are kept as they are


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """`X-Unrepeat-Signature: sha256=…`, a Standard Webhooks signature, or the secret as a bearer token."""
    return signatures.ours(raw, headers, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """The sender's Idempotency-Key or webhook-id; without one, two equal bodies may well be two triggers."""
    given = headers.get("idempotency-key") or headers.get("webhook-id")
    return signatures.digest(given) if given else None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """One alert. Without `started_at` the open occurrence of its key is meant."""
    told = body.json_or_form(raw)
    status = _status(told)
    labels = body.texts(told.get("labels"))
    summary = body.text(told.get("summary"))
    service = body.text(told.get("service")) or service_of(labels)
    alert = AlertSeen(
        key=_key(told, status, service, summary),
        status=status,
        name=body.first(told, ("name",)) or body.text(labels.get("alertname") or summary),
        starts_at=body.moment_told(told, "started_at"),
        service=service,
        severity=body.text(told.get("severity")) or severity_of(labels),
        summary=summary,
        labels=labels,
        annotations=_annotations(told),
        url=_url(told),
        extra=_extra(told),
    )
    return Reading(alerts=(alert,))


def _status(told: Json) -> Status:
    action = body.text(told.get("action")).strip().lower()
    if action not in _ACTIONS:
        raise Unreadable(f"The action “{action[:40]}” is none of: trigger, acknowledge, resolve.")
    return _ACTIONS[action]


def _key(told: Json, status: Status, service: str, summary: str) -> str:
    """What the sender calls it, else the service and the summary."""
    given = body.first(told, ("dedup_key", "dedup"))
    if status == "firing" and not summary:
        raise Unreadable("There is no “summary”: one line that says what is wrong.")
    if not given and not summary:
        raise Unreadable(f"Nothing says which alert is {status}: give its “dedup_key”, or the same “summary”.")
    return given or "/".join(part for part in (service, summary) if part)


def _annotations(told: Json) -> dict[str, str]:
    """Details are one text, or names and texts."""
    details = told.get("details")
    return {"details": details} if isinstance(details, str) and details else body.texts(details)


def _url(told: Json) -> str:
    given = body.text(told.get("url"))
    if given:
        return given
    links = told.get("links")
    for link in links if isinstance(links, list) else [links]:
        found = body.first(link, ("url", "href")) if isinstance(link, dict) else body.text(link)
        if found:
            return found
    return ""


def _extra(told: Json) -> Json:
    extra = body.rest(told, _KNOWN)
    details = told.get("details")
    if details and not isinstance(details, str) and body.texts(details) != details:
        extra["details"] = details  # a shape that texts cannot hold
    return extra
