"""What folding an incident's log gives. Pure; never stored as truth. All times are timezone-aware UTC.

The records in it are never changed once made: the fold puts new ones in their place, so that a copied state stays as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from unrepeat.incidents.entries import ImpactMeasured, Role, SuspectKind
from unrepeat.incidents.measure_state import Cause as Cause
from unrepeat.incidents.measure_state import GuardState as GuardState
from unrepeat.incidents.measure_state import Measure as Measure
from unrepeat.incidents.measure_state import Repeat as Repeat

Status = Literal["detected", "acknowledged", "mitigated", "resolved", "reopened", "merged"]
Verdict = Literal["suspect", "cleared", "guilty"]


@dataclass(slots=True)
class OpenAlert:
    """An alert of the incident: firing while `resolved_at` is None."""

    alert: int
    name: str
    service: str
    severity: str
    summary: str
    fired_at: datetime
    source: str = ""
    url: str = ""
    resolved_at: datetime | None = None


@dataclass(slots=True)
class Suspect:
    """A service, an indicator or a change under suspicion, with its present verdict and the story of how it came to it."""

    name: str
    kind: SuspectKind
    verdict: Verdict
    raised_at: datetime
    decided_at: datetime
    by: str
    reason: str
    evidence: tuple[str, ...] = ()
    story: list[tuple[datetime, Verdict, str, str]] = field(default_factory=list)  # at, verdict, by, reason


@dataclass(slots=True)
class NearChange:
    """A change near the incident."""

    change: int
    kind: str
    status: str
    service: str
    version: str
    previous: str
    summary: str
    author: str
    url: str
    at: datetime


@dataclass(slots=True)
class Evidence:
    """A stored result: `digest` finds it."""

    digest: str
    title: str
    source: str
    query: str
    window_from: datetime
    window_to: datetime
    service: str
    unit: str
    at: datetime


@dataclass(slots=True)
class State:
    """An incident as its log tells it. Times that have not come yet are None."""

    title: str = ""
    severity: str = ""
    time_zone: str = "UTC"
    rule: str = ""
    status: Status = "detected"
    services: list[str] = field(default_factory=list)
    opened_at: datetime | None = None
    started_at: datetime | None = None
    detected_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    cause_found_at: datetime | None = None
    mitigated_at: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by_itself: bool = False
    reopened: int = 0
    merged_into: int | None = None
    merged_from: list[int] = field(default_factory=list)
    roles: dict[Role, str] = field(default_factory=dict)
    escalated_to: list[str] = field(default_factory=list)
    alerts: dict[int, OpenAlert] = field(default_factory=dict)
    suspects: dict[tuple[SuspectKind, str], Suspect] = field(default_factory=dict)
    changes: dict[int, NearChange] = field(default_factory=dict)
    causes: dict[int, Cause] = field(default_factory=dict)
    last_cause: int = 0  # the highest number that a cause ever had
    measures: dict[int, Measure] = field(default_factory=dict)
    guards: dict[int, GuardState] = field(default_factory=dict)
    repeats: dict[int, Repeat] = field(default_factory=dict)  # by postmortem
    repeated_by: list[int] = field(default_factory=list)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    impact: ImpactMeasured | None = None  # as it was measured last
    missing: dict[str, str] = field(default_factory=dict)  # what could not be measured: title -> reason
    mitigation: str = ""
    mitigating_change: int | None = None
    resolution: str = ""
    start_corrected: bool = False
    quiet_since: datetime | None = None  # when the last open alert resolved; None while one is open or before the first
    firing: int = 0  # how many of `alerts` fire now
    calm_at: datetime | None = None  # when an alert last resolved, whether or not others still fire
    severity_by_hand: bool = False  # a person judged it; alerts do not raise it any more
    notes: int = 0
    last_seq: int = 0
    acted_at: datetime | None = None  # when a person last did something
    last_at: datetime | None = None  # the latest `at` of all entries: the last sign of life

    @property
    def is_open(self) -> bool:
        """Whether people still have something to do here."""
        return self.status not in ("resolved", "merged")

    @property
    def open_alerts(self) -> list[OpenAlert]:
        """Alerts that are firing now, oldest first."""
        return [alert for alert in self.alerts.values() if alert.resolved_at is None]

    @property
    def duration(self) -> timedelta | None:
        """From start to resolved; None while it goes on."""
        return _between(self.started_at, self.resolved_at)

    @property
    def time_to_detect(self) -> timedelta | None:
        """From start to detected."""
        return _between(self.started_at, self.detected_at)

    @property
    def time_to_acknowledge(self) -> timedelta | None:
        """From detected to acknowledged."""
        return _between(self.detected_at, self.acknowledged_at)

    @property
    def time_to_cause(self) -> timedelta | None:
        """From detected until a suspect was found guilty."""
        return _between(self.detected_at, self.cause_found_at)

    @property
    def time_to_mitigate(self) -> timedelta | None:
        """From detected to mitigated."""
        return _between(self.detected_at, self.mitigated_at)

    @property
    def time_to_resolve(self) -> timedelta | None:
        """From detected to resolved."""
        return _between(self.detected_at, self.resolved_at)


def _between(earlier: datetime | None, later: datetime | None) -> timedelta | None:
    """The time between two moments, never negative (a start may be corrected past a later mark); None while one is missing."""
    if earlier is None or later is None:
        return None
    return max(later - earlier, timedelta(0))
