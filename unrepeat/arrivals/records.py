"""What a delivery says once it has been read: alerts seen and changes seen. Pure; what every source kind returns."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Json = dict[str, Any]


class AlertSeen(msgspec.Struct, frozen=True, gc=False):
    """One alert as a delivery tells it. `starts_at` None: the source has no occurrence time, so the open occurrence is meant."""

    key: str
    status: Literal["firing", "acknowledged", "resolved"]
    name: str
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    service: str = ""
    severity: str = ""
    summary: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    url: str = ""
    extra: Json = msgspec.field(default_factory=dict)


class ChangeSeen(msgspec.Struct, frozen=True, gc=False):
    """One change as a delivery tells it. A later delivery with the same key brings the same change up to date."""

    key: str
    kind: Literal["deploy", "release", "config", "flag", "migration", "infrastructure", "push"]
    at: datetime
    status: Literal["started", "succeeded", "failed"] = "succeeded"
    service: str = ""
    environment: str = ""
    version: str = ""
    previous: str = ""
    summary: str = ""
    author: str = ""
    url: str = ""
    extra: Json = msgspec.field(default_factory=dict)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """All that one delivery says; empty is allowed (a ping). `note` says what was hidden, for example truncated alerts.

    `tickets`: addresses of tickets in an issue tracker that changed; whoever follows them asks there.
    """

    alerts: tuple[AlertSeen, ...] = ()
    changes: tuple[ChangeSeen, ...] = ()
    note: str = ""
    tickets: tuple[str, ...] = ()


class Unreadable(Exception):
    """The body does not say what this kind of source says. The message is shown to people, beside the kept body."""
