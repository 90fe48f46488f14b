"""What many outages say together, counted in the database from summary rows: never of one person or one team.

Months are those of UTC, told apart in the database by the first letters of a moment; only those that are asked for are counted.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Count, F, Min, Q, TextField
from django.db.models.functions import Cast, Substr

from unrepeat.incidents import causes, measure_queries
from unrepeat.incidents.models import Incident, MeasureRow
from unrepeat.prevention.models import Guard

YEARS = (1, 2, 5)  # that a page may go back
MONTHS = 24
MERGED = "merged"  # an incident that went on in another one is no outage of its own


@dataclass(frozen=True, slots=True)
class RepeatMonth:
    """How many outages opened in a month, and how many of them a person called a repeat."""

    month: str  # 2024-08
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

    month: str
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


def months(now: datetime, count: int = MONTHS) -> list[str]:
    """The last months, the present one last: `2024-08`."""
    last = now.astimezone(UTC).year * 12 + now.astimezone(UTC).month - 1
    return [f"{number // 12}-{number % 12 + 1:02}" for number in range(last - count + 1, last + 1)]


def began(month: str) -> datetime:
    """When a month began."""
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00")


def worth_showing(asked: list[str], least: int = 12) -> list[str]:
    """The months from the first one on in which there was an outage or a measure; some at least."""
    firsts = [
        Incident.objects.filter(opened_at__gte=began(asked[0])).aggregate(at=Min("opened_at"))["at"],
        MeasureRow.objects.aggregate(at=Min("proposed_at"))["at"],
    ]
    first = min((f"{at:%Y-%m}" for at in firsts if at is not None), default=asked[-1])
    return [month for i, month in enumerate(asked) if month >= first or i >= len(asked) - least]


def repeats(asked: Sequence[str]) -> list[RepeatMonth]:
    """Outages and repeats by month."""
    rows = Incident.objects.filter(opened_at__gte=began(asked[0])).exclude(status=MERGED)
    counted = rows.annotate(month=_month("opened_at")).values("month").order_by()
    found = {row["month"]: row for row in counted.annotate(outages=Count("id"), again=Count("repeat_of"))}
    return [
        RepeatMonth(month, *((found[month]["outages"], found[month]["again"]) if month in found else (0, 0)))
        for month in asked
    ]


def causes_named(since: datetime) -> list[Words]:
    """How often each word for triggers, causes and factors was given: outages with the same words are read once."""
    rows = Incident.objects.filter(opened_at__gte=since).exclude(status=MERGED)
    counted = rows.annotate(text=Cast("causes", TextField())).values("text").order_by().annotate(n=Count("id"))
    return _words([(json.loads(row["text"]), row["n"]) for row in counted])


def times(since: datetime) -> list[Times]:
    """The three times of the outages that began since then."""
    rows = Incident.objects.filter(opened_at__gte=since).exclude(status=MERGED).order_by()
    read = list(rows.values_list("to_detect", "to_cause", "to_mitigate"))
    return [
        _times("to_detect", "From the start until it was detected", [row[0] for row in read]),
        _times("to_cause", "From detected until the guilty was named", [row[1] for row in read]),
        _times("to_mitigate", "From detected until the harm stopped", [row[2] for row in read]),
    ]


def measures(asked: Sequence[str]) -> list[MeasureMonth]:
    """How measures stood at the end of each month (of the present one: now), from each change of state that their logs tell."""
    coming = measure_queries.turns()
    made, standing, place = [], Counter[str](), 0
    for month in asked:
        while place < len(coming) and coming[place][0] <= month:
            _, state, before, count = coming[place]
            standing[state] += count
            standing[before] -= count
            place += 1
        made.append(MeasureMonth(month, *(max(0, standing[state]) for state in measure_queries.COLUMNS)))
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


def _month(column: str) -> Substr:
    """The month of a moment as the database tells it in words, in UTC: without any converter of rows."""
    return Substr(Cast(column, TextField()), 1, 7)


def _words(read: Iterable[tuple[list[list[str]], int]]) -> list[Words]:
    counted: dict[str, Counter[str]] = {role: Counter() for role in causes.ROLES}
    named, total = Counter[str](), 0
    for own, n in read:
        total += n
        for role, value in own:
            if role in counted:
                counted[role][value] += n
        for role in {role for role, _ in own}:
            named[role] += n
    made = []
    for role, title in causes.ROLES.items():
        words = causes.WORDS[role]
        ranked = sorted(counted[role].items(), key=lambda one: (-one[1], one[0]))
        told = tuple((words.get(v, v.replace("_", " ")), n) for v, n in ranked)
        made.append(Words(role, title, told, total - named[role]))
    return made


def _times(name: str, title: str, read: list[int | None]) -> Times:
    known = sorted(one for one in read if one is not None)
    return Times(name, title, tuple(known), len(read) - len(known))
