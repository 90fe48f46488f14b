"""What the service holds: a session, and a visit to one page within it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Session:
    """One visitor of the shop. All times are seconds since the epoch.

    `visits` counts the visits that were tracked for this session; it stays 0 in releases without tracking.
    The two `..._until` fields are the guard against paying twice, see `store.SessionStore`.
    """

    id: str
    created: float
    touched: float
    visitor: dict[str, str] = field(default_factory=dict)
    cart: list[dict[str, Any]] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    checkout_until: float = 0.0
    payment_until: float = 0.0
    visits: int = 0

    def as_json(self) -> dict[str, Any]:
        """The session as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Session:
        """The reverse of `as_json`; the visits are counted anew as they are tracked again."""
        return cls(**{**value, "visits": 0})


@dataclass(slots=True)
class Visit:
    """What one page showed to a visitor: the context from which the shop recommends."""

    at: float
    page: str
    shown: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """The visit as plain JSON values."""
        return {"at": self.at, "page": self.page, "shown": self.shown}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Visit:
        """The reverse of `as_json`."""
        return cls(at=value["at"], page=value["page"], shown=value["shown"])
