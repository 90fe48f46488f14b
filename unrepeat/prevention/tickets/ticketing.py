"""Measures go to their trackers: tickets are made, commented on, closed and reopened, outside any transaction.

Every effect is announced in the ticket's row before it is tried (`begun_at`, `telling`), so that after a crash we look whether it
is there already, by the marker in its text, before we try it again: at least once for the attempt, once for the effect.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from django.db import transaction

from unrepeat.incidents import commands as incidents_do
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.entries import TicketLinked
from unrepeat.incidents.measure_state import Measure
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.state import State
from unrepeat.prevention import told_store
from unrepeat.prevention.telling import reminders
from unrepeat.prevention.tickets import ticket_words
from unrepeat.prevention.tickets.tracking import Kind, Place, Teller, TicketState, tracker_kind
from unrepeat.prevention.told_models import Ticket, Tracker
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Problem
from unrepeat.support.secret import unseal
from unrepeat.support.wakeups import Claim

TICKET = "ticket"  # the wakeup's name
LEASE = timedelta(seconds=60)
SKEW = timedelta(minutes=10)  # by which the tracker's clock may be behind ours


@dataclass(frozen=True, slots=True)
class Told:
    """What has been done for a ticket: the news told, the state it is in there, or why nothing more could be done."""

    key: str = ""
    state: TicketState | None = None
    trouble: str = ""


def request(tracker: Tracker, incident: int, measure: int, *, by: str) -> Ticket:
    """Have a measure's ticket made, in the present transaction; the one there is when there is one."""
    now = clock.now()
    ticket, new = told_store.make_ticket(
        tracker, incident, measure, marker=secrets.token_hex(12), made_by=by, made_at=now
    )
    if new:
        plan(ticket, "made")
    return ticket


def plan(ticket: Ticket, why: str) -> bool:
    """Plan a look at a ticket, for this reason once."""
    key = f"{TICKET}:{ticket.pk}:{why}"
    return wakeups.plan("prevention", TICKET, {"ticket": ticket.pk}, due_at=clock.now(), key=key[:200])


def follow(incident: int, state: State) -> int:
    """Plan what the tickets of an incident's measures are to be told, and tickets for measures where that is automatic."""
    known = told_store.tickets_of(incident)
    have = {(ticket.tracker_id, ticket.measure) for ticket in known}
    made = 0
    for tracker in told_store.trackers(automatic=True):
        for measure in state.measures.values():
            if (tracker.pk, measure.number) not in have and measure.state == "open":
                request(tracker, incident, measure.number, by="unrepeat")
                made += 1
    late = [t for t in known if t.measure in state.measures and _behind(t, state.measures[t.measure])]
    return made + sum(plan(ticket, str(state.last_seq)) for ticket in late)


def tell(claim: Claim) -> Told | None:
    """Bring a ticket level with its measure; None when there is nothing left to do. What may pass is raised."""
    ticket = told_store.ticket(int(claim.subject["ticket"]))
    if ticket is None or ticket.tracker.removed_at is not None:
        return None
    state = incidents.state_of(ticket.incident_id)
    measure = state.measures.get(ticket.measure)
    if measure is None:
        return None
    if not told_store.take_ticket(ticket.pk, clock.now(), clock.now() + LEASE):
        raise Problem(
            "Somebody else is at this ticket.", "Two at a time would say it twice.", "", status=409, retry=True
        )
    try:
        wakeups.extend(claim, LEASE)
        kind = tracker_kind(ticket.tracker.kind)
        if not kind.FOLLOWS:
            return _tell_news(cast("Teller", kind), ticket, state, measure)
        return _bring_level(cast("Kind", kind), ticket, state, measure)
    except Problem as problem:
        why = str(problem).strip()
        told_store.save_ticket(ticket.pk, trouble=why[:1000])
        if problem.retry:
            raise
        told_store.save_ticket(ticket.pk, telling="")  # it was refused, so it is not there
        return Told(trouble=why)
    finally:
        told_store.save_ticket(ticket.pk, busy_until=None)


