"""Who was hurt, and how much: asked of a request log, each number with numerator, denominator, window, threshold and query.

The questions are ibis expressions, so that DuckDB, ClickHouse, Trino and Spark answer them alike.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ibis
from ibis import _

from unrepeat.investigation.telemetry.requests import RequestLog
from unrepeat.support.shares import wilson

FAILED_FROM = 500  # HTTP status from which a request counts as failed
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
GRACE = timedelta(minutes=5)  # after the window: an attempt that succeeds by then succeeded in the end


@dataclass(frozen=True, slots=True)
class Step:
    """A business step: an attempt is a request to one of `attempt`, success an answer below 400 to one of `success` (SQL LIKE patterns)."""

    name: str
    attempt: tuple[str, ...]
    success: tuple[str, ...]
    method: str = ""  # empty: any


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: requests from `start` until before `end` (UTC); slower than `slow_seconds` is slow, and `slow_source` says who says so.

    `shown`: the window of the stretches of time, when it is wider. `known_to`: what came later is not looked at.
    """

    start: datetime
    end: datetime
    slow_seconds: float
    slow_source: str
    step: Step | None = None
    bucket: timedelta = timedelta(minutes=1)
    shown: tuple[datetime, datetime] | None = None
    known_to: datetime | None = None

    def patience(self, end: datetime) -> datetime:
        """Until when an attempt that was made before `end` may still succeed."""
        return min(end + GRACE, self.known_to or end + GRACE)


