"""The part of the room's store that keeps what was told outside: reminders, trackers and tickets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q

from unrepeat.prevention.told_models import Follower, Reminder, Ticket, Tracker
from unrepeat.support.problems import Conflict, NotFound

# --- reminders


def add_reminder(**columns: Any) -> Reminder:
    """Keep that somebody was told."""
    return Reminder.objects.create(**columns)


def reminders(incident: int, measure: int | None = None) -> list[Reminder]:
    """Who was told about the measures of an incident (or one of them), newest first, with the messages."""
    rows = Reminder.objects.filter(incident_id=incident).select_related("message")
    return list((rows if measure is None else rows.filter(measure=measure)).order_by("-at", "-pk"))


def told_last(incident: int, about: str, mark: str) -> datetime | None:
    """When an address was last told of something: `about` begins the messages' keys, the address's `mark` ends them."""
    rows = Reminder.objects.filter(incident_id=incident, message__key__startswith=about, message__key__endswith=mark)
    return rows.order_by("-at").values_list("at", flat=True).first()


# --- followers


def follow(incident: int, who: str, at: datetime) -> None:
    """Have somebody told of an incident's measures; twice changes nothing."""
    Follower.objects.get_or_create(incident_id=incident, who=who, defaults={"at": at})


def unfollow(incident: int, who: str) -> None:
    """Not any more."""
    Follower.objects.filter(incident_id=incident, who=who).delete()


def followers(incident: int) -> list[str]:
    """Who follows an incident, the first one first."""
    return list(Follower.objects.filter(incident_id=incident).order_by("pk").values_list("who", flat=True))


# --- trackers


def add_tracker(**columns: Any) -> Tracker:
    """A new tracker; Conflict when the name is taken."""
    try:
        with transaction.atomic():
            return Tracker.objects.create(**columns)
    except IntegrityError as error:
        raise Conflict(
            f"There is, or was, a tracker “{columns['name']}”.",
            "The log names tickets by their tracker.",
            "Choose another name.",
        ) from error


def tracker(name: str) -> Tracker:
    """The tracker in service of that name; NotFound."""
    found = Tracker.objects.filter(name=name, removed_at=None).first()
    if found is None:
        there = ", ".join(row.name for row in trackers()) or "none; an administrator adds one"
        raise NotFound(f"There is no tracker “{name[:60]}”.", remedy=f"There are: {there}.")
    return found


def trackers(**wanted: Any) -> list[Tracker]:
    """The trackers in service, by name."""
    return list(Tracker.objects.filter(removed_at=None, **wanted).order_by("name"))


def save_tracker(pk: int, /, **columns: Any) -> None:
    """Set columns of a tracker."""
    Tracker.objects.filter(pk=pk).update(**columns)


# --- tickets


def make_ticket(found: Tracker, incident: int, measure: int, **columns: Any) -> tuple[Ticket, bool]:
    """The ticket of a measure in a tracker, made when there is none; and whether it was made now."""
    return Ticket.objects.get_or_create(tracker=found, incident_id=incident, measure=measure, defaults=columns)


def ticket(number: int, *, hold: bool = False) -> Ticket | None:
    """A ticket by its number here, with its tracker; held until the transaction ends when asked."""
    rows = Ticket.objects.select_for_update(of=("self",)) if hold else Ticket.objects.all()
    return rows.select_related("tracker").filter(pk=number).first()


def save_ticket(pk: int, /, **columns: Any) -> None:
    """Set columns of a ticket."""
    Ticket.objects.filter(pk=pk).update(**columns)


def take_ticket(number: int, now: datetime, until: datetime) -> bool:
    """Be the only one at work on a ticket until then; False when somebody else is."""
    free = Q(busy_until=None) | Q(busy_until__lte=now)
    return Ticket.objects.filter(free, pk=number).update(busy_until=until) == 1


def tickets_of(incident: int) -> list[Ticket]:
    """The tickets of an incident's measures, in trackers that are in service."""
    rows = Ticket.objects.filter(incident_id=incident, tracker__removed_at=None).select_related("tracker")
    return list(rows.order_by("measure", "pk"))


def tickets_called(found: Tracker, numbers: Iterable[str]) -> dict[str, Ticket]:
    """The tickets that bear these numbers there."""
    return {row.number: row for row in Ticket.objects.filter(tracker=found, number__in=list(numbers))}


def troubled_tickets(limit: int, **wanted: Any) -> list[Ticket]:
    """Tickets whose last attempt failed for good, oldest first."""
    rows = Ticket.objects.filter(~Q(trouble=""), tracker__removed_at=None, **wanted)
    return list(rows.order_by("pk")[:limit])


def ticket_counts() -> dict[int, tuple[int, int, str]]:
    """Tracker -> how many tickets it has, how many are in trouble, and one trouble."""
    rows = Ticket.objects.values("tracker").annotate(
        n=Count("id"), bad=Count("id", filter=~Q(trouble="")), why=Max("trouble")
    )
    return {row["tracker"]: (row["n"], row["bad"], row["why"] or "") for row in rows}


def oldest_ticket(found: Tracker) -> datetime | None:
    """When the first ticket of a tracker that has a number was made here."""
    rows = Ticket.objects.filter(tracker=found).exclude(number="").order_by("made_at")
    return rows.values_list("made_at", flat=True).first()
