"""What follows when the measures of an incident, or their guards, have changed."""

from __future__ import annotations

from unrepeat.incidents import queries as incidents
from unrepeat.prevention.telling import digest, reminders
from unrepeat.prevention.tickets import ticketing
from unrepeat.support.wakeups import Claim


def note(claim: Claim) -> str:
    """Plan the reminders, tell of failures, bring the tickets level; done again, it changes nothing."""
    number = int(claim.subject["incident"])
    state = incidents.state_of(number)
    if state.measures:
        digest.stand()
    planned = sum(reminders.plan(number, measure) for measure in state.measures.values())
    told = reminders.tell_failures(number, state)
    tickets = ticketing.follow(number, state)
    return f"incident {number}: {planned} reminders planned, {told} people told of a failure, {tickets} tickets to bring level"