@dataclass(frozen=True, slots=True)
class Share:
    """`numerator` of `denominator` `unit`; `low` and `high` bound the share with 95 % confidence (Wilson)."""

    name: str
    unit: str
    numerator: int
    denominator: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None when nobody was there."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def bounds(self) -> tuple[float, float]:
        """The Wilson interval at 95 %."""
        return wilson(self.numerator, self.denominator)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One stretch of time, `at` its start (UTC)."""

    at: datetime
    requests: int
    failed: int
    users: int
    slowed: int
    attempts: int
    lost: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class Impact:
    """The answer. `query` is the text that was run, `digest` a SHA-256 (hex) over query and result."""

    question: Question
    source: str
    users_slowed: Share
    users_failed: Share
    requests_failed: Share
    attempts_lost: Share | None
    buckets: tuple[Bucket, ...]
    unreadable: int
    query: str
    digest: str

    @property
    def shares(self) -> list[Share]:
        """All that was measured."""
        return [
            s for s in (self.users_slowed, self.users_failed, self.requests_failed, self.attempts_lost) if s is not None
        ]


def quiet_threshold(log: RequestLog, start: datetime, end: datetime, quantile: float = 0.999) -> float | None:
    """The request time (seconds) that all but one request in a thousand stay under in a quiet window; None when nothing was asked then."""
    quiet = _between(log.table, start, end)
    value = quiet.aggregate(limit=_quantile(_.seconds, quantile, exact=log.exact)).execute()["limit"].iloc[0]
    return None if value is None or math.isnan(value) else float(value)


def measure(log: RequestLog, question: Question) -> Impact:
    """Ask the log. Two queries: one over users, one over stretches of time."""
    totals, stretches = asked(log.table, question, exact=log.exact)
    sums = {name: _int(value) for name, value in totals.execute().iloc[0].items()}
    buckets = tuple(_bucket(row) for row in stretches.execute().to_dict("records"))
    query = f"{ibis.to_sql(totals)};\n\n{ibis.to_sql(stretches)};"
    users = sums["users"]
    shares = {
        "users_slowed": Share("users slowed", "users", sums["slowed"], users),
        "users_failed": Share("users who met an error", "users", sums["met_error"], users),
        "requests_failed": Share("requests failed", "requests", sums["failed"], sums["requests"]),
    }
    lost = Share(f"{question.step.name} lost", "attempts", sums["lost"], sums["tried"]) if question.step else None
    result = json.dumps([sums, [asdict(bucket) for bucket in buckets]], sort_keys=True, default=str)
    digest = hashlib.sha256(f"{query}\n{result}".encode()).hexdigest()
    return Impact(
        question,
        log.source,
        **shares,
        attempts_lost=lost,
        buckets=buckets,
        unreadable=log.unreadable,
        query=query,
        digest=digest,
    )


def asked(table: ibis.Table, question: Question, *, exact: bool = True) -> tuple[ibis.Table, ibis.Table]:
    """The two queries, for whatever engine the table is in. `exact`: whether it knows exact quantiles; shares are exact everywhere."""
    return _totals(table, question), _stretches(table, question, exact=exact)


def _totals(table: ibis.Table, question: Question) -> ibis.Table:
    """One row: users, those slowed, those who met an error, tries of the step and those lost; requests and failed ones."""
    marked = _marked(_between(table, question.start, question.patience(question.end)), question, question.end)
    visitors = marked.group_by("session").aggregate(
        here=_.inside.any(),
        slowed=(_.inside & _.slow).any(),
        met_error=(_.inside & _.failed).any(),
        tried=(_.inside & _.attempt).any(),
        won=_.success.any(),
        requests=_.inside.cast("int64").sum(),
        failed=(_.inside & _.failed).cast("int64").sum(),
    )
    known = visitors.session != ""
    return visitors.aggregate(
        users=(known & _.here).cast("int64").sum(),
        slowed=(known & _.slowed).cast("int64").sum(),
        met_error=(known & _.met_error).cast("int64").sum(),
        tried=(known & _.tried).cast("int64").sum(),
        lost=(known & _.tried & ~_.won).cast("int64").sum(),
        requests=_.requests.sum(),
        failed=_.failed.sum(),
    )


def _stretches(table: ibis.Table, question: Question, *, exact: bool) -> ibis.Table:
    """One row a stretch of time, in order."""
    start, end = question.shown or (question.start, question.end)
    marked = _marked(_between(table, start, question.patience(end)), question, end)
    seconds = question.bucket.total_seconds()
    marked = marked.mutate(stretch=(_.at / seconds).floor().cast("int64"))
    won = marked.group_by("session").aggregate(won=_.success.any())
    inside = marked.filter(_.inside)
    requests = inside.group_by("stretch").aggregate(
        requests=_.count(),
        failed=_.failed.cast("int64").sum(),
        **{name: _quantile(_.seconds, share, exact=exact) for name, share in QUANTILES.items()},
    )
    people = (
        inside.filter(_.session != "")
        .group_by(["stretch", "session"])
        .aggregate(slowed=_.slow.any(), tried=_.attempt.any())
        .left_join(won, "session")
        .group_by("stretch")
        .aggregate(
            users=_.count(),
            slowed=_.slowed.cast("int64").sum(),
            attempts=_.tried.cast("int64").sum(),
            lost=(_.tried & ~_.won).cast("int64").sum(),
        )
    )
    joined = requests.left_join(people, "stretch").drop("stretch_right")
    return joined.mutate(at_seconds=(_.stretch * seconds).cast("float64")).order_by("stretch")


def _quantile(column: Any, share: float, *, exact: bool) -> Any:
    return column.quantile(share) if exact else column.approx_quantile(share)


def _marked(table: ibis.Table, question: Question, end: datetime) -> ibis.Table:
    """Each request with what it is: inside the window, slow, failed, an attempt, a success."""
    step = question.step
    no = ibis.literal(False)
    attempt = _matches(table, step.attempt, step.method) if step else no
    success = (_matches(table, step.success, step.method) & (table.status < 400)) if step else no
    return table.select(
        "at",
        "session",
        "seconds",
        inside=table.at < end.timestamp(),
        slow=table.seconds > question.slow_seconds,
        failed=table.status >= FAILED_FROM,
        attempt=attempt,
        success=success,
    )


def _matches(table: ibis.Table, patterns: Sequence[str], method: str) -> Any:
    found = table.path.like(list(patterns))
    return found & (table.method == method) if method else found


def _between(table: ibis.Table, start: datetime, end: datetime) -> ibis.Table:
    return table.filter((table.at >= start.timestamp()) & (table.at < end.timestamp()))


def _int(value: Any) -> int:
    return 0 if value is None or value != value else int(value)  # noqa: PLR0124 (NaN)


def _bucket(row: dict[str, Any]) -> Bucket:
    return Bucket(
        at=datetime.fromtimestamp(row["at_seconds"], UTC),
        requests=_int(row["requests"]),
        failed=_int(row["failed"]),
        users=_int(row["users"]),
        slowed=_int(row["slowed"]),
        attempts=_int(row["attempts"]),
        lost=_int(row["lost"]),
        p50=float(row["p50"]),
        p95=float(row["p95"]),
        p99=float(row["p99"]),
    )
