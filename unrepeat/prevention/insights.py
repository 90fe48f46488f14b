"""What many outages say together, counted in the database from summary rows: never of one person or one team.

Months are those of the server's zone; only outages that began in the last `MONTHS` of them are counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet

from unrepeat.incidents import causes
from unrepeat.incidents.models import Incident, MeasureRow
from unrepeat.prevention.models import Guard

MONTHS = 24
MERGED = "merged"  # an incident that went on in another one is no outage of its own


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the server's zone: when it begins, and when the next one does."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """`2024-08`."""
        return f"{self.start:%Y-%m}"


@dataclass(frozen=True, slots=True)
class RepeatMonth:
    """How many outages began in a month, and how many of them a person called a repeat."""

    month: Month
    outages: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Words:
    """How often each word of one list of causes was given, the most frequent first; `unnamed` outages have none."""

    role: str
    title: str
    counts: tuple[tuple[str, int], ...]
    unnamed: int


@dataclass(frozen=True, slots=True)
class Times:
    """How long something took, in seconds, shortest first; `missing`: outages in which it did not happen, or is not known."""

    name: str
    title: str
    seconds: tuple[int, ...]
    missing: int

    def quantile(self, share: float) -> int | None:
        """The time within which that share of the outages had it behind them (nearest rank)."""
        if not self.seconds:
            return None
        return self.seconds[max(0, math.ceil(share * len(self.seconds) - 1e-9) - 1)]


@dataclass(frozen=True, slots=True)
class MeasureMonth:
    """How many measures stood how at the end of a month (or now)."""

    month: Month
    open: int
    done: int
    verified: int
    failed: int


@dataclass(frozen=True, slots=True)
class KindCovered:
    """Guards of one kind: proven and green, proven but red or broken, not proven."""

    kind: str
    holding: int
    alarming: int
    unproven: int


@dataclass(frozen=True, slots=True)
class Behind:
    """How many standing measures have which support."""

    proven: int
    unproven: int
    nothing: int


def months(now: datetime, zone: str, count: int = MONTHS) -> list[Month]:
    """The last months, the present one last."""
    local = now.astimezone(ZoneInfo(zone))
    last = local.year * 12 + local.month - 1
    starts = [_first(number, zone) for number in range(last - count + 1, last + 2)]
    return [Month(start, end) for start, end in pairwise(starts)]


def worth_showing(asked: list[Month], least: int = 12) -> list[Month]:
    """The months from the first one on in which there was an outage or a measure; some at least."""
    first = (
        Incident.objects.filter(opened_at__gte=asked[0].start)
        .order_by("opened_at")
        .values_list("opened_at", flat=True)
        .first()
    )
    older = MeasureRow.objects.filter(proposed_at__lt=asked[0].end).exists()
    if older or first is None:
        return asked if older else asked[-least:]
    return [month for i, month in enumerate(asked) if month.end > first or i >= len(asked) - least]


def _first(number: int, zone: str) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=ZoneInfo(zone))


def repeats(asked: Sequence[Month]) -> list[RepeatMonth]:
    """Outages and repeats by month."""
    rows = Incident.objects.exclude(status=MERGED)
    outages = _by_month(rows.filter(opened_at__gte=asked[0].start), "opened_at", asked)
    again = _by_month(rows.filter(opened_at__gte=asked[0].start, repeat_of__isnull=False), "opened_at", asked)
    return [RepeatMonth(*one) for one in zip(asked, outages, again, strict=True)]


def causes_and_times(since: datetime) -> tuple[list[Words], list[Times]]:
    """Words for triggers, causes and factors, and the three times, from one reading of the rows."""
    rows = Incident.objects.filter(opened_at__gte=since).exclude(status=MERGED)
    read = list(rows.values_list("to_detect", "to_cause", "to_mitigate", "causes"))
    times = [
        _times("to_detect", "From the start until it was detected", [row[0] for row in read]),
        _times("to_cause", "From detected until the guilty was named", [row[1] for row in read]),
        _times("to_mitigate", "From detected until the harm stopped", [row[2] for row in read]),
    ]
    return _words([row[3] for row in read]), times


def measures(asked: Sequence[Month], now: datetime) -> list[MeasureMonth]:
    """How measures stood at the end of each month, from the moments that their rows keep: proposed, done, verified, failed."""
    rows = MeasureRow.objects.exclude(state="dropped")
    moments = [min(month.end, now) for month in asked]
    wanted = {
        f"{name}{i}": Count("id", filter=Q(**{f"{name}_at__lt": at}))
        for i, at in enumerate(moments)
        for name in ("proposed", "done", "verified", "failed")
    }
    found = rows.aggregate(**wanted)
    made = []
    for i, month in enumerate(asked):
        proposed, done, verified, failed = (found[f"{name}{i}"] for name in ("proposed", "done", "verified", "failed"))
        stands = max(0, verified - failed)
        made.append(MeasureMonth(month, max(0, proposed - done), max(0, done - stands - failed), stands, failed))
    return made


def guards_by_kind() -> list[KindCovered]:
    """Guards in service by kind, the most frequent kind first."""
    proven = Q(proven_digest=F("digest"))
    rows = (
        Guard.objects.filter(retired_at=None)
        .values("kind")
        .annotate(
            holding=Count("id", filter=proven & ~Q(colour__in=("red", "broken"))),
            alarming=Count("id", filter=proven & Q(colour__in=("red", "broken"))),
            unproven=Count("id", filter=~proven),
        )
    )
    made = [KindCovered(**row) for row in rows]
    return sorted(made, key=lambda one: (-(one.holding + one.alarming + one.unproven), one.kind))


def behind() -> Behind:
    """What stands behind the measures that are not dropped."""
    found = MeasureRow.objects.exclude(state="dropped").aggregate(
        with_proof=Count("id", filter=Q(proven__gt=0)),
        with_guard=Count("id", filter=Q(guards__gt=0)),
        every=Count("id"),
    )
    return Behind(found["with_proof"], found["with_guard"] - found["with_proof"], found["every"] - found["with_guard"])


def _by_month(rows: QuerySet[Incident], column: str, asked: Sequence[Month]) -> list[int]:
    wanted = {
        f"m{i}": Count("id", filter=Q(**{f"{column}__gte": month.start, f"{column}__lt": month.end}))
        for i, month in enumerate(asked)
    }
    found = rows.aggregate(**wanted)
    return [found[f"m{i}"] for i in range(len(asked))]


def _words(read: Iterable[list[list[str]]]) -> list[Words]:
    counted: dict[str, Counter[str]] = {role: Counter() for role in causes.ROLES}
    named, total = Counter[str](), 0
    for own in read:
        total += 1
        roles = set()
        for role, value in own:
            if role in counted:
                counted[role][value] += 1
                roles.add(role)
        named.update(roles)
    made = []
    for role, title in causes.ROLES.items():
        words = causes.WORDS[role]
        ranked = sorted(counted[role].items(), key=lambda one: (-one[1], one[0]))
        made.append(
            Words(role, title, tuple((words.get(v, v.replace("_", " ")), n) for v, n in ranked), total - named[role])
        )
    return made


def _times(name: str, title: str, read: list[int | None]) -> Times:
    known = sorted(one for one in read if one is not None)
    return Times(name, title, tuple(known), len(read) - len(known))
