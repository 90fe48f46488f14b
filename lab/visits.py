"""The load generator's own count: who met a slow request, who wanted to pay and never could."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SLOW_SECONDS = 0.5
BUYING = ("checkout", "pay")


@dataclass(frozen=True, slots=True)
class Visit:
    """One visitor's time in the shop; times in seconds since the epoch."""

    began: float
    requests: tuple[dict[str, Any], ...]
    finished: bool

    @property
    def slow(self) -> bool:
        """Any request took over half a second."""
        return any(request["seconds"] > SLOW_SECONDS for request in self.requests)

    @property
    def tried_to_pay_at(self) -> float | None:
        """When the visitor first clicked checkout; None for one who only looked."""
        clicks = [request["at"] for request in self.requests if request["page"] == "checkout"]
        return min(clicks) if clicks else None

    @property
    def paid(self) -> bool:
        """The payment succeeded in the end, all repeats included."""
        return any(request["page"] == "pay" and 200 <= request["status"] < 300 for request in self.requests)


@dataclass(frozen=True, slots=True)
class Shares:
    """Counts over a window. A share of nobody is None."""

    visitors: int
    slow: int
    buyers: int
    lost: int

    @property
    def slow_share(self) -> float | None:
        """Visitors with a slow request, of all visitors who came in the window."""
        return self.slow / self.visitors if self.visitors else None

    @property
    def failed_share(self) -> float | None:
        """Buyers who never succeeded, of all who first clicked checkout in the window."""
        return self.lost / self.buyers if self.buyers else None


def read(path: Path) -> list[Visit]:
    """All visits of a run."""
    with path.open() as lines:
        return [_visit(json.loads(line)) for line in lines]


def shares(visits: Iterable[Visit], start: float, end: float) -> Shares:
    """What happened to those who came, and to those who wanted to pay, from `start` to `end`."""
    known = list(visits)
    came = [visit for visit in known if start <= visit.began < end and visit.requests]
    tried = [visit for visit in known if start <= (visit.tried_to_pay_at or 0.0) < end]
    return Shares(
        visitors=len(came),
        slow=sum(visit.slow for visit in came),
        buyers=len(tried),
        lost=sum(not visit.paid for visit in tried),
    )


def slow_of_those_there(visits: Iterable[Visit], start: float, end: float) -> float | None:
    """Who met a slow answer from `start` to `end`, of all who got any answer then, whenever they came; None of nobody.

    The question that a request log can answer for the same window; `shares` counts by arrival, and follows a visit to its end.
    """
    answered = [[one for one in v.requests if start <= one["at"] + one["seconds"] < end] for v in visits]
    there = [requests for requests in answered if requests]
    return sum(any(one["seconds"] > SLOW_SECONDS for one in r) for r in there) / len(there) if there else None


def _visit(line: dict[str, Any]) -> Visit:
    return Visit(line["began"], tuple(line["requests"]), line["finished"])
