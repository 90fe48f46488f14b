"""Who was hurt by an incident: asked of the request log while it goes on and when it ends, and said in its log.

As `jobs.py`, in two steps: the question is put before the transaction, the answer is written in it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from unrepeat.duty import queries as duty
from unrepeat.duty.models import Service
from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import IMPACT, Entry, EvidenceMissing, ImpactMeasured, ShareMeasured
from unrepeat.incidents.state import State
from unrepeat.investigation import gathering, store
from unrepeat.investigation.harm import Harm, find_harm
from unrepeat.investigation.impact import Impact, Question, Step, measure, quiet_threshold
from unrepeat.investigation.telemetry import Unanswered
from unrepeat.investigation.telemetry.request_source import request_log
from unrepeat.investigation.telemetry.requests import RequestLog
from unrepeat.support import clock, wakeups
from unrepeat.support.wakeups import Claim

NO_REQUEST_LOG = "no request log is connected, so nobody can count the users who met a slow or failed request"
WORTH_SAYING = 0.1  # change of a share from which the log gets a new entry while the outage goes on
ENOUGH = 20  # users from whom on a share is worth saying before the end
BUCKETS = 120  # stretches of time that a picture may have
OFTEN, SELDOM = timedelta(seconds=5), timedelta(minutes=5)  # between two measurements of an open incident


@dataclass(frozen=True, slots=True)
class Measured:
    """What was asked and answered, with when harm began and ended by the data."""

    impact: Impact
    harm: Harm | None
    width: timedelta


def ask(claim: Claim) -> Measured | str | None:
    """Put the question; a text says why there is no answer, None that there is nothing to ask yet."""
    state = queries.state_of(int(claim.subject["incident"]))
    start = state.started_at or state.detected_at
    if start is None or state.status == "merged":
        return None
    try:
        log = request_log()
        return NO_REQUEST_LOG if log is None else _ask(log, state, start)
    except Unanswered as error:
        return str(error)


def write(claim: Claim, answer: Measured | str | None) -> str:
    """Keep the result and say it in the log, when it says something new; plan the next look while the incident is open."""
    number = int(claim.subject["incident"])
    state = queries.state_of(number)
    if state.is_open:
        _again(number, state)
    if answer is None:
        return f"incident {number}: nothing to ask yet"
    entry = _missing(answer, state) if isinstance(answer, str) else _entry(answer, state)
    if entry is None:
        return f"incident {number}: nothing new to say"
    commands.append(number, [entry], by="unrepeat", key=claim.key)
    return f"incident {number}: {entry.kind}"


def _ask(log: RequestLog, state: State, start: datetime) -> Measured | str:
    now = clock.now()
    end = min(state.mitigated_at or state.resolved_at or now, now)
    quiet_until = min([change.at for change in state.changes.values() if change.at < start], default=start)
    before, after = gathering.margins(max(end - start, timedelta(0)))
    seen_from, seen_to = min(start - before, quiet_until - before / 2), min((state.resolved_at or end) + after, now)
    slow, who_says, step = _expectations(log, state, seen_from, quiet_until)
    if slow is None:
        return f"{log.source} has no requests between {seen_from:%H:%M} and {seen_to:%H:%M} UTC"
    width = timedelta(seconds=gathering.step_for((seen_to - seen_from).total_seconds() * gathering.MOST / BUCKETS))
    impact = measure(log, Question(start, end, slow, who_says, step, width, (seen_from, seen_to), now))
    if not impact.requests_failed.denominator:
        return f"{log.source} has no requests between {start:%H:%M} and {end:%H:%M} UTC"
    return Measured(impact, find_harm(impact.buckets, width, quiet_until), width)


def _expectations(
    log: RequestLog, state: State, quiet_from: datetime, quiet_until: datetime
) -> tuple[float | None, str, Step | None]:
    """From when on a request is slow (seconds), who says so, and the business step: of the service that users meet, else from quiet times."""
    service = _front(state)
    steps = service.steps if service else []
    step = (
        Step(steps[0]["name"], tuple(steps[0]["attempt"]), tuple(steps[0]["success"]), steps[0].get("method", ""))
        if steps
        else None
    )
    if service and service.slow_over:
        return service.slow_over, f"objective of {service.name}", step
    quiet = quiet_threshold(log, quiet_from, quiet_until)
    return quiet, "slowest of 1,000 requests in quiet times", step


def _front(state: State) -> Service | None:
    """The service whose users the log shows: the nearest one, from the incident's services up to those that depend on them, with expectations."""
    known = {service.name: service for service in duty.services()}
    near = [name for name in state.services if name in known]
    for name in near:  # grows while it is walked: breadth first, every service once
        near += [other for other in sorted(duty.neighbours(name)) if other in known and other not in near]
    told = [known[name] for name in [*near, *sorted(known)] if known[name].slow_over or known[name].steps]
    return told[0] if told else None


def _entry(answer: Measured, state: State) -> Entry | None:
    impact, harm = answer.impact, answer.harm
    shares = tuple(ShareMeasured(s.name, s.unit, s.numerator, s.denominator) for s in impact.shares)
    going_on = state.is_open and state.mitigated_at is None
    if going_on and not _worth_saying(state.impact.shares if state.impact else (), shares):
        return None
    data: dict[str, Any] = {
        "impact": [asdict(share) for share in shares],
        "step": answer.width.total_seconds(),
        "buckets": [{**asdict(bucket), "at": bucket.at.timestamp()} for bucket in impact.buckets],
    }
    question = impact.question
    digest = store.keep(
        source=impact.source, query=impact.query, window_from=question.start, window_to=question.end, data=data
    )
    if state.impact is not None and state.impact.digest == digest:
        return None
    return ImpactMeasured(
        digest,
        impact.source,
        question.start,
        question.end,
        question.slow_seconds,
        question.slow_source,
        shares,
        harm.began if harm else None,
        harm.ended if harm else None,
        impact.unreadable,
    )


def _worth_saying(before: tuple[ShareMeasured, ...], now: tuple[ShareMeasured, ...]) -> bool:
    """Whether a share has moved enough since it was said last."""
    said = {share.name: _share(share) for share in before}
    return any(
        abs(_share(share) - said.get(share.name, 0.0)) >= WORTH_SAYING for share in now if share.denominator >= ENOUGH
    )


def _share(share: ShareMeasured) -> float:
    return share.numerator / share.denominator if share.denominator else 0.0


def _missing(reason: str, state: State) -> Entry | None:
    return None if state.impact is not None or state.missing.get(IMPACT) == reason else EvidenceMissing(IMPACT, reason)


def _again(number: int, state: State) -> None:
    """The next look: soon at first, less often in a long outage."""
    now = clock.now()
    since = now - (state.started_at or now)
    due = now + min(SELDOM, max(OFTEN, since / 8))
    wakeups.plan(
        "investigation", "measure", {"incident": number}, due_at=due, key=f"measure:{number}:{due.timestamp():.0f}"
    )
