"""Any change, told in our own words by a pipeline or a person: one JSON object or form. Only the service or a summary is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, cast, get_args

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.records import ChangeSeen, Json, Reading, Unreadable

TITLE = "Any change (JSON or form)"
HELP = (
    "Let the pipeline POST {“service”, “version”, “status”, “id”, …} to the address: "
    "once with status started, and with the same id once it succeeded or failed."
)
MAX_BYTES = 1024 * 1024
SIGNED = True

Kind = Literal["deploy", "release", "config", "flag", "migration", "infrastructure", "push"]
Status = Literal["started", "succeeded", "failed"]
_STATUSES: dict[str, Status] = {
    "": "succeeded",
    "started": "started",
    "running": "started",
    "in_progress": "started",
    "succeeded": "succeeded",
    "success": "succeeded",
    "failed": "failed",
    "failure": "failed",
    "error": "failed",
}
_KNOWN = frozenset(
    {"service", "kind", "version", "previous", "environment", "status", "summary", "author", "url", "at", "id"},
)


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """`X-Unrepeat-Signature: sha256=…`, a Standard Webhooks signature, or the secret as a bearer token."""
    return signatures.ours(raw, headers, secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """The sender's Idempotency-Key or webhook-id; without one, two equal bodies may well be two changes."""
    given = headers.get("idempotency-key") or headers.get("webhook-id")
    return signatures.digest(given) if given else None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """One change."""
    told = body.json_or_form(raw)
    service = body.text(told.get("service"))
    summary = body.text(told.get("summary"))
    if not service and not summary:
        raise Unreadable("The change has neither a “service” nor a “summary”: give at least one.")
    at = body.moment_told(told, "at") or received_at
    change = ChangeSeen(
        key=_key(told, at),
        kind=_kind(told),
        at=at,
        status=_status(told),
        service=service,
        environment=body.text(told.get("environment")),
        version=body.text(told.get("version")),
        previous=body.text(told.get("previous")),
        summary=summary,
        author=body.text(told.get("author")),
        url=body.text(told.get("url")),
        extra=body.rest(told, _KNOWN),
    )
    return Reading(changes=(change,))


def _kind(told: Json) -> Kind:
    kind = body.text(told.get("kind")).lower() or "deploy"
    if kind not in get_args(Kind):
        raise Unreadable(f"The kind “{kind[:40]}” is none of: {', '.join(get_args(Kind))}.")
    return cast("Kind", kind)


def _status(told: Json) -> Status:
    status = body.text(told.get("status")).lower()
    if status not in _STATUSES:
        raise Unreadable(f"The status “{status[:40]}” is none of: started, succeeded, failed.")
    return _STATUSES[status]


def _key(told: Json, at: datetime) -> str:
    given = body.text(told.get("id"))
    if given:
        return given
    parts = [body.text(told.get(name)) for name in ("service", "environment", "kind", "version", "summary")]
    return "/".join([*(part for part in parts if part), at.isoformat()])
