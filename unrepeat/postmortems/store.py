"""The only reads and writes of the postmortems room's tables."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max, Q, QuerySet

from unrepeat.postmortems.models import Edit, Postmortem, Revision
from unrepeat.support.problems import NotFound
from unrepeat.support.search import Index
from unrepeat.support.search_related import Related

SEARCH = Index("postmortems_search")  # the words of published reports
RELATED = Related("postmortems_related")  # what they are about


def row(number: int, *, hold: bool = False) -> Postmortem:
    """A postmortem's row, held until the transaction ends when asked; NotFound."""
    rows = Postmortem.objects.select_for_update() if hold else Postmortem.objects.all()
    found = rows.filter(pk=number).first()
    if found is None:
        raise NotFound(f"There is no postmortem {number}.", remedy="The library lists the ones there are.")
    return found


def of_incident(incident: int) -> int | None:
    """The number of an incident's postmortem."""
    return Postmortem.objects.filter(incident_id=incident).values_list("pk", flat=True).first()


def make(incident: int, at: datetime) -> tuple[Postmortem, bool]:
    """The postmortem of an incident, made when there is none; and whether it was made now."""
    return Postmortem.objects.get_or_create(incident_id=incident, defaults={"drafted_at": at})


def save(found: Postmortem, **columns: Any) -> None:
    """Set columns of a row."""
    for name, value in columns.items():
        setattr(found, name, value)
    found.save(update_fields=list(columns))


def newest_edits(number: int) -> dict[str, Edit]:
    """The edit that stands, by section."""
    newest = Edit.objects.filter(postmortem_id=number).values("section").annotate(top=Max("seq"))
    tops = {found["section"]: found["top"] for found in newest}
    rows = Edit.objects.filter(postmortem_id=number, seq__in=set(tops.values()))
    return {edit.section: edit for edit in rows if tops.get(edit.section) == edit.seq}


def edits(number: int, section: str) -> list[Edit]:
    """All edits of a section, oldest first."""
    return list(Edit.objects.filter(postmortem_id=number, section=section).order_by("seq"))


def add_edit(number: int, section: str, seq: int, text: str, *, by: str, at: datetime) -> Edit:
    """Append an edit."""
    return Edit.objects.create(postmortem_id=number, section=section, seq=seq, text=text, by=by, at=at)


def revision(number: int, revision_number: int) -> Revision:
    """A published revision; NotFound."""
    found = Revision.objects.filter(postmortem_id=number, number=revision_number).first()
    if found is None:
        raise NotFound(f"Postmortem {number} has no revision {revision_number}.")
    return found


def revisions(number: int) -> list[Revision]:
    """All revisions of a postmortem, newest first, without their contents."""
    return list(
        Revision.objects.filter(postmortem_id=number)
        .order_by("-number")
        .only("number", "at", "by", "digest", "postmortem_id")
    )


def add_revision(number: int, revision_number: int, **columns: Any) -> Revision:
    """Append a revision."""
    return Revision.objects.create(postmortem_id=number, number=revision_number, **columns)


def published() -> QuerySet[Postmortem]:
    """All published postmortems, newest first."""
    return Postmortem.objects.filter(published_at__isnull=False).order_by("-published_at", "-pk")


def drafts() -> QuerySet[Postmortem]:
    """All that were never published, newest first."""
    return Postmortem.objects.filter(published_at=None).order_by("-drafted_at", "-pk")


def of_resolved(numbers: Iterable[int], incidents: Iterable[int]) -> QuerySet[Postmortem]:
    """These postmortems and those of these incidents, of resolved incidents only, with their incidents."""
    rows = Postmortem.objects.filter(Q(pk__in=list(numbers)) | Q(incident_id__in=list(incidents)))
    return rows.filter(incident__status="resolved").select_related("incident")


def numbers(rows: QuerySet[Postmortem]) -> list[int]:
    """The numbers of these postmortems."""
    return list(rows.order_by().values_list("pk", flat=True))
