"""What pages, API and terminal may ask about guards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet

from unrepeat.prevention import store
from unrepeat.prevention.models import Guard, GuardText, Proof, Run, Tie
from unrepeat.support.problems import NotFound

PAGE = 50  # rows of a list
STRIP = 50  # runs in the strip of colours
COLOURS = ("red", "broken", "green", "none")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which guards. `colour`: one of COLOURS (none: has not run on its text); `proven`: yes, no; `flaky`, `late`: only those."""

    colour: str = ""
    kind: str = ""
    service: str = ""
    proven: str = ""
    flaky: bool = False
    late: bool = False
    retired: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class GuardList:
    """One page of a list."""

    rows: list[Guard]
    page: int
    pages: int
    total: int

    def __iter__(self) -> Iterator[Guard]:
        return iter(self.rows)


@dataclass(frozen=True, slots=True)
class Counts:
    """How the guards in service are."""

    total: int
    red: int
    broken: int
    green: int
    not_run: int
    proven: int
    flaky: int
    late: int


def counts(late_before: datetime) -> Counts:
    """How many guards are in which state; late are those that were due before that moment (UTC)."""
    found = Guard.objects.filter(retired_at=None).aggregate(
        total=Count("id"),
        red=Count("id", filter=Q(colour="red")),
        broken=Count("id", filter=Q(colour="broken")),
        green=Count("id", filter=Q(colour="green")),
        not_run=Count("id", filter=Q(colour="")),
        proven=Count("id", filter=Q(proven_digest=F("digest"))),
        flaky=Count("id", filter=Q(flaky=True)),
        late=Count("id", filter=Q(due_at__lt=late_before)),
    )
    return Counts(**found)


def guards(asked: Asked, late_before: datetime, *, page: int = 1, size: int = PAGE) -> GuardList:
    """One page of the list: what needs somebody first (red, broken), then by name."""
    rows = _chosen(asked, late_before)
    total = rows.count()
    pages = max(1, -(-total // size))
    page = min(max(page, 1), pages)
    return GuardList(list(_urgent(rows, (page - 1) * size, size)), page, pages, total)


def every(asked: Asked, late_before: datetime) -> Iterator[Guard]:
    """All of the list by name, a few hundred rows at a time."""
    return _chosen(asked, late_before).defer("spec").order_by("name").iterator(chunk_size=500)


def named(name: str) -> Guard:
    """A guard by its name; NotFound."""
    found = store.guard_named(name)
    if found is None:
        raise NotFound(f"There is no guard “{name[:60]}”.", remedy="The list of guards shows those there are.")
    return found


def exists(name: str) -> bool:
    """Whether a guard of that name is or was in service."""
    return store.guard_named(name) is not None


def names(limit: int) -> list[str]:
    """The names of guards in service, at most so many."""
    return list(Guard.objects.filter(retired_at=None).order_by("name").values_list("name", flat=True)[:limit])


def some(numbers: Iterable[int]) -> dict[int, Guard]:
    """These guards, by number, in the order asked."""
    wanted = list(numbers)
    found = Guard.objects.in_bulk(wanted)
    return {number: found[number] for number in wanted if number in found}


def services() -> list[str]:
    """The services that guards are about."""
    rows = Guard.objects.filter(retired_at=None).exclude(service="").order_by("service")
    return list(rows.values_list("service", flat=True).distinct()[:200])


def texts(number: int) -> list[GuardText]:
    """All texts of a guard, newest first."""
    return store.texts(number)


def runs(number: int, limit: int = STRIP) -> list[Run]:
    """The newest runs of a guard, without their output."""
    return store.runs(number, limit)


def run(number: int) -> Run:
    """One run with its output and its guard; NotFound."""
    return store.run(number)


def remedy(number: int, digest: str) -> str:
    """What the run of that digest says can be done; empty: nothing, or the run is not kept here."""
    found = store.run_of(number, digest)
    return found.remedy if found else ""


def proofs(number: int, limit: int = 10) -> list[Proof]:
    """The newest trials of a guard, with both runs."""
    return store.proofs(number, limit)


def ties(number: int) -> list[Tie]:
    """The measures that a guard watches over."""
    return store.ties(number)


def _chosen(asked: Asked, late_before: datetime) -> QuerySet[Guard]:
    rows = Guard.objects.exclude(retired_at=None) if asked.retired else Guard.objects.filter(retired_at=None)
    wanted: dict[str, Any] = {}
    if asked.colour:
        wanted["colour"] = "" if asked.colour == "none" else asked.colour
    if asked.kind:
        wanted["kind"] = asked.kind
    if asked.service:
        wanted["service"] = asked.service
    if asked.flaky:
        wanted["flaky"] = True
    if asked.late:
        wanted["due_at__lt"] = late_before
    if asked.text:
        wanted["name__icontains"] = asked.text
    rows = rows.filter(**wanted)
    if asked.proven == "yes":
        rows = rows.filter(proven_digest=F("digest"))
    elif asked.proven == "no":
        rows = rows.exclude(proven_digest=F("digest"))
    return rows


def _urgent(rows: QuerySet[Guard], start: int, size: int) -> list[Guard]:
    """Red first, then broken, then the rest, each by name; asked colour by colour, so that an index answers."""
    made: list[Guard] = []
    for part in (rows.filter(colour="red"), rows.filter(colour="broken"), rows.exclude(colour__in=("red", "broken"))):
        if len(made) >= size:
            break
        count = part.count() if start else 0
        if start and start >= count:
            start -= count
            continue
        taken = list(part.defer("spec").order_by("name")[start : start + size - len(made)])
        start = 0
        made += taken
    return made
