"""All that was told to Unrepeat in a run, in the order in which it was told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body that went in; `at` in seconds since the epoch."""

    at: float
    source: str
    kind: str
    headers: dict[str, str]
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did."""

    at: float
    by: str
    act: str
    args: dict[str, Any]


@dataclass(slots=True)
class Journal:
    """Deliveries that the lab itself sent (the changes), and people's acts. Alerts are Alertmanager's to send."""

    deliveries: list[Delivery] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
