"""A short story of visitors as a load balancer logs it: Ada pays, Ben is slowed and pays in the end, Cleo never, Dana later."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from unrepeat.investigation.impact import Question, Step

NOON = datetime(2024, 8, 12, 12, 0, tzinfo=UTC)
CHECKOUT = Step("checkout", ("/checkout",), ("/pay",), "POST")
QUESTION = Question(NOON, NOON + timedelta(seconds=180), 0.5, "objective of shop", CHECKOUT)


def line(after, session, path="/product/1", *, seconds=0.01, status=200, method="GET"):
    """One line of the load balancer's log, `after` seconds past noon."""
    at = NOON.timestamp() + after
    fields = {"at": at, "method": method, "path": path, "status": status, "request_time": seconds, "session": session}
    return json.dumps(fields)


STORY = [
    line(1, "ada"),
    line(2, "ada", "/checkout", method="POST"),
    line(3, "ada", "/pay", method="POST"),  # paid at once
    line(60, "ben", seconds=0.9),  # slowed
    line(62, "ben", "/checkout", method="POST"),
    line(64, "ben", "/pay", status=409, method="POST"),
    line(70, "ben", "/pay", method="POST"),  # in the end, paid
    line(65, "cleo", "/checkout", seconds=2.0, status=503, method="POST"),  # slowed, met an error, never paid
    line(130, "dana", "/checkout", method="POST"),  # tries inside the window, pays after it
    line(200, "dana", "/pay", method="POST"),
    line(66, "", seconds=3.0),  # nobody known
]


def told(impact):
    """The shares of an impact, by name."""
    return {share.name: (share.numerator, share.denominator) for share in impact.shares}
