"""What happens here without being asked: at resolve, the draft is made; after an upgrade, old reports are indexed anew."""

from __future__ import annotations

from collections.abc import Callable

from unrepeat.incidents import queries as incidents
from unrepeat.postmortems import commands, shelving
from unrepeat.support import clock, wakeups
from unrepeat.support.wakeups import Claim


def draft(claim: Claim) -> str:
    """Make the draft of a resolved incident, or bring it up to date; done again, it changes nothing."""
    number = int(claim.subject["incident"])
    status = incidents.incident(number).status
    if status != "resolved":
        return f"incident {number} is {status} now: no draft made"
    postmortem, new = commands.draft(number)
    return f"postmortem {postmortem} of incident {number} {'drafted' if new else 'brought up to date'}"


def reindex(claim: Claim) -> str:
    """Put published reports into the indexes anew, some at each turn, from the one behind number `after` on."""
    last = shelving.reindex(int(claim.subject.get("after", 0)))
    if last is None:
        return "all reports are indexed"
    wakeups.plan("postmortems", "reindex", {"after": last}, due_at=clock.now(), key=f"reindex:{claim.id}:{last}")
    return f"indexed up to PM-{last}"


HANDLERS: dict[str, Callable[[Claim], str]] = {"draft": draft, "reindex": reindex}
