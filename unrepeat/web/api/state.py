"""An incident's state as JSON: what folding its log gives, with all durations."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from ninja import Schema
from pydantic import Field

from unrepeat.incidents.entries import ImpactMeasured
from unrepeat.incidents.state import Evidence, Measure, NearChange, OpenAlert, Repeat, State, Suspect

_LISTS = ("alerts", "suspects", "changes", "measures", "repeats", "evidence")


class Durations(Schema):
    """Lengths of time in seconds; null while an end is missing."""

    total: float | None = Field(description="From start to resolved.")
    to_detect: float | None = Field(description="From start to detected.")
    to_acknowledge: float | None = Field(description="From detected to acknowledged.")
    to_cause: float | None = Field(description="From detected until a suspect was found guilty.")
    to_mitigate: float | None = Field(description="From detected to mitigated.")
    to_resolve: float | None = Field(description="From detected to resolved.")


class StateShape(Schema):
    """What folding the log gives. Times that have not come yet are null."""

    title: str
    severity: str
    status: str
    time_zone: str
    rule: str
    services: list[str]
    started_at: datetime | None
    detected_at: datetime | None
    acknowledged_at: datetime | None
    cause_found_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    resolved_by_itself: bool
    start_corrected: bool
    reopened: int
    merged_into: int | None
    merged_from: list[int]
    roles: dict[str, str]
    escalated_to: list[str]
    alerts: list[OpenAlert]
    suspects: list[Suspect]
    changes: list[NearChange]
    measures: list[Measure]
    repeats: list[Repeat] = Field(
        description="Past failures that this may be, or that a person has confirmed or rejected."
    )
    repeated_by: list[int] = Field(description="Incidents in which this failure came back.")
    evidence: list[Evidence]
    impact: ImpactMeasured | None = Field(description="Who was hurt, as the log says it last; null: see `missing`.")
    missing: dict[str, str] = Field(description="What could not be measured, and why.")
    mitigation: str
    mitigating_change: int | None
    resolution: str
    notes: int
    last_seq: int
    is_open: bool
    durations: Durations


def state_plain(state: State) -> dict[str, Any]:
    """A state as JSON has it."""
    plain = {name: getattr(state, name) for name in StateShape.model_fields if name not in (*_LISTS, "durations")}
    lists = {name: [asdict(one) for one in getattr(state, name).values()] for name in _LISTS}
    return plain | lists | {"durations": _durations(state)}


def _durations(state: State) -> dict[str, float | None]:
    return {
        "total": _seconds(state.duration),
        "to_detect": _seconds(state.time_to_detect),
        "to_acknowledge": _seconds(state.time_to_acknowledge),
        "to_cause": _seconds(state.time_to_cause),
        "to_mitigate": _seconds(state.time_to_mitigate),
        "to_resolve": _seconds(state.time_to_resolve),
    }


def _seconds(length: timedelta | None) -> float | None:
    return None if length is None else length.total_seconds()
