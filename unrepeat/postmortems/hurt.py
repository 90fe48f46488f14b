"""Who was hurt: the fact, folded from the last count that the log holds, and how it is said. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrepeat.incidents.entries import ImpactMeasured, Logged, ShareMeasured
from unrepeat.postmortems import times
from unrepeat.postmortems.measured import Data, Results
from unrepeat.postmortems.plain import clean, clean_prose
from unrepeat.postmortems.report import Facts, ImpactFact, ShareFact
from unrepeat.support.shares import FEW, interval, number, percent, wilson

Counted = Mapping[float, Mapping[str, Any]]  # by the start of the stretch (unix seconds)
_LONGEST = 50_000  # characters of a query
_NOBODY = ShareFact("users slowed", "users", 0, 0)


def fact(log: Sequence[Logged], said: ImpactMeasured, results: Results, query: str) -> ImpactFact:
    """The fact; `results` may hold the counts behind it."""
    shares = {share.name: share_fact(share) for share in said.shares}
    lost = next((share for name, share in shares.items() if name.endswith(" lost")), None)
    seqs = [logged.seq for logged in log if logged.entry == said]
    return ImpactFact(
        shares.get("users slowed", _NOBODY),
        shares.get("users who met an error"),
        shares.get("requests failed"),
        lost,
        said.slow_seconds,
        clean(said.slow_source, 200),
        said.window_from,
        said.window_to,
        clean(said.source),
        said.digest,
        said.harm_from,
        said.harm_to,
        said.unreadable,
        clean_prose(query[:_LONGEST]),
        round(float(results.get(said.digest, {}).get("step", 60))),
        seqs[-1] if seqs else 0,
    )


def share_fact(said: ShareMeasured) -> ShareFact:
    """A counted share with its interval."""
    share = round(said.numerator / said.denominator, 6) if said.denominator else None
    low, high = wilson(said.numerator, said.denominator)
    name, unit = clean(said.name, 120), clean(said.unit, 40)
    return ShareFact(name, unit, said.numerator, said.denominator, share, round(low, 6), round(high, 6))


def sentence(facts: Facts, impact: ImpactFact) -> str:
    """`464 of 600 users (77 %) met a page that took over 0.5 s; 46 of 291 who tried checkout (16 %) never succeeded.` And when harm began and ended."""
    said = f"{_of(impact.users_slowed, 'users')} met a page that took over {impact.slow_seconds:g}\u00a0s"
    if impact.step_lost:
        said += f"; {_of(impact.step_lost, f'who tried {impact.step}')} never succeeded"
    return f"{said}. {harm(facts, impact)}"


def short(impact: ImpactFact) -> str:
    """For a list: `77 % of users slowed (464 of 600), 16 % of those who tried checkout never succeeded (46 of 291)`; no text when nobody was there."""
    slowed, lost = impact.users_slowed, impact.step_lost
    said = []
    if slowed.denominator:
        said.append(f"{percent(slowed.numerator, slowed.denominator)} of users slowed ({brief(slowed)})")
    if lost and lost.denominator:
        said.append(
            f"{percent(lost.numerator, lost.denominator)} of those who tried {impact.step} never succeeded ({brief(lost)})"
        )
    return ", ".join(said)


def shares(impact: ImpactFact) -> list[ShareFact]:
    """All that was counted."""
    return [
        share for share in (impact.users_slowed, impact.step_lost, impact.users_failed, impact.requests_failed) if share
    ]


def harm(facts: Facts, impact: ImpactFact) -> str:
    """When harm began and ended, by the data."""
    if impact.harm_began is None:
        return "The request log shows no time from which on clearly more users were hurt than before."
    began = f"Harm began at {times.when(impact.harm_began, facts)}"
    if impact.harm_ended is None:
        return f"{began} and had not ended when it was counted last; both found from the request log."
    return f"{began} and ended at {times.when(impact.harm_ended, facts)}, found from the request log."


def brief(share: ShareFact) -> str:
    """`464 of 600`, with the interval when they are few."""
    counted = f"{number(share.numerator)} of {number(share.denominator)}"
    return f"{counted}; of so few, anything from {interval(share.low, share.high)}" if _is_few(share) else counted


def _of(share: ShareFact, whom: str) -> str:
    counted = f"{number(share.numerator)} of {number(share.denominator)} {whom}"
    if not share.denominator:
        return f"Nobody was there to be counted: of 0 {whom} none"
    few = f"; of so few, anything from {interval(share.low, share.high)}" if _is_few(share) else ""
    return f"{counted} ({percent(share.numerator, share.denominator)}{few})"


def _is_few(share: ShareFact) -> bool:
    return 0 < share.denominator < FEW


def threshold(impact: ImpactFact) -> str:
    """`slow is over 0.5 s (objective of shop)`."""
    return f"slow is over {impact.slow_seconds:g}\u00a0s ({impact.slow_source})"


def unreadable(impact: ImpactFact) -> str:
    """What was left out, when something was."""
    if not impact.unreadable:
        return ""
    lines = "line that is no request was" if impact.unreadable == 1 else "lines that are no requests were"
    return f"{number(impact.unreadable)} {lines} left out."


@dataclass(frozen=True, slots=True)
class OverTime:
    """Shares over time, as points (unix seconds at the middle, share between 0 and 1); each point counts `around` seconds, `step` apart."""

    step: float
    around: float
    slowed: list[tuple[float, float]]
    lost: list[tuple[float, float]]


_ENOUGH = (("users", 20.0), ("attempts", 8.0))  # people whom a point should count, most of the time
_GRACE = 300.0  # seconds in which an attempt may still succeed: until then it is not lost
_WIDEST = 9  # stretches that a point may count


def over_time(data: Data) -> OverTime:
    """Shares of users slowed and of attempts lost. Where few people come, a point counts the stretches around it too, so that chance does not draw it."""
    step = float(data.get("step") or 60)
    counted = {float(bucket["at"]): bucket for bucket in data.get("buckets", [])}
    known = float(data.get("known_to") or math.inf) - _GRACE
    reach = next((r for r in range(_WIDEST // 2) if _is_enough(counted, step, r)), _WIDEST // 2)
    return OverTime(
        step,
        step * (2 * reach + 1),
        _line(counted, step, reach, "slowed", "users"),
        _line({at: b for at, b in counted.items() if at + step <= known}, step, reach, "lost", "attempts"),
    )


def _is_enough(counted: Counted, step: float, reach: int) -> bool:
    for whom, wanted in _ENOUGH:
        sums = sorted(total for at in counted if (total := _sum(counted, at, step, reach, whom)))
        if sums and sums[len(sums) // 4] < wanted:
            return False
    return True


def _line(counted: Counted, step: float, reach: int, part: str, whole: str) -> list[tuple[float, float]]:
    return [
        (at + step / 2, min(1.0, _sum(counted, at, step, reach, part) / total))
        for at in sorted(counted)
        if (total := _sum(counted, at, step, reach, whole))
    ]


def _sum(counted: Counted, at: float, step: float, reach: int, what: str) -> float:
    near = (counted.get(at + step * i) for i in range(-reach, reach + 1))
    return sum(float(bucket.get(what, 0)) for bucket in near if bucket)
