"""What happens here without being asked. What asks the outside world is in `PREPARATIONS`, before the transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unrepeat.prevention import following
from unrepeat.prevention.coverage import night
from unrepeat.prevention.repeats import matching as repeats
from unrepeat.prevention.running import asked, patrol
from unrepeat.prevention.telling import digest, reminders
from unrepeat.prevention.tickets import ticket_news, ticketing
from unrepeat.support.wakeups import Again, Claim


def _patrolled(_: Claim, runs: int) -> Again:
    """The patrol is due again when the next guard is."""
    return Again(f"{runs} guards were run", patrol.again())


def _measures(claim: Claim) -> str:
    """Measures or guards of an incident changed: people are reminded and told, open incidents compared when a guard is red."""
    repeats.look_again(int(claim.subject["incident"]))
    return following.note(claim)


def _find(claim: Claim) -> list[repeats.Match]:
    return repeats.find(int(claim.subject["incident"]))


def _match(claim: Claim, found: list[repeats.Match]) -> str:
    """Say which past failures an incident is like."""
    return repeats.match(int(claim.subject["incident"]), found)


def _remember(claim: Claim) -> str:
    """Keep the signs of a failure whose report was drafted or published."""
    return repeats.remember(int(claim.subject["postmortem"]))


def _link(claim: Claim) -> str:
    """A confirmed repeat is linked both ways."""
    return repeats.link(int(claim.subject["incident"]))


PREPARATIONS: dict[str, Callable[[Claim], Any]] = {
    "patrol": patrol.turn,
    "run": asked.make,
    "prove": asked.make,
    "match": _find,
    "night": night.turn,
    "ticket": ticketing.tell,
    "ticket_news": ticket_news.look,
    "poll_trackers": ticket_news.poll,
}
HANDLERS: dict[str, Callable[..., str | Again]] = {
    "patrol": _patrolled,
    "run": asked.keep,
    "prove": asked.keep,
    "measures": _measures,
    "remind": reminders.remind,
    "digest": digest.send,
    "anniversary": digest.remember,
    "ticket": ticketing.note,
    "ticket_news": ticket_news.note,
    "poll_trackers": ticket_news.keep,
    "match": _match,
    "night": night.note,
    "remember": _remember,
    "repeats": _link,
}
