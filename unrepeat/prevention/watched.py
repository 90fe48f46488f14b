"""Which measures guards watch over, with the words that a runner needs to say what would come back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unrepeat.prevention import store
from unrepeat.prevention.declared import MEASURE
from unrepeat.support.problems import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class Watched:
    """A measure, the postmortem that it belongs to (0: there is none yet), and that report's headline or the incident's title."""

    ref: str  # PM-12/3, or INC-12/3 before there is a postmortem
    incident: int
    measure: int
    postmortem: int
    headline: str
    text: str
    state: str


def watched(guards: Iterable[int]) -> dict[int, list[Watched]]:
    """The measures by guard."""
    found: dict[int, list[Watched]] = {}
    ties = store.ties_of_guards(guards)
    measures = store.measure_rows(tie.incident_id for tie in ties)
    reports = store.postmortems_of(tie.incident_id for tie in ties)
    for tie in ties:
        row, report = measures.get((tie.incident_id, tie.measure)), reports.get(tie.incident_id)
        number = report.pk if report else 0
        found.setdefault(tie.guard_id, []).append(
            Watched(
                ref=f"PM-{number}/{tie.measure}" if number else f"INC-{tie.incident_id}/{tie.measure}",
                incident=tie.incident_id,
                measure=tie.measure,
                postmortem=number,
                headline=(report.headline if report else "") or tie.incident.title,
                text=row.text if row else "",
                state=row.state if row else "",
            )
        )
    return found


def measure_of(ref: str) -> tuple[int, int]:
    """Incident and measure that a reference such as `PM-12/3` or `INC-12/3` names; Invalid, NotFound."""
    said = MEASURE.fullmatch(ref.strip().upper())
    if said is None:
        raise Invalid(f"“{ref[:40]}” names no measure.", "It has another form.", "Write PM-12/3 or INC-12/3.")
    which, number, measure = said[1], int(said[2]), int(said[3])
    if which == "INC":
        return number, measure
    incident = store.incident_of_postmortem(number)
    if incident is None:
        raise NotFound(f"There is no postmortem PM-{number}.", remedy="The library lists the ones there are.")
    return incident, measure
