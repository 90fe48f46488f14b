"""What pages and terminal may ask about reminders, trackers and tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from unrepeat.prevention import told_store
from unrepeat.prevention.tickets.tracking import tracker_kinds
from unrepeat.prevention.told_models import Reminder, Ticket


@dataclass(frozen=True, slots=True)
class TrackerSeen:
    """A tracker as people see it; never with its token. `trouble`: of itself or of one of its tickets, in words.

    `follows`: it has tickets with a state; else it is only told. `troubled`: how many of its tickets are not level.
    """

    name: str
    kind: str
    title: str
    follows: bool
    url: str
    project: str
    automatic: bool
    tickets: int
    troubled: int
    polled_at: datetime | None
    trouble: str


def trackers() -> list[TrackerSeen]:
    """The trackers in service, by name."""
    counts, known = told_store.ticket_counts(), tracker_kinds()
    found = []
    for row in told_store.trackers():
        tickets, troubled, trouble = counts.get(row.pk, (0, 0, ""))
        more = f"{f'{troubled} tickets wait; one' if troubled > 1 else '1 ticket waits'}: {trouble}" if troubled else ""
        kind = known.get(row.kind)
        found.append(
            TrackerSeen(
                row.name,
                row.kind,
                kind.TITLE if kind else row.kind,
                kind is not None and kind.FOLLOWS,
                row.url,
                row.project,
                row.automatic,
                tickets,
                troubled,
                row.polled_at,
                row.trouble or more,
            )
        )
    return found


def followed() -> list[str]:
    """The names of the trackers in which tickets can be made, by name."""
    known = tracker_kinds()
    return [row.name for row in told_store.trackers() if row.kind in known and known[row.kind].FOLLOWS]


def tickets(incident: int, measure: int | None = None) -> list[Ticket]:
    """The tickets of an incident's measures (or one of them), with how they stand there and what is wrong."""
    found = told_store.tickets_of(incident)
    return found if measure is None else [ticket for ticket in found if ticket.measure == measure]


def is_followed(incident: int, who: str) -> bool:
    """Whether somebody follows an incident."""
    return who in told_store.followers(incident)


def reminders(incident: int, measure: int | None = None) -> list[Reminder]:
    """Who was told what about an incident's measures (or one of them), newest first; `message.sent_at` says whether it went out."""
    return told_store.reminders(incident, measure)
