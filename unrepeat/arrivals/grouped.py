"""Alertmanager's shape, which Grafana shares: a group of alerts, each with labels, annotations, times and a status of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unrepeat.arrivals import body
from unrepeat.arrivals.fingerprint import fingerprint
from unrepeat.arrivals.labels import service_of, severity_of, summary_of
from unrepeat.arrivals.records import AlertSeen, Json, Reading, Unreadable

ALERT_FIELDS = frozenset({"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"})
GROUP_FIELDS = frozenset(
    {"version", "truncatedAlerts", "status", "groupLabels", "commonLabels", "commonAnnotations", "alerts"}
)
"""What the alerts tell anyway; all other fields of a group are kept with each alert."""


@dataclass(frozen=True, slots=True)
class Own:
    """What a sender has of its own in an alert: its name, its address, more to keep."""

    name: str
    url: str
    extra: Json


def read(
    group: Json, own: Callable[[Json, dict[str, str]], Own], told_elsewhere: frozenset[str] = frozenset()
) -> Reading:
    """Every alert of the group. One that cannot be read is noted, and hides no other; `own` gets the alert and its labels."""
    alerts = group.get("alerts")
    if not isinstance(alerts, list):
        raise Unreadable(
            "There is no list “alerts” in the body. A custom payload at the sender (“payload” in its webhook) replaces the whole "
            "body: take it out. Or send your own shape to a source of kind generic_alert."
        )
    kept = body.rest(group, GROUP_FIELDS | told_elsewhere)
    seen, faults = [], []
    for number, alert in enumerate(alerts, start=1):
        try:
            seen.append(_alert(alert, kept, own))
        except Unreadable as fault:
            faults.append(f"Alert {number}: {fault}")
    if faults and not seen:
        raise Unreadable(faults[0])
    return Reading(alerts=tuple(seen), note=" ".join([*_hidden(group), *faults[:5]]))


def _alert(alert: object, group: Json, own: Callable[[Json, dict[str, str]], Own]) -> AlertSeen:
    if not isinstance(alert, dict):
        raise Unreadable("It is not an object with labels.")
    labels = body.texts(alert.get("labels"))
    if not labels:
        raise Unreadable("It has no labels, so nothing says which alert it is.")
    status = alert.get("status")
    if status not in ("firing", "resolved"):
        raise Unreadable(f"Its status is “{body.text(status, 40)}”, neither firing nor resolved.")
    annotations = body.texts(alert.get("annotations"))
    its_own = own(alert, labels)
    return AlertSeen(
        key=body.text(alert.get("fingerprint")) or fingerprint(labels),
        status=status,
        name=its_own.name,
        starts_at=body.moment(alert.get("startsAt")),
        ends_at=body.moment(alert.get("endsAt")) if status == "resolved" else None,
        service=service_of(labels),
        severity=severity_of(labels),
        summary=summary_of(annotations),
        labels=labels,
        annotations=annotations,
        url=its_own.url,
        extra={**body.rest(alert, ALERT_FIELDS), **its_own.extra, "group": group},
    )


def _hidden(group: Json) -> list[str]:
    left_out = group.get("truncatedAlerts")
    if isinstance(left_out, int) and left_out > 0:
        return [f"The sender left out {left_out} more alerts (max_alerts in its configuration)."]
    return []
