"""Who is hurt, as the incident's page tells it: shares with their counts, how it is now, when harm began and ended by the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from unrepeat.incidents.entries import ImpactMeasured, Logged
from unrepeat.incidents.state import State
from unrepeat.investigation import queries as investigation
from unrepeat.postmortems import hurt
from unrepeat.postmortems.hurt import OverTime
from unrepeat.postmortems.report import ShareFact
from unrepeat.support import words
from unrepeat.support.shares import percent


@dataclass(frozen=True, slots=True)
class Counted:
    """A share: `84 %` of whom, and the count with its denominator (and the interval, of few)."""

    name: str
    share: str
    count: str

    @classmethod
    def of(cls, share: ShareFact) -> Counted:
        """Of a counted share."""
        return cls(share.name, percent(share.numerator, share.denominator), hurt.brief(share))


@dataclass(frozen=True, slots=True)
class Hurt:
    """What was counted last. `lately`: the share of users slowed in the newest stretch of time, and how long that is; `digest`: of the last count that the log has."""

    slowed: Counted
    lost: Counted | None
    others: list[Counted]
    step: str
    over: str
    slow_source: str
    source: str
    unreadable: int
    measured_at: datetime | None
    began: datetime | None
    ended: datetime | None
    lately: str
    digest: str
    over_time: OverTime


def hurt_of(number: int, state: State, log: Sequence[Logged]) -> Hurt | None:
    """Of an incident; None when nobody was counted."""
    newest = investigation.newest_impact(number, state)
    if newest is None:
        return None
    said = newest.impact
    fact = hurt.fact(log, said, {said.digest: newest.data}, newest.query)
    over_time = hurt.over_time(newest.data)
    return Hurt(
        slowed=Counted.of(fact.users_slowed),
        lost=Counted.of(fact.step_lost) if fact.step_lost else None,
        others=[Counted.of(share) for share in (fact.users_failed, fact.requests_failed) if share],
        step=fact.step,
        over=f"{said.slow_seconds:g}\u00a0s",
        slow_source=fact.slow_source,
        source=fact.source,
        unreadable=said.unreadable,
        measured_at=newest.at or max((one.at for one in log if isinstance(one.entry, ImpactMeasured)), default=None),
        began=said.harm_from,
        ended=said.harm_to,
        lately=_lately(over_time) if state.is_open else "",
        digest=state.impact.digest if state.impact else "",
        over_time=over_time,
    )


def _lately(over_time: OverTime) -> str:
    """`last 5 min: 91 %`."""
    if not over_time.slowed:
        return ""
    _, share = over_time.slowed[-1]
    return f"last {words.span(timedelta(seconds=over_time.around))}: {percent(round(share * 1000), 1000)}"
