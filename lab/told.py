"""What Unrepeat's own investigation said of the outage, read from the incident's log: who was named how soon, and who was hurt."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

MACHINE = "unrepeat"
GUILTY = (("service", "sessions"), ("change", "sessions 2.0"))
INNOCENT = {"database", "load-balancer", "shop"}


@dataclass(frozen=True, slots=True)
class Told:
    """Seconds from the webhook until the machine had raised both the service and its change (None: it did not), whom it cleared
    and whom it raised wrongly, and the shares (slowed users, lost checkouts) that it measured over the whole outage.
    """

    named_s: float | None
    cleared: tuple[str, ...]
    wronged: tuple[str, ...]
    slow_share: float | None
    lost_share: float | None


@dataclass(frozen=True, slots=True)
class Raised:
    """A suspect that the machine raised by itself."""

    kind: str
    name: str
    reason: str

    @property
    def says_leak(self) -> bool:
        """Whether it was taken for a leak."""
        return "leak" in self.reason.lower()


def raised(log: list[dict[str, Any]]) -> list[Raised]:
    """All suspects that the machine raised or convicted, from the log's items."""
    kinds = ("suspect_raised", "suspect_convicted")
    entries = [item["entry"] for item in log if item["by"] == MACHINE and item["entry"]["kind"] in kinds]
    return [Raised(entry["suspect_kind"], entry["suspect"], entry["reason"]) for entry in entries]


def told(log: list[dict[str, Any]], heard: float) -> Told:
    """Read the log's items; `heard` is when the alert's webhook arrived (Unix seconds)."""
    by_machine = [item for item in log if item["by"] == MACHINE]
    named_at = {(kind, name): at for at, kind, name in _suspects(by_machine, "suspect_raised")}
    times = [named_at.get(one) for one in GUILTY]
    named = None if None in times else max(at for at in times if at is not None) - heard
    shares = [item["entry"]["shares"] for item in by_machine if item["entry"]["kind"] == "impact_measured"]
    return Told(
        named_s=None if named is None else round(named, 3),
        cleared=tuple(dict.fromkeys(name for _, _, name in _suspects(by_machine, "suspect_cleared"))),
        wronged=tuple(sorted(name for _, name in named_at if name in INNOCENT)),
        slow_share=_share(shares, "users slowed"),
        lost_share=_share(shares, "checkout lost"),
    )


def _suspects(items: list[dict[str, Any]], kind: str) -> list[tuple[float, str, str]]:
    return [
        (
            datetime.fromisoformat(item["recorded_at"]).timestamp(),
            item["entry"]["suspect_kind"],
            item["entry"]["suspect"],
        )
        for item in items
        if item["entry"]["kind"] == kind
    ]


def _share(said: list[list[dict[str, Any]]], name: str) -> float | None:
    """As it was measured last."""
    last = {share["name"]: share for share in said[-1]} if said else {}
    return last[name]["numerator"] / last[name]["denominator"] if name in last and last[name]["denominator"] else None
