"""Which report is an incident's: a number for many at once, for lists of other rooms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unrepeat.postmortems.models import Postmortem


@dataclass(frozen=True, slots=True)
class Named:
    """A report by number and headline; not `published`: a draft so far."""

    number: int
    headline: str
    published: bool


def reports_of(incidents: Iterable[int]) -> dict[int, Named]:
    """The reports of these incidents, by incident."""
    rows = Postmortem.objects.filter(incident_id__in=set(incidents)).values_list(
        "incident_id", "pk", "headline", "revision"
    )
    return {incident: Named(number, headline, revision > 0) for incident, number, headline, revision in rows}


def headlines(numbers: Iterable[int]) -> list[Named]:
    """These reports, in the order asked."""
    wanted = list(numbers)
    rows = {row[0]: row for row in Postmortem.objects.filter(pk__in=wanted).values_list("pk", "headline", "revision")}
    return [Named(number, rows[number][1], rows[number][2] > 0) for number in wanted if number in rows]
