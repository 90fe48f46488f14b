"""What held while nothing was wrong yet has not caught the outage: until when a recording was calm, and the sentence about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from unrepeat.prevention.backtest.recorded import Folder, Moments, clock_of, moment

REMEDY = "Tighten it until it is silent in a healthy stretch: `unrepeat recording cut` makes one to try it on."


@dataclass(frozen=True, slots=True)
class Calm:
    """The beginning of a recording, in which nothing was wrong yet (UTC).

    `until`: what held before that was there without the outage; None when the failure was there from the start.
    `began`: the first thing that the manifest names before the failure's first sign, else that sign; None when neither is known.
    `words`: which of the two it is.
    """

    start: datetime
    step: timedelta
    until: datetime | None
    began: datetime | None
    words: str = "the outage began"


def calm_of(recording: Folder, known: Moments) -> Calm:
    """How long a recording was calm: until what its manifest names first (a deployment), and at least for its first two samples.

    A recording that begins when users are hurt already has no calm. One sample is left to both sides: moments are between samples.
    """
    spacing, first, _ = clock_of(recording)
    start, step = datetime.fromtimestamp(first, UTC), timedelta(seconds=spacing)
    signs = [at for at in (known.harm, known.detected, known.alert) if at is not None]
    if not signs:
        return Calm(start, step, start + 2 * step, None)
    sign = min(signs)
    named = [moment(at) for at in (recording.manifest.get("moments") or {}).values()]
    began = min([at for at in named if at is not None and at < sign], default=sign)
    trigger = began - step if began < sign else start
    until = min(max(trigger, start + 2 * step), sign)
    words = "the outage began" if began < sign else "the outage showed"
    return Calm(start, step, until if until > start else None, began, words)


def cried(recording: Folder, calm: Calm, since: datetime | None) -> str:
    """The sentence about what held `since` then and was there before the outage; empty when it was not."""
    if since is None or calm.until is None or since >= calm.until:
        return ""
    at_start = since < calm.start + 2 * calm.step
    when = "from the recording's start on" if at_start else "already"
    what = f"In {recording.name} it held {when} ({since:%H:%M} UTC)"
    if calm.began is None:
        return f"{what}: that tells nothing of the outage."
    early = (calm.began - since).total_seconds() / 60
    return f"{what}, {early:.3g} min before {calm.words} ({calm.began:%H:%M}): it fires without one."
