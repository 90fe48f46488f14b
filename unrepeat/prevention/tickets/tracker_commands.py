"""What people can do with trackers: add, give another token, remove, have a ticket made, link one that is there."""

from __future__ import annotations

import re
import secrets

from django.db import transaction

from unrepeat.incidents import checks
from unrepeat.incidents import queries as incidents
from unrepeat.prevention import told_store
from unrepeat.prevention.tickets import ticket_news, ticketing
from unrepeat.prevention.tickets.tracking import Place, follower, tracker_kind
from unrepeat.prevention.told_models import Ticket, Tracker
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.support.secret import seal


def add(
    name: str, kind: str, *, url: str = "", project: str = "", token: str, automatic: bool = False, by: str
) -> Tracker:
    """Add a tracker; its token is kept sealed and shown never. What is only told is told of every measure."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,59}", name):
        raise Invalid(
            f"“{checks.shortened(name, 40)}” is no name of a tracker.",
            "Names stand in the log.",
            "Use small letters, digits and dashes, for example github-shop.",
        )
    found = tracker_kind(kind)
    place = found.checked(Place(url or found.URL, project, token))
    with transaction.atomic():
        made = told_store.add_tracker(
            name=name,
            kind=kind,
            url=place.url,
            project=place.project,
            sealed=seal(place.token),
            automatic=automatic or not found.FOLLOWS,
            added_by=checks.text("author", by, checks.NAME),
            added_at=clock.now(),
        )
        ticket_news.stand()
    return made


def set_token(name: str, token: str) -> Tracker:
    """Give a tracker another token; what failed with the one before is tried again at once."""
    with transaction.atomic():
        found = told_store.tracker(name)
        place = tracker_kind(found.kind).checked(Place(found.url, found.project, token))
        told_store.save_tracker(found.pk, sealed=seal(place.token), trouble="")
        ticket_news.try_again(found)
    return found


def remove(name: str) -> None:
    """Follow a tracker no more; its tickets stay where they are."""
    told_store.save_tracker(told_store.tracker(name).pk, removed_at=clock.now(), sealed=seal(""))


def make_ticket(incident: int, measure: int, tracker: str, *, by: str) -> Ticket:
    """Have a ticket made for a measure; the worker makes it. Conflict when the measure has one there."""
    by = checks.text("author", by, checks.NAME)
    found = told_store.tracker(tracker)
    with transaction.atomic():
        checks.needs_measure(incidents.state_of(incident), measure, incident)
        _needs_none(found, incident, measure)
        return ticketing.request(found, incident, measure, by=by)


def link_ticket(incident: int, measure: int, url: str, *, by: str) -> Ticket:
    """Link a ticket that is there with a measure, by its address in the browser; the tracker is asked whether there is one."""
    by = checks.text("author", by, checks.NAME)
    found, number = _at(url)
    seen = follower(found.kind).look(ticketing.place_of(found), number)
    with transaction.atomic():
        checks.needs_measure(incidents.state_of(incident), measure, incident)
        _needs_none(found, incident, measure)
        taken = told_store.tickets_called(found, [seen.number]).get(seen.number)
        if taken is not None:
            raise Conflict(
                "That ticket belongs to another measure.",
                f"It is the ticket of measure {taken.measure} of incident {taken.incident_id}.",
                "One ticket stands for one measure: make another one.",
            )
        ticket, _ = told_store.make_ticket(
            found,
            incident,
            measure,
            marker=secrets.token_hex(12),
            number=seen.number,
            url=(seen.url or url)[:500],
            seen="open",  # so that a closed one makes the measure done
            seen_at=clock.now(),
            told=["open"],
            made_by=by,
            made_at=clock.now(),
        )
        ticketing.link(ticket)
        ticket_news.take(ticket.pk, seen)
        ticketing.plan(ticket, "linked")
    return ticket


def _at(url: str) -> tuple[Tracker, str]:
    """The tracker that an address leads to, and the ticket's number there."""
    for tracker in told_store.trackers():
        if not tracker_kind(tracker.kind).FOLLOWS:
            continue
        number = follower(tracker.kind).number_of(ticketing.place_of(tracker), url.strip())
        if number:
            return tracker, number
    raise Invalid(
        f"“{checks.shortened(url, 80)}” leads to no ticket that can be followed.",
        "No tracker was added whose project it belongs to.",
        "Add the tracker with `unrepeat tracker add`, or mend the address.",
    )


def _needs_none(tracker: Tracker, incident: int, measure: int) -> None:
    for ticket in told_store.tickets_of(incident):
        if ticket.tracker_id == tracker.pk and ticket.measure == measure:
            raise Conflict(
                f"Measure {measure} of incident {incident} has a ticket in {tracker.name}.",
                ticket.url or "It is being made.",
                "",
            )
