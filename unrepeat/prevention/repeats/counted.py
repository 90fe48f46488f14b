"""The one number: how many outages of this year were repeats, and for how long there has been none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from unrepeat.incidents import queries as incidents
from unrepeat.support import words


@dataclass(frozen=True, slots=True)
class RepeatNumber:
    """`this_year`: incidents that began since 1 January and that a person has called a repeat. `ever`: all of them.

    `days`: whole days since the last repeat began; None: there was none. `watched`: whole days since the first incident.
    `incident`, `postmortem`: the last repeat, and the report of the failure that came back.
    """

    this_year: int
    ever: int
    days: int | None
    watched: int | None
    incident: int | None = None
    postmortem: int | None = None


def repeat_number(now: datetime, zone: str = "UTC") -> RepeatNumber:
    """The number as of `now`; the year begins at midnight in `zone`."""
    local = words.in_zone(now, zone)
    year = local.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    last, first = incidents.last_repeat(), incidents.first_incident()
    return RepeatNumber(
        incidents.repeats(year),
        incidents.repeats(),
        (now - last.opened_at).days if last else None,
        (now - first.opened_at).days if first else None,
        last.pk if last else None,
        last.repeat_of if last else None,
    )
