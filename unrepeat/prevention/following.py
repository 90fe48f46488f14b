"""What follows when the measures of an incident, or their guards, have changed."""

from __future__ import annotations

from unrepeat.incidents import queries as incidents
from unrepeat.prevention.telling import broken, digest, reminders
from unrepeat.prevention.tickets import ticketing
from unrepeat.support.wakeups import Claim


def note(claim: Claim) -> str:
    """Plan the reminders, tell of failures and of guards that cannot tell, bring the tickets level; done again, it changes nothing."""
    number = int(claim.subject["incident"])
    state = incidents.state_of(number)
    if state.measures:
        digest.stand()
    planned = sum(reminders.plan(number, measure) for measure in state.measures.values())
    told = reminders.tell_failures(number, state)
    unsure = broken.tell_broken(number, state)
    tickets = ticketing.follow(number, state)
    said = f"{planned} reminders planned, {told} people told of a failure, {unsure} of a guard that cannot tell"
    return f"incident {number}: {said}, {tickets} tickets to bring level"
