"""When harm began and ended, found from the data itself: it differs from the alert's times. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from unrepeat.investigation.impact import Bucket
from unrepeat.support.shares import wilson

LEAST_USERS = 5
"""Users a stretch must have before its share says anything; quieter stretches are passed over."""
LEAST_RISE = 0.03
"""Share of users over the quiet share below which nobody speaks of harm, however certain it is."""
RUN = 2
"""Harmed stretches in a row with which harm begins; as many calm ones end it."""


@dataclass(frozen=True, slots=True)
class Harm:
    """`began`: start of the first harmed stretch; `ended`: end of the last one, None while it goes on (UTC). `quiet_share`: of users, before."""

    began: datetime
    ended: datetime | None
    quiet_share: float


def find_harm(buckets: Sequence[Bucket], width: timedelta, quiet_until: datetime) -> Harm | None:
    """The stretch of time in which clearly more users were slowed, or lost their step, than before `quiet_until`; None when there is none.

    A stretch is harmed when the lower bound of its share (Wilson, 95 %) lies over the upper bound of the quiet share, and
    the rise is at least LEAST_RISE. That there is harm takes certainty; when it began does not: the stretches right before
    that already rose as much belong to it, so that the moment hardly depends on how wide a stretch is.
    """
    limit, quiet_share = _limit([b for b in buckets if b.at + width <= quiet_until])
    told = [b for b in buckets if b.users >= LEAST_USERS]
    harmed = [_is_harmed(b, limit, quiet_share) for b in told]
    first = next((i for i in range(len(told) - RUN + 1) if all(harmed[i : i + RUN])), None)
    if first is None:
        return None
    while first and told[first - 1].at >= quiet_until and _rise(told[first - 1], quiet_share) >= LEAST_RISE:
        first -= 1
    last = max(i for i, bad in enumerate(harmed) if bad and i >= first)
    over = len(told) - 1 - last >= RUN
    return Harm(told[first].at, told[last].at + width if over else None, quiet_share)


def _limit(quiet: Sequence[Bucket]) -> tuple[float, float]:
    """The upper bound of the quiet share, and the share itself."""
    users, hurt = sum(b.users for b in quiet), sum(_hurt(b) for b in quiet)
    return (wilson(hurt, users)[1] if users else 0.0), (hurt / users if users else 0.0)


def _is_harmed(bucket: Bucket, limit: float, quiet_share: float) -> bool:
    low, _ = wilson(_hurt(bucket), bucket.users)
    return low > limit and _rise(bucket, quiet_share) >= LEAST_RISE and math.isfinite(low)


def _rise(bucket: Bucket, quiet_share: float) -> float:
    """How far the share of hurt users lies over the quiet share."""
    return _hurt(bucket) / bucket.users - quiet_share


def _hurt(bucket: Bucket) -> int:
    """Users slowed; those who lost their step are among the users too, so the larger number counts."""
    return min(bucket.users, max(bucket.slowed, bucket.lost))