def note(claim: Claim, told: Told | None) -> str:
    """Keep what was done, and that the measure has a ticket."""
    number = int(claim.subject["ticket"])
    if told is None:
        return f"ticket {number} needs nothing"
    ticket = told_store.ticket(number, hold=True)
    if ticket is None or told.trouble:
        return f"ticket {number}: {told.trouble}"
    kept = [*ticket.told, told.key] if told.key not in ticket.told else ticket.told
    columns: dict[str, object] = {"told": kept, "telling": "", "trouble": ""}
    if told.state:
        columns |= {"seen": told.state, "seen_at": clock.now()}
    told_store.save_ticket(number, **columns)
    if ticket.number:
        link(ticket)
    return f"ticket {number} is {told.state or 'told'} ({told.key})"


def link(ticket: Ticket) -> None:
    """Write into the log which ticket a measure has; once."""
    kind = cast("Kind", tracker_kind(ticket.tracker.kind))
    name = kind.name(place_of(ticket.tracker), ticket.number)
    linked = TicketLinked(ticket.measure, ticket.tracker.name, name, ticket.url)
    incidents_do.append(ticket.incident_id, [linked], by=ticket.made_by, key=f"ticket:{ticket.pk}:linked")


def place_of(tracker: Tracker) -> Place:
    """The tracker with its token opened."""
    return Place(tracker.url, tracker.project, unseal(tracker.sealed))


def _behind(ticket: Ticket, measure: Measure) -> bool:
    """Whether the tracker does not know where the measure stands."""
    if ticket_words.news_key(measure, ticket.told) not in ticket.told:
        return True
    return bool(ticket.number) and ticket.seen != ticket_words.wanted(measure)


def _tell_news(kind: Teller, ticket: Ticket, state: State, measure: Measure) -> Told:
    key = ticket_words.news_key(measure, ticket.told)
    if key not in ticket.told:
        place = reminders.where(ticket.incident_id, state, ticket.measure)
        news = ticket_words.told(measure, guards_of(state, measure), place, key)
        kind.tell(place_of(ticket.tracker), news, ticket_words.mark(ticket.marker, key))
    return Told(key)


def _bring_level(kind: Kind, ticket: Ticket, state: State, measure: Measure) -> Told:
    place, belongs = place_of(ticket.tracker), reminders.where(ticket.incident_id, state, ticket.measure)
    if not ticket.number:
        _make(kind, place, ticket, state, measure)
    told = list(ticket.told) or ["open"]  # the text itself says so much
    key, wanted = ticket_words.news_key(measure, told), ticket_words.wanted(measure)
    if key not in told:
        mark = ticket_words.mark(ticket.marker, key)
        begun = ticket.telling == key or ticket.trouble
        if not (begun and kind.said(place, ticket.number, mark)):
            _announce(ticket, telling=key)
            kind.say(place, ticket.number, ticket_words.comment(measure, guards_of(state, measure), belongs, mark))
    if ticket.seen != wanted:
        _announce(ticket, telling=key)
        kind.put(place, ticket.number, wanted, done=measure.state != "dropped")
    return Told(key, wanted)


def _make(kind: Kind, place: Place, ticket: Ticket, state: State, measure: Measure) -> None:
    """Make the ticket, unless an attempt that nobody saw end has made it."""
    found = kind.find(place, ticket.marker, ticket.begun_at - SKEW) if ticket.begun_at else None
    if found is None:
        if ticket.begun_at is None:
            _announce(ticket, begun_at=clock.now())
        causes = [c.text or c.value for c in state.causes.values() if c.number in measure.answers]
        where = reminders.where(ticket.incident_id, state, ticket.measure)
        found = kind.create(place, ticket_words.draft(measure, where, causes, ticket.marker))
    _announce(ticket, number=found.number, url=found.url[:500], seen=found.state, seen_at=clock.now())


def _announce(ticket: Ticket, **columns: object) -> None:
    """Keep it before anything more is done."""
    with transaction.atomic():
        told_store.save_ticket(ticket.pk, **columns)
    for name, value in columns.items():
        setattr(ticket, name, value)
