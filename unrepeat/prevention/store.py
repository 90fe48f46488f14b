"""The only reads and writes of the tables of guards, their runs, proofs, ties and recordings."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from unrepeat.prevention.models import Guard, GuardText, Proof, Recording, Run, Tie
from unrepeat.support.problems import NotFound


def guard(number: int, *, hold: bool = False) -> Guard:
    """A guard by its number, held until the transaction ends when asked; NotFound."""
    rows = Guard.objects.select_for_update() if hold else Guard.objects.all()
    found = rows.filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no guard {number}.", remedy="`unrepeat guard list` shows the guards there are.")
    return found


def guard_named(name: str, *, hold: bool = False) -> Guard | None:
    """A guard by its name."""
    rows = Guard.objects.select_for_update() if hold else Guard.objects.all()
    return rows.filter(name=name).first()


def guards(**wanted: Any) -> QuerySet[Guard]:
    """Guards in service, by name."""
    return Guard.objects.filter(retired_at=None, **wanted).order_by("name")


def make_guard(**columns: Any) -> Guard:
    """A new guard."""
    return Guard.objects.create(**columns)


def save_guard(found: Guard, **columns: Any) -> None:
    """Set columns of a guard."""
    for name, value in columns.items():
        setattr(found, name, value)
    found.save(update_fields=list(columns))


def add_text(found: Guard, *, by: str, at: datetime) -> None:
    """Keep the guard's present text as its newest."""
    seq = GuardText.objects.filter(guard=found).count() + 1
    GuardText.objects.create(guard=found, seq=seq, spec=found.spec, digest=found.digest, by=by, at=at)


def texts(number: int) -> list[GuardText]:
    """All texts of a guard, newest first."""
    return list(GuardText.objects.filter(guard_id=number).order_by("-seq"))


# --- ties


def tie(found: Guard, incident: int, measure: int) -> bool:
    """Tie a guard to a measure; whether it was not tied before."""
    _, new = Tie.objects.get_or_create(guard=found, incident_id=incident, measure=measure)
    if new:
        save_guard(found, measures=Tie.objects.filter(guard=found).count())
    return new


def untie(found: Guard, incident: int, measure: int) -> bool:
    """Untie a guard from a measure; whether it was tied."""
    gone, _ = Tie.objects.filter(guard=found, incident_id=incident, measure=measure).delete()
    if gone:
        save_guard(found, measures=Tie.objects.filter(guard=found).count())
    return bool(gone)


def ties(number: int) -> list[Tie]:
    """The measures that a guard watches over."""
    return list(Tie.objects.filter(guard_id=number).order_by("incident_id", "measure"))


def incidents_of(number: int) -> list[int]:
    """The incidents whose measures a guard watches over."""
    return list(
        Tie.objects.filter(guard_id=number).order_by("incident_id").values_list("incident_id", flat=True).distinct()
    )


def ties_of(incidents: Iterable[int]) -> list[Tie]:
    """The ties of these incidents' measures, with their guards."""
    return list(Tie.objects.filter(incident_id__in=list(incidents)).select_related("guard").order_by("pk"))


# --- runs and proofs


def run_by_key(key: str) -> Run | None:
    """The run that was sent under this key before."""
    return Run.objects.filter(key=key).first()


def add_run(**columns: Any) -> Run:
    """Append a run."""
    return Run.objects.create(**columns)


def run(number: int) -> Run:
    """A run by its number; NotFound."""
    found = Run.objects.filter(pk=number).select_related("guard").first()
    if found is None:
        raise NotFound(f"There is no run {number}.")
    return found


def runs(number: int, limit: int = 50) -> list[Run]:
    """The newest runs of a guard, without their output."""
    return list(Run.objects.filter(guard_id=number).order_by("-at", "-pk").defer("output")[:limit])


def colours_on(found: Guard, ref: str) -> set[str]:
    """The colours, red and green, that the guard's present text had in regular runs on one commit or version."""
    rows = Run.objects.filter(guard=found, ref=ref, guard_digest=found.digest, side="now", colour__in=("red", "green"))
    return set(rows.values_list("colour", flat=True).distinct())


def add_proof(**columns: Any) -> Proof:
    """Append a proof, or a trial that was none."""
    return Proof.objects.create(**columns)


def proofs(number: int, limit: int = 20) -> list[Proof]:
    """The newest proofs and trials of a guard, with their runs."""
    rows = Proof.objects.filter(guard_id=number).select_related("failure", "fix")
    return list(rows.order_by("-at", "-pk")[:limit])


def newest_proof(found: Guard) -> Proof | None:
    """The newest trial of a guard's present text, with its runs."""
    rows = Proof.objects.filter(guard=found, guard_digest=found.digest).select_related("failure", "fix")
    return rows.order_by("-at", "-pk").first()


def by_colour() -> dict[str, int]:
    """How many guards in service have which colour; the empty one has not run."""
    rows = Guard.objects.filter(retired_at=None).values("colour").annotate(n=Count("id"))
    return {row["colour"]: row["n"] for row in rows}


# --- recordings


def recordings() -> list[Recording]:
    """All recordings, by name."""
    return list(Recording.objects.order_by("name"))


def keep_recording(name: str, **columns: Any) -> Recording:
    """A recording, made or brought up to date."""
    found, _ = Recording.objects.update_or_create(name=name, defaults=columns)
    return found


# --- the patrol


def due(now: datetime, limit: int) -> QuerySet[Guard]:
    """Guards that the server has to run now, the longest overdue first."""
    return Guard.objects.filter(retired_at=None, due_at__lte=now).order_by("due_at", "pk")[:limit]


def next_due() -> datetime | None:
    """When the server has to run a guard next (UTC)."""
    rows = Guard.objects.filter(retired_at=None, due_at__isnull=False)
    found: datetime | None = rows.aggregate(at=Min("due_at"))["at"]
    return found
