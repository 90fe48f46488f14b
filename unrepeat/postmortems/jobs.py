"""What happens here without being asked: at resolve, the draft is made."""

from __future__ import annotations

from collections.abc import Callable

from unrepeat.incidents import queries as incidents
from unrepeat.postmortems import commands
from unrepeat.support.wakeups import Claim


def draft(claim: Claim) -> str:
    """Make the draft of a resolved incident, or bring it up to date; done again, it changes nothing."""
    number = int(claim.subject["incident"])
    status = incidents.incident(number).status
    if status != "resolved":
        return f"incident {number} is {status} now: no draft made"
    postmortem, new = commands.draft(number)
    return f"postmortem {postmortem} of incident {number} {'drafted' if new else 'brought up to date'}"


HANDLERS: dict[str, Callable[[Claim], str]] = {"draft": draft}
