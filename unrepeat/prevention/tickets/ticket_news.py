"""News of tickets come back: by webhook (which only says where to look) and by asking every five minutes.

A ticket that somebody closed makes its measure done, one that somebody reopened opens it again; what we did there ourselves is
no news. Whatever a webhook says, the tracker itself is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from unrepeat.incidents import acts
from unrepeat.incidents import commands as incidents_do
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.measure_state import Measure
from unrepeat.prevention import told_store
from unrepeat.prevention.tickets import ticket_words, ticketing
from unrepeat.prevention.tickets.tracking import Changed, Seen, follower, tracker_kind
from unrepeat.prevention.told_models import Ticket, Tracker
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Problem
from unrepeat.support.wakeups import Again, Claim

POLL = "poll_trackers"  # the standing wakeup's name
EVERY = timedelta(minutes=5)
OVERLAP = timedelta(seconds=1)
RETRIED = 50  # tickets in trouble that are tried again in an hour


@dataclass(frozen=True, slots=True)
class Asked:
    """What a tracker said when it was asked for changes; None: nothing changed."""

    tracker: Tracker
    changed: Changed | None = None
    trouble: str = ""


def stand() -> None:
    """See that trackers are asked, in the present transaction."""
    wakeups.stand("prevention", POLL, due_at=clock.now() + EVERY)


def try_again(tracker: Tracker) -> None:
    """Ask a tracker, and bring its tickets level, without waiting for the next turn; in the present transaction."""
    now = clock.now()
    wakeups.stand("prevention", POLL, due_at=now)
    for ticket in told_store.troubled_tickets(RETRIED, tracker=tracker):
        ticketing.plan(ticket, f"token:{now.isoformat()}")


# --- by webhook -----------------------------------------------------------------------------------------------------


def look(claim: Claim) -> tuple[int, Seen] | None:
    """The ticket that an address leads to, as it is now; None when it is none of ours."""
    url = str(claim.subject["url"])
    for tracker in told_store.trackers():
        if not tracker_kind(tracker.kind).FOLLOWS:
            continue
        kind, place = follower(tracker.kind), ticketing.place_of(tracker)
        number = kind.number_of(place, url)
        ticket = told_store.tickets_called(tracker, [number]).get(number) if number else None
        if ticket is not None:
            return ticket.pk, kind.look(place, ticket.number)
    return None


def note(_: Claim, found: tuple[int, Seen] | None) -> str:
    """Take it over."""
    return take(*found) if found else "no ticket of ours"


# --- by asking ------------------------------------------------------------------------------------------------------


def poll(claim: Claim) -> list[Asked]:
    """Ask every tracker what changed; one that cannot be asked hinders no other."""
    answers = []
    for tracker in told_store.trackers():
        since = tracker.seen_until or told_store.oldest_ticket(tracker)
        if since is None or not tracker_kind(tracker.kind).FOLLOWS:
            continue
        wakeups.extend(claim, ticketing.LEASE)
        answers.append(_ask(tracker, since))
    return answers


def keep(_: Claim, answers: list[Asked]) -> Again:
    """Take over what changed."""
    now, taken = clock.now(), 0
    for answer in answers:
        columns: dict[str, object] = {"polled_at": now, "trouble": answer.trouble[:1000]}
        if answer.changed is not None:
            found = answer.changed
            ours = told_store.tickets_called(answer.tracker, (seen.number for seen in found.tickets))
            for seen in found.tickets:
                if seen.number in ours:
                    take(ours[seen.number].pk, seen)
                    taken += 1
            columns["etag"] = found.etag[:200]
            if found.until is not None and found.until - OVERLAP != answer.tracker.seen_until:
                columns |= {"seen_until": found.until - OVERLAP, "etag": ""}  # another question next time
        told_store.save_tracker(answer.tracker.pk, **columns)
    for ticket in told_store.troubled_tickets(RETRIED):
        ticketing.plan(ticket, f"again:{now:%Y%m%d%H}")
    return Again(f"{len(answers)} trackers asked, {taken} tickets looked at", now + EVERY)


def _ask(tracker: Tracker, since: datetime) -> Asked:
    try:
        return Asked(tracker, follower(tracker.kind).changed(ticketing.place_of(tracker), since, tracker.etag))
    except Problem as problem:
        return Asked(tracker, trouble=str(problem).strip())


# --- what it means --------------------------------------------------------------------------------------------------


def take(number: int, seen: Seen) -> str:
    """Take over what somebody did to a ticket, in the present transaction; says what came of it."""
    ticket = told_store.ticket(number, hold=True)
    if ticket is None:
        return "the ticket is gone"
    if ticket.telling:
        return f"ticket {number} is being told something: what it says then counts"
    if seen.state == ticket.seen:
        return f"ticket {number} is {seen.state}, as before"
    told_store.save_ticket(number, seen=seen.state, seen_at=clock.now())
    measure = incidents.state_of(ticket.incident_id).measures.get(ticket.measure)
    if measure is None or seen.state == ticket_words.wanted(measure):
        return f"ticket {number} is {seen.state}, as its measure is"
    act = _act(ticket, measure, seen)
    if act is None:
        return f"ticket {number} is {seen.state}, its measure stays {measure.state}"
    incidents_do.perform(ticket.incident_id, act, by=ticket.tracker.name)
    after = incidents.state_of(ticket.incident_id).measures[ticket.measure]
    if after.state != measure.state:  # known there already
        key = ticket_words.news_key(after, ticket.told)
        told_store.save_ticket(number, told=[*ticket.told, *([key] if key not in ticket.told else [])])
    return f"ticket {number} is {seen.state}: {act.name} {ticket.measure}"


def _act(ticket: Ticket, measure: Measure, seen: Seen) -> acts.Act | None:
    """What a person who did this there meant here."""
    name = follower(ticket.tracker.kind).name(ticketing.place_of(ticket.tracker), ticket.number)
    whom = f" by {seen.by}" if seen.by else ""
    if seen.state == "closed" and measure.state == "open":
        if not seen.done:
            said = f"Ticket {name} was closed as not planned{whom}. Measure {measure.number} stays open here: drop it with a reason, or reopen the ticket."
            return acts.Note(said)
        return acts.FinishMeasure(measure.number, f"Ticket {name} was closed{whom}.")
    if seen.state == "open" and measure.state in ("done", "verified"):
        return acts.ReopenMeasure(measure.number, f"Ticket {name} was reopened.")
    return None
