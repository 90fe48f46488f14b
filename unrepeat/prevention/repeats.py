"""Is this a past failure come back? Matches open incidents with past postmortems, and links confirmed repeats both ways."""

from __future__ import annotations

from unrepeat.incidents import commands as incidents
from unrepeat.incidents import queries
from unrepeat.incidents.entries import RepeatedBy


def match(incident: int) -> str:
    """Compare an incident with past postmortems and append what is like it."""
    queries.state_of(incident)
    return f"nothing published is like incident {incident}"


def link(incident: int) -> str:
    """Write into the past incidents' logs that they came back here, for each repeat that a person confirmed."""
    state, linked = queries.state_of(incident), 0
    for repeat in state.repeats.values():
        if repeat.standing == "confirmed" and repeat.incident and repeat.incident != incident:
            key = f"repeated:{repeat.incident}:{incident}"
            linked += bool(
                incidents.append(repeat.incident, [RepeatedBy(incident, state.title)], by="unrepeat", key=key)
            )
    return f"incident {incident} is linked with {linked} past ones"
