"""After the fix: what stands behind the suspects is asked for once more, over the whole outage and a while after it, so that its charts show the end.

As `jobs.py`, in two steps. The answer is kept under the same title and query; the newest of a question is the one that is drawn.
"""

from __future__ import annotations

from datetime import UTC, datetime

from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import Entry, EvidenceGathered
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.state import Evidence, State
from unrepeat.investigation import gathering, scene, store
from unrepeat.investigation.investigate import Question, question, subject_of
from unrepeat.investigation.investigating import asked_of, places_of
from unrepeat.investigation.scene import View
from unrepeat.investigation.telemetry import telemetry
from unrepeat.investigation.telemetry.trace_source import trace_source
from unrepeat.support import clock, wakeups
from unrepeat.support.wakeups import Claim

Asked = tuple[str, str, str]
"""Title, source, query: what makes two stored results answers to the same question."""


def ask(claim: Claim) -> View | None:
    """Look once more; None when there is nothing to ask again, or nobody to ask."""
    state = queries.state_of(int(claim.subject["incident"]))
    subject, source, end = subject_of(state), telemetry(), _end(state)
    if subject is None or source is None or end is None or not asked_before(state):
        return None
    changes = [datetime.fromtimestamp(one.at, UTC) for one in subject.changes]
    start, _ = scene.window(subject.alert, changes, clock.now())
    return scene.view(source, places_of(subject), subject.alert, subject.changes, start, end, trace_source())


def write(claim: Claim, seen: View | None) -> str:
    """Keep the answers that go on for longer than the ones before."""
    number = int(claim.subject["incident"])
    if seen is None:
        return f"incident {number}: nothing to look at once more"
    state = queries.state_of(number)
    before = asked_before(state)
    entries = [
        entry
        for asked in _answers(seen)
        if (earlier := before.get((asked.title, asked.source or seen.source, asked.query))) is not None
        if earlier.window_to < seen.end
        if (entry := _kept(asked, seen, state)) is not None
    ]
    commands.append(number, entries, by=MACHINE, key=claim.key)
    return f"incident {number}: {len(entries)} results kept over the whole outage"


def plan(number: int, state: State) -> None:
    """Look once more when the time that a figure shows after the outage has passed."""
    end = _end(state)
    if end is None:
        return
    wakeups.plan(
        "investigation",
        "aftermath",
        {"incident": number},
        due_at=max(end, clock.now()),
        key=f"aftermath:{number}:{end.timestamp():.0f}",
    )


def asked_before(state: State) -> dict[Asked, Evidence]:
    """What the suspects' evidence asked, each with its newest answer."""
    behind = {digest for one in state.suspects.values() for digest in one.evidence if digest in state.evidence}
    wanted = {asked_of(state.evidence[digest]) for digest in behind}
    found = sorted(state.evidence.values(), key=lambda one: one.window_to)
    return {asked_of(one): one for one in found if asked_of(one) in wanted}


def _end(state: State) -> datetime | None:
    """A while after a resolved outage."""
    if state.resolved_at is None or state.started_at is None or state.status != "resolved":
        return None
    return state.resolved_at + gathering.margins(state.resolved_at - state.started_at)[1]


def _answers(seen: View) -> list[Question]:
    """All numbers of a view, as they are asked for."""
    traced = seen.graph.seen.points if seen.graph.seen and seen.graph.seen.points else {}
    found = (question(seen, column) for column in (*seen.columns, *traced))
    return [one for one in found if one is not None]


def _kept(asked: Question, seen: View, state: State) -> Entry | None:
    source = asked.source or seen.source
    window = {"window_from": seen.start, "window_to": seen.end}
    digest = store.keep(source=source, query=asked.query, data=asked.data, **window)
    if digest in state.evidence:
        return None
    return EvidenceGathered(digest, asked.title, source, asked.query, seen.start, seen.end, asked.service, asked.unit)
