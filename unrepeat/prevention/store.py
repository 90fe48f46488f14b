"""The only reads and writes of the tables of guards, their runs, proofs, ties and recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet

from unrepeat.incidents.models import MeasureRow
from unrepeat.postmortems.models import Postmortem
from unrepeat.prevention.models import CheckToken, Guard, GuardText, Proof, Recording, Run, Tie
from unrepeat.support.problems import NotFound


def guard(number: int, *, hold: bool = False) -> Guard:
    """A guard by its number, held until the transaction ends when asked; NotFound."""
    rows = Guard.objects.select_for_update() if hold else Guard.objects.all()
    found = rows.filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no guard {number}.", remedy="`unrepeat guard list` shows the guards there are.")
    return found


def hold_guards(numbers: Iterable[int]) -> dict[int, Guard]:
    """Guards by number, held until the transaction ends, always in the same order."""
    rows = Guard.objects.select_for_update().filter(pk__in=list(numbers)).order_by("pk")
    return {row.pk: row for row in rows}


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


def save_guards(changed: Iterable[Guard], columns: Sequence[str]) -> None:
    """Set columns of many guards that are held, by few statements."""
    Guard.objects.bulk_create(changed, update_conflicts=True, unique_fields=["id"], update_fields=list(columns))


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


def ties_of_guards(guards: Iterable[int]) -> list[Tie]:
    """The ties of these guards, with their incidents."""
    rows = Tie.objects.filter(guard_id__in=list(guards)).select_related("incident")
    return list(rows.order_by("guard_id", "incident_id", "measure"))


def measure_rows(incidents: Iterable[int]) -> dict[tuple[int, int], MeasureRow]:
    """The measures of these incidents, by incident and number."""
    rows = MeasureRow.objects.filter(incident_id__in=set(incidents))
    return {(row.incident_id, row.number): row for row in rows}


def postmortems_of(incidents: Iterable[int]) -> dict[int, Postmortem]:
    """The postmortems of these incidents, by incident."""
    return {row.incident_id: row for row in Postmortem.objects.filter(incident_id__in=set(incidents))}


def concerns(incident: int, measure: int, service: str) -> bool:
    """Whether a measure is one of an outage in which this service took part."""
    rows = MeasureRow.objects.filter(incident_id=incident, number=measure).select_related("incident")
    found = rows.first()
    return found is not None and (found.service == service or service in found.incident.services)


def incident_of_postmortem(number: int) -> int | None:
    """The incident that a postmortem is about."""
    return Postmortem.objects.filter(pk=number).values_list("incident_id", flat=True).first()


# --- runs and proofs


def run_by_key(key: str) -> Run | None:
    """The run that was sent under this key before."""
    return Run.objects.filter(key=key).first()


def add_runs(made: Iterable[Run]) -> None:
    """Append runs."""
    Run.objects.bulk_create(made)


def run(number: int) -> Run:
    """A run by its number; NotFound."""
    found = Run.objects.filter(pk=number).select_related("guard").first()
    if found is None:
        raise NotFound(f"There is no run {number}.")
    return found


def run_of(guard: int, digest: str) -> Run | None:
    """The newest run of a guard with that digest, without its output; None when it is not kept here."""
    return Run.objects.filter(guard_id=guard, digest=digest).order_by("-at", "-pk").defer("output").first()


def runs(number: int, limit: int = 50) -> list[Run]:
    """The newest runs of a guard, without their output."""
    return list(Run.objects.filter(guard_id=number).order_by("-at", "-pk").defer("output")[:limit])


def run_page(number: int, start: int, count: int) -> tuple[list[Run], int]:
    """Some of a guard's runs, newest first and without their output; and how many there are."""
    rows = Run.objects.filter(guard_id=number)
    return list(rows.order_by("-at", "-pk").defer("output")[start : start + count]), rows.count()


def proof_page(number: int, start: int, count: int) -> tuple[list[Proof], int]:
    """Some of a guard's trials, newest first, with their runs; and how many there are."""
    rows = Proof.objects.filter(guard_id=number)
    chosen = rows.select_related("failure", "fix").order_by("-at", "-pk")[start : start + count]
    return list(chosen), rows.count()


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


def proof_of_run(found: Run) -> Proof | None:
    """The trial whose run on the failure this is."""
    return Proof.objects.filter(failure=found).select_related("failure", "fix").first()


def by_colour() -> dict[str, int]:
    """How many guards in service have which colour; the empty one has not run."""
    rows = Guard.objects.filter(retired_at=None).values("colour").annotate(n=Count("id"))
    return {row["colour"]: row["n"] for row in rows}


# --- recordings


def recordings() -> list[Recording]:
    """All recordings, by name."""
    return list(Recording.objects.order_by("name"))


def recording(name: str) -> Recording | None:
    """A recording by its name."""
    return Recording.objects.filter(name=name).first()


def keep_recording(name: str, **columns: Any) -> Recording:
    """A recording, made or brought up to date."""
    found, _ = Recording.objects.update_or_create(name=name, defaults=columns)
    return found


# --- the patrol


def due(now: datetime, limit: int, *, but: Collection[int] = (), without: Collection[str] = ()) -> list[Guard]:
    """Guards that the server has to run now, the longest overdue first: but these, and without these kinds."""
    rows = Guard.objects.filter(retired_at=None, due_at__lte=now).exclude(pk__in=list(but))
    return list(rows.exclude(kind__in=list(without)).order_by("due_at", "pk")[:limit])


def put_off(numbers: Collection[int], until: datetime) -> None:
    """These guards are not due before then."""
    Guard.objects.filter(pk__in=list(numbers), due_at__lt=until).update(due_at=until)


def next_due() -> datetime | None:
    """When the server has to run a guard next (UTC)."""
    rows = Guard.objects.filter(retired_at=None, due_at__isnull=False)
    found: datetime | None = rows.aggregate(at=Min("due_at"))["at"]
    return found


# --- tokens of runners


def add_check_token(**columns: Any) -> CheckToken:
    """A new token."""
    return CheckToken.objects.create(**columns)


def check_token(number: int) -> CheckToken | None:
    """A token by its number."""
    return CheckToken.objects.filter(pk=number).first()


def check_token_by_hash(hashed: str) -> CheckToken | None:
    """A token by the hash of its secret."""
    return CheckToken.objects.filter(hash=hashed).first()


def check_tokens() -> QuerySet[CheckToken]:
    """All tokens, newest first; revoked ones too."""
    return CheckToken.objects.order_by("-pk")


def revoke_check_token(row: CheckToken, at: datetime) -> None:
    """End a token."""
    row.revoked_at = at
    row.save(update_fields=["revoked_at"])
