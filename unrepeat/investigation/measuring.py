"""Who was hurt by an incident: asked of the request log while it goes on and when it ends, and said in its log.

As `jobs.py`, in two steps: the question is put before the transaction, the answer is written in it.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

import structlog

from unrepeat.duty import queries as duty
from unrepeat.duty.models import Service
from unrepeat.incidents import codec, commands, queries
from unrepeat.incidents.entries import IMPACT, Entry, EvidenceMissing, ImpactMeasured, ShareMeasured
from unrepeat.incidents.state import State
from unrepeat.investigation import gathering, store
from unrepeat.investigation.harm import Harm, find_harm
from unrepeat.investigation.impact import Impact, Question, Step, measure, quiet_threshold
from unrepeat.investigation.telemetry import Unanswered
from unrepeat.investigation.telemetry.request_source import request_log
from unrepeat.investigation.telemetry.requests import RequestLog
from unrepeat.investigation.watching import COSTLY, OFTEN
from unrepeat.support import clock, wakeups
from unrepeat.support.shares import wilson
from unrepeat.support.wakeups import Claim

log = structlog.get_logger(__name__)

NO_REQUEST_LOG = "no request log is connected, so nobody can count the users who met a slow or failed request"
WORTH_SAYING = 0.1  # change of a share from which the log gets a new entry while the outage goes on
ENOUGH = 20  # users from whom on a share is worth saying before the end
BUCKETS = 120  # stretches of time that a picture may have
SOON = timedelta(minutes=1)  # so long an incident may be without a request before that is worth saying
SELDOM = timedelta(minutes=5)  # between two measurements of an open incident that nobody watches, in its first hours;
SELDOMER = 200  # then as long as it lasts already over so much: 50 minutes after a week


@dataclass(frozen=True, slots=True)
class Measured:
    """What was asked and answered, with when harm began and ended by the data."""

    impact: Impact
    harm: Harm | None
    width: timedelta
    took: float = 0.0  # seconds

    @property
    def data(self) -> store.Data:
        """The counts, as they are stored."""
        return {
            "impact": [asdict(share) for share in self.impact.shares],
            "step": self.width.total_seconds(),
            "known_to": self.impact.question.known_to.timestamp() if self.impact.question.known_to else None,
            "buckets": [{**asdict(bucket), "at": bucket.at.timestamp()} for bucket in self.impact.buckets],
        }


def ask(claim: Claim) -> Measured | str | None:
    """Put the question; a text says why there is no answer, None that there is nothing to ask yet."""
    state = queries.state_of(int(claim.subject["incident"]))
    start = state.started_at or state.detected_at
    if start is None or state.status == "merged" or (claim.subject.get("meanwhile") and not state.is_open):
        return None
    began = time.monotonic()
    try:
        answer = _ask(state, start)
    except Unanswered as error:
        return str(error)
    except Exception as error:  # an engine that is gone in the middle of a question says so in its driver's own way
        log.exception("the request log could not be asked", incident=claim.subject["incident"])
        return f"the request log could not be asked ({type(error).__name__})"
    return replace(answer, took=time.monotonic() - began) if isinstance(answer, Measured) else answer


def write(claim: Claim, answer: Measured | str | None) -> str:
    """Keep the result and say it in the log, when it says something new; plan the next look while the incident is open."""
    number = int(claim.subject["incident"])
    state = queries.state_of(number)
    if state.status == "merged":
        store.drop_measurement(number)
        return f"incident {number}: merged, nothing to ask"
    if not claim.subject.get("watched") and (state.is_open or not claim.subject.get("meanwhile")):
        _again(number, state, answer.took if isinstance(answer, Measured) else 0.0)
    if answer is None:
        return f"incident {number}: nothing to ask yet"
    entry = _missing(answer, state) if isinstance(answer, str) else _entry(number, answer, state)
    if entry is None:
        return f"incident {number}: nothing new to say"
    commands.append(number, [entry], by="unrepeat", key=claim.key)
    return f"incident {number}: {entry.kind}"


def _ask(state: State, start: datetime) -> Measured | str | None:
    now = clock.now()
    end = min(state.mitigated_at or state.resolved_at or now, now)
    quiet_until = min([change.at for change in state.changes.values() if change.at < start], default=start)
    before, after = gathering.margins(max(end - start, timedelta(0)))
    seen_from, seen_to = min(start - before, quiet_until - before / 2), min((state.resolved_at or end) + after, now)
    requests = request_log(seen_from)
    if requests is None:
        return NO_REQUEST_LOG
    slow, who_says, step = _expectations(requests, state, seen_from, quiet_until)
    if slow is None:
        return f"{requests.source} has no requests from the time before, so nobody can say what is slow"
    width = timedelta(seconds=gathering.step_for((seen_to - seen_from).total_seconds() * gathering.MOST / BUCKETS))
    impact = measure(requests, Question(start, end, slow, who_says, step, width, (seen_from, seen_to), now))
    if not impact.requests_failed.denominator:
        waits = state.is_open and now - start < SOON
        return None if waits else f"{requests.source} has no requests since {start:%H:%M} UTC"
    return Measured(impact, find_harm(impact.buckets, width, quiet_until), width)


def _expectations(
    requests: RequestLog, state: State, quiet_from: datetime, quiet_until: datetime
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
    quiet = quiet_threshold(requests, quiet_from, quiet_until)
    return quiet, "slowest of 1,000 requests in quiet times", step


def _front(state: State) -> Service | None:
    """The service whose users the log shows: the nearest one, from the incident's services up to those that depend on them, with expectations."""
    known = {service.name: service for service in duty.services()}
    near = [name for name in state.services if name in known]
    for name in near:  # grows while it is walked: breadth first, every service once
        near += [other for other in sorted(duty.neighbours(name)) if other in known and other not in near]
    told = [known[name] for name in [*near, *sorted(known)] if known[name].slow_over or known[name].steps]
    return told[0] if told else None


