"""What happens here without being asked: at opening and at resolve, the memory of the incident's services is looked at.

`gather` is in two steps: the questions are put before the transaction (`PREPARATIONS`), results and entries are written in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unrepeat.duty import queries as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import Entry, EvidenceGathered, EvidenceMissing
from unrepeat.incidents.state import State
from unrepeat.investigation import aftermath, gathering, investigating, measuring, store
from unrepeat.investigation.gathering import Found, Nothing
from unrepeat.investigation.telemetry import Series, telemetry
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import NotFound
from unrepeat.support.wakeups import Claim

Answers = list[Found | Nothing]


def ask(claim: Claim) -> Answers:
    """Put the questions; whatever the telemetry does, there is an answer or a reason for each service."""
    state = queries.state_of(int(claim.subject["incident"]))
    window = gathering.window(state, clock.now())
    if window is None or state.status == "merged":
        return []
    wanted = {service: _labels(service) for service in gathering.services(state)}
    return gathering.fetch_all(telemetry(), wanted, *window)


def gather(claim: Claim, answers: Answers) -> str:
    """Keep the results, and append what was found or why it is missing; what the log says already is not said again."""
    number = int(claim.subject["incident"])
    state = queries.state_of(number)
    entries = [entry for answer in answers if (entry := _entry(answer, state)) is not None]
    commands.append(number, entries, by="unrepeat", key=claim.key)
    _look_again(number, state)
    aftermath.plan(number, state)
    found = sum(isinstance(entry, EvidenceGathered) for entry in entries)
    return f"incident {number}: {found} results kept, {len(entries) - found} could not be had, {len(answers) - len(entries)} were known"


def _look_again(number: int, state: State) -> None:
    """After the resolve, look once more when the time that a figure shows after it has passed."""
    if state.resolved_at is None or state.started_at is None or state.status != "resolved":
        return
    _, after = gathering.margins(state.resolved_at - state.started_at)
    due = state.resolved_at + after
    if due > clock.now():
        wakeups.plan(
            "investigation",
            "gather",
            {"incident": number},
            due_at=due,
            key=f"gather:{number}:after:{due.timestamp():.0f}",
        )


def _entry(answer: Found | Nothing, state: State) -> Entry | None:
    title = f"Memory of {answer.service}"
    if isinstance(answer, Nothing):
        known = state.missing.get(title) == answer.reason or any(e.title == title for e in state.evidence.values())
        return None if known else EvidenceMissing(title, answer.reason)
    data: dict[str, Any] = {
        "step": answer.step,
        "series": [{"labels": one.labels, "points": [list(point) for point in one.points]} for one in answer.series],
        "shown": {"points": _largest(answer.series), "unit": gathering.UNIT, "name": gathering.METRIC},
    }
    window = {"window_from": answer.window_from, "window_to": answer.window_to}
    digest = store.keep(source=answer.source, query=answer.query, data=data, **window)
    if digest in state.evidence:
        return None
    return EvidenceGathered(
        digest, title, answer.source, answer.query, answer.window_from, answer.window_to, answer.service, gathering.UNIT
    )


def _largest(series: Iterable[Series]) -> list[list[float]]:
    """The line that people look at: the largest process at each moment."""
    top: dict[float, float] = {}
    for one in series:
        for at, value in one.points:
            top[at] = max(value, top.get(at, value))
    return [[at, value] for at, value in sorted(top.items())]


def _labels(service: str) -> dict[str, str]:
    """The label values that the catalogue gives the service's series; empty when it does not know the service."""
    try:
        return dict(duty.service(service).labels)
    except NotFound:
        return {}


HANDLERS: dict[str, Callable[[Claim, Any], str]] = {
    "gather": gather,
    "measure": measuring.write,
    "investigate": investigating.write,
    "aftermath": aftermath.write,
}
PREPARATIONS: dict[str, Callable[[Claim], Any]] = {
    "gather": ask,
    "measure": measuring.ask,
    "investigate": investigating.ask,
    "aftermath": aftermath.ask,
}
