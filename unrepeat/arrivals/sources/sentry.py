"""Sentry's integration platform: issue alerts, the issue's own life (its resolve), and metric alerts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from unrepeat.arrivals import body, signatures
from unrepeat.arrivals.labels import SERVICE_LABELS
from unrepeat.arrivals.records import AlertSeen, Json, Reading, Unreadable

TITLE = "Sentry"
HELP = (
    "Make an internal integration with the address as webhook URL, “Alert Rule Action” on and the resource “issue” ticked "
    "(issue alerts have no resolve of their own); its client secret is the source's secret."
)
MAX_BYTES = 4 * 1024 * 1024
SIGNED = True

Status = Literal["firing", "acknowledged", "resolved"]
_ISSUE_ACTIONS: dict[str, Status] = {
    "resolved": "resolved",
    "archived": "acknowledged",
    "ignored": "acknowledged",  # archived's former name
}
_METRIC_ACTIONS: dict[str, Status] = {"critical": "firing", "warning": "firing", "resolved": "resolved"}
_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")


def verify(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], options: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """`Sentry-Hook-Signature`: HMAC-SHA256 of the raw bytes, in hex."""
    return signatures.hex_signature(raw, headers.get("sentry-hook-signature", ""), secrets)


def delivery_key(raw: bytes, headers: Mapping[str, str]) -> bytes | None:  # noqa: ARG001
    """Sentry's Request-ID; its timestamp is not signed, so only this stops a body from being played again."""
    given = headers.get("request-id")
    return signatures.digest(given) if given else None


def read(raw: bytes, headers: Mapping[str, str], received_at: datetime) -> Reading:  # noqa: ARG001
    """One alert, or nothing with a note for what is no alert (an installation, a comment)."""
    hook = body.json_object(raw)
    data = body.inside(hook, "data")
    action = body.text(hook.get("action"), 40)
    resource = headers.get("sentry-hook-resource") or _resource(data)
    if resource == "event_alert":
        return Reading(alerts=(_event(hook, data),))
    if resource == "metric_alert":
        return Reading(alerts=(_metric(hook, data, action),))
    if resource == "issue":
        return _issue(hook, data, action)
    if resource:
        return Reading(note=f"Sentry tells of “{resource[:40]}” ({action}), which is no alert.")
    raise Unreadable(
        "Neither the header Sentry-Hook-Resource nor the body says what this is. The old webhook plugin of a project "
        "has another shape: use an internal integration, or a source of kind generic_alert."
    )


def _resource(data: Json) -> str:
    """What a body without the header is about."""
    names = {"event": "event_alert", "metric_alert": "metric_alert", "issue": "issue"}
    return next((resource for field, resource in names.items() if field in data), "")


def _event(hook: Json, data: Json) -> AlertSeen:
    """An issue alert: every further event of the issue means the open occurrence."""
    event = body.inside(data, "event")
    issue = body.text(event.get("issue_id"))
    if not issue:
        raise Unreadable("The event has no “issue_id”, so nothing says which issue it belongs to.")
    tags = _tags(event.get("tags"))
    project = _PROJECT.search(body.first(event, ("url", "issue_url")))
    title = body.text(event.get("title"))
    where = body.text(event.get("culprit"))
    known = {"event_id", "issue_id", "title", "level", "tags", "web_url", "url", "issue_url", "exception", "contexts"}
    return AlertSeen(
        key=f"issue:{issue}",
        status="firing",
        name=body.text(title or f"Issue {issue}"),
        service=body.first(tags, SERVICE_LABELS) or (project[1] if project else ""),
        severity=body.text(event.get("level") or tags.get("level")),
        summary=body.text(f"{title} in {where}" if where else title),
        labels=tags,
        url=body.first(event, ("web_url", "issue_url")),
        extra={
            "event_id": body.text(event.get("event_id")),
            "triggered_rule": body.text(data.get("triggered_rule")),
            "issue_alert": body.inside(data, "issue_alert"),
            "installation": body.text(body.inside(hook, "installation").get("uuid")),
            **{name: event[name] for name in _small(event) if name not in known},
        },
    )


def _small(event: Json) -> list[str]:
    """The fields of an event that are plain values: stack traces stay in the stored body."""
    return [name for name, value in event.items() if value is None or isinstance(value, str | int | float)]


def _tags(given: object) -> dict[str, str]:
    """Tags come as pairs, and in some versions as a map."""
    if isinstance(given, list):
        given = {pair[0]: pair[1] for pair in given if isinstance(pair, list) and len(pair) == 2 and body.text(pair[0])}
    return body.texts(given)


def _issue(hook: Json, data: Json, action: str) -> Reading:
    """What people did with an issue. That one was made or assigned is no alert: Sentry's alert rules say which ones are."""
    issue = body.inside(data, "issue")
    number = body.text(issue.get("id"))
    if not number:
        raise Unreadable("The issue has no “id”.")
    status = _ISSUE_ACTIONS.get(action)
    if status is None:
        return Reading(note=f"Sentry says that issue {number} was {action}, which is no alert.")
    title = body.text(issue.get("title"))
    alert = AlertSeen(
        key=f"issue:{number}",
        status=status,
        name=body.text(title or f"Issue {number}"),
        service=body.text(body.inside(issue, "project").get("slug")),
        severity=body.text(issue.get("level")),
        summary=title,
        url=body.first(issue, ("web_url", "permalink", "url")),
        extra={
            "action": action,
            "actor": body.text(body.inside(hook, "actor").get("name")),
            "resolution": body.inside(data, "resolution") or body.text(data.get("resolution_type")),
        },
    )
    return Reading(alerts=(alert,))


def _metric(hook: Json, data: Json, action: str) -> AlertSeen:
    """A metric alert: one occurrence from its creation until it is closed, whatever its severity in between."""
    alert = body.inside(data, "metric_alert")
    rule = body.inside(alert, "alert_rule")
    number = body.text(rule.get("id"))
    status = _METRIC_ACTIONS.get(action)
    if not number:
        raise Unreadable("The metric alert has no “alert_rule.id”, so nothing says which rule it belongs to.")
    if status is None:
        raise Unreadable(f"The action “{action}” is none of: critical, warning, resolved.")
    projects = alert.get("projects")
    return AlertSeen(
        key=f"metric:{number}",
        status=status,
        name=body.text(rule.get("name")),
        starts_at=body.moment(alert.get("date_started")) or body.moment(alert.get("date_created")),
        ends_at=body.moment(alert.get("date_closed")) if status == "resolved" else None,
        service=body.text(projects[0]) if isinstance(projects, list) and projects else "",
        severity=action if status == "firing" else "",
        summary=body.first(data, ("description_title", "description_text")),
        annotations=body.texts({"description": data.get("description_text")}),
        url=body.text(data.get("web_url")),
        extra={
            "metric_alert": body.rest(alert, frozenset({"alert_rule"})),
            "alert_rule": body.rest(rule, frozenset({"triggers"})),
            "installation": body.text(body.inside(hook, "installation").get("uuid")),
        },
    )