def _entry(number: int, answer: Measured, state: State) -> Entry | None:
    """What the log is told; and what a page shows meanwhile is kept while the incident is open."""
    said = _said(answer)
    if state.is_open:
        store.put_measurement(number, took=answer.took, impact=codec.encode(said)[1], data=answer.data)
    else:
        store.drop_measurement(number)
    if not _worth_saying(state, said):
        return None
    store.keep(source=said.source, query=answer.impact.query, **_window(said), data=answer.data)
    return said


def _said(answer: Measured) -> ImpactMeasured:
    impact, harm, question = answer.impact, answer.harm, answer.impact.question
    said = ImpactMeasured(
        "",
        impact.source,
        question.start,
        question.end,
        question.slow_seconds,
        question.slow_source,
        tuple(ShareMeasured(s.name, s.unit, s.numerator, s.denominator) for s in impact.shares),
        harm.began if harm else None,
        harm.ended if harm else None,
        impact.unreadable,
    )
    window = _window(said)
    digest = store.digest_of(impact.source, impact.query, window["window_from"], window["window_to"], answer.data)
    return replace(said, digest=digest)


def _window(said: ImpactMeasured) -> dict[str, datetime]:
    return {"window_from": said.window_from, "window_to": said.window_to}


def _worth_saying(state: State, now: ImpactMeasured) -> bool:
    """At the end, whatever differs. While it goes on: that harm was found or has ended, the whole of it once it is stopped, and shares that moved."""
    said = state.impact
    if not state.is_open:
        return said is None or said.digest != now.digest
    if said is None:
        return state.mitigated_at is not None or _moved((), now.shares)
    stopped = state.mitigated_at is not None
    whole = state.mitigated_at is not None and said.window_to < min(state.mitigated_at, now.window_to)
    found = said.harm_from is None and now.harm_from is not None
    over = stopped and said.harm_to is None and now.harm_to is not None
    return whole or found or over or _moved(said.shares, now.shares)


def _moved(before: tuple[ShareMeasured, ...], now: tuple[ShareMeasured, ...]) -> bool:
    """Whether a share has moved: by much, and by more than chance moves one of so few."""
    said = {share.name: _share(share) for share in before}
    return any(
        abs(_share(share) - said.get(share.name, 0.0)) >= WORTH_SAYING and not _within(said.get(share.name, 0.0), share)
        for share in now
        if share.denominator >= ENOUGH
    )


def _within(said: float, share: ShareMeasured) -> bool:
    low, high = wilson(share.numerator, share.denominator)
    return low <= said <= high


def _share(share: ShareMeasured) -> float:
    return share.numerator / share.denominator if share.denominator else 0.0


def _missing(reason: str, state: State) -> Entry | None:
    return None if state.impact is not None or state.missing.get(IMPACT) == reason else EvidenceMissing(IMPACT, reason)


def _again(number: int, state: State, took: float) -> None:
    """The next look: soon at first, less often in a long outage; after the end once more, when the time that a picture shows after it has passed."""
    now = clock.now()
    if state.is_open:
        since = now - (state.started_at or now)
        pause = max(min(SELDOM, max(OFTEN, since / 4)), since / SELDOMER)
        due = now + max(pause, timedelta(seconds=took * COSTLY))
    elif state.resolved_at is not None and state.started_at is not None:
        due = state.resolved_at + gathering.margins(max(state.resolved_at - state.started_at, timedelta(0)))[1]
        if due <= now:
            return
    else:
        return
    subject = {"incident": number, "meanwhile": state.is_open}
    wakeups.plan("investigation", "measure", subject, due_at=due, key=f"measure:{number}:{due.timestamp():.0f}")
