"""The nightly question, would today's guards and alert rules catch each past incident, asked and kept.

Every published report with a recording is asked against every safe guard that can run on a recording, and every alert of the
user's own rule files. It goes in turns short enough for a worker's lease; what has been answered tonight is not asked again.
"""

from __future__ import annotations

import glob
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.db import transaction

from unrepeat.prevention.coverage import coverage_store
from unrepeat.prevention.coverage.asking import Answer, Question, ask
from unrepeat.prevention.kind import SAID, Recorded, kind_of
from unrepeat.prevention.running.patrol import known_recordings
from unrepeat.support import clock, wakeups
from unrepeat.support.config import config
from unrepeat.support.kinds import kinds
from unrepeat.support.wakeups import Again, Claim

TURN = 8.0  # seconds after which a turn of the worker asks nothing more
MOST_FILES = 200  # rule files


Answered = tuple[Question, list[Answer]]


def questions() -> list[Question]:
    """All that is to be asked, newest outage first.

    A guard is asked about outages of its service and those it watches over; one without a service about all.
    """
    guards, files, tied = coverage_store.guards_of(_kinds()), rule_files(), coverage_store.ties()
    found = []
    for row in coverage_store.asked_about():
        assert row.incident is not None
        report, recording = row.incident.postmortem, Recorded(row.name, Path(row.folder))
        services = {"", report.service, row.service}
        found += [
            Question(report.pk, recording, f"guard:{one.pk}", one.name, one.pk, one.kind, one.spec)
            for one in guards
            if one.service in services or (one.pk, row.incident.pk) in tied
        ]
        found += [Question(report.pk, recording, f"rule:{str(file)[-150:]}:", file.name, file=file) for file in files]
    return found


def _kinds() -> list[str]:
    """The kinds that the server may run on a recording."""
    found = kinds("unrepeat.prevention.guards")
    return [name for name in found if kind_of(name).SAFE and "recording" in kind_of(name).TARGETS]


def open_questions(since: datetime) -> list[Question]:
    """Those that have not been answered since then."""
    done = coverage_store.answered_since(since)
    files = {
        (number, recording, subject.rpartition(":")[0] + ":")
        for number, recording, subject in done
        if subject[0] == "r"
    }
    return [
        one
        for one in questions()
        if (one.postmortem, one.recording.name, one.subject) not in (files if one.file else done)
    ]


def rule_files() -> list[Path]:
    """The user's rule files (UNREPEAT_RULES), by name."""
    pattern = config().rules
    found = sorted(Path(name) for name in glob.glob(pattern, recursive=True)) if pattern else []  # noqa: PTH207  absolute patterns
    return [file for file in found if file.is_file()][:MOST_FILES]


def keep(answered: list[Answered], at: datetime) -> None:
    """Write down what was said, each question in a transaction of its own."""
    for question, answers in answered:
        with transaction.atomic():
            for one in answers:
                coverage_store.put(
                    question.postmortem,
                    question.recording.name,
                    one.subject[:300],
                    at,
                    guard_id=question.guard,
                    name=one.name[:300],
                    outcome=one.result,
                    first_fired_at=one.first,
                    lead_minutes=one.lead,
                    said=one.said[:SAID],
                    remedy=one.remedy[:SAID],
                )


def close(since: datetime, at: datetime) -> int:
    """At a night's end: what was not asked any more (a retired guard, a rule that is not in the files) is gone; returns how many."""
    with transaction.atomic():
        left = list(coverage_store.newest(at__lt=since).exclude(outcome="gone"))
        for row in left:
            said = "It is not asked any more: the guard was retired, the rule taken out of its file, or the recording is not known."
            coverage_store.put(
                row.postmortem_id,
                row.recording,
                row.subject,
                at,
                guard_id=row.guard_id,
                name=row.name,
                outcome="gone",
                said=said,
            )
    return len(left)


def answers(asked: list[Question], *, seconds: float | None = None) -> Iterator[Answered]:
    """Ask one after the other, for at most `seconds` in all."""
    recordings = dict(known_recordings())
    until = None if seconds is None else time.monotonic() + seconds
    for question in asked:
        if until is not None and time.monotonic() > until:
            return
        yield question, ask(question, recordings)


def whole_night(each: Callable[[Question], None]) -> int:
    """Ask everything now, whatever was answered before; returns how many questions that were. `each` is told after each one."""
    began, asked = clock.now(), questions()
    for question, said in answers(asked):
        keep([(question, said)], max(clock.now(), began))
        each(question)
    close(began, clock.now())
    return len(asked)


# --- by the server, every night


def stand() -> None:
    """See that the question is asked tonight."""
    with transaction.atomic():
        wakeups.stand("prevention", "night", due_at=next_night(clock.now()))


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the worker asked, and whether more waited then."""

    answered: list[Answered]
    more: bool


def turn(_: Claim) -> Turn:
    """One turn of the worker: what is open tonight, for some seconds."""
    asked = open_questions(night_of(clock.now()))
    answered = list(answers(asked, seconds=TURN))
    return Turn(answered, len(answered) < len(asked))


def note(_: Claim, turned: Turn) -> Again:
    """Keep the turn's answers; the next turn is due at once, or, when all is answered, tomorrow night."""
    now, count = clock.now(), len(turned.answered)
    keep(turned.answered, now)
    since = night_of(now)
    if turned.more or open_questions(since):  # which takes long when there are many: only to be sure at the end
        return Again(f"{count} questions were asked, more wait", now)
    gone = close(since, now)
    return Again(f"{count} questions were asked, {gone} are not asked any more", next_night(now))


def night_of(now: datetime) -> datetime:
    """When the present night began: the last time the clock of the server's zone struck the hour."""
    return next_night(now) - timedelta(days=1)


def next_night(now: datetime) -> datetime:
    """The next time the clock of the server's zone strikes the hour (UTC)."""
    local = now.astimezone(ZoneInfo(config().time_zone))
    struck = local.replace(hour=config().night_hour, minute=0, second=0, microsecond=0)
    return (struck if struck > local else struck + timedelta(days=1)).astimezone(UTC)
