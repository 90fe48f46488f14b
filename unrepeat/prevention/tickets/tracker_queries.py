"""What pages and terminal may ask about reminders, trackers and tickets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from unrepeat.prevention import told_store
from unrepeat.prevention.told_models import Reminder, Ticket


@dataclass(frozen=True, slots=True)
class TrackerSeen:
    """A tracker as people see it; never with its token. `trouble`: of itself or of one of its tickets, in words."""

    name: str
    kind: str
    url: str
    project: str
    automatic: bool
    tickets: int
    polled_at: datetime | None
    trouble: str


def trackers() -> list[TrackerSeen]:
    """The trackers in service, by name."""
    counts = told_store.ticket_counts()
    found = []
    for row in told_store.trackers():
        tickets, troubled, trouble = counts.get(row.pk, (0, 0, ""))
        more = f"{troubled} tickets wait; one because: {trouble}" if troubled else ""
        found.append(
            TrackerSeen(
                row.name, row.kind, row.url, row.project, row.automatic, tickets, row.polled_at, row.trouble or more
            )
        )
    return found


def tickets(incident: int) -> list[Ticket]:
    """The tickets of an incident's measures, with how they stand there and what is wrong."""
    return told_store.tickets_of(incident)


def reminders(incident: int, measure: int | None = None) -> list[Reminder]:
    """Who was told what about an incident's measures (or one of them), newest first; `message.sent_at` says whether it went out."""
    return told_store.reminders(incident, measure)


def trouble(incident: int, measure: int) -> str:
    """Why a measure's ticket is not level with it; empty when it is, or when there is none."""
    found = (ticket.trouble for ticket in told_store.tickets_of(incident) if ticket.measure == measure)
    return next((why for why in found if why), "")
