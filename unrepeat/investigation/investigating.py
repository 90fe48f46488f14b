"""What an investigation writes into an incident's log. As `jobs.py`, in two steps: the look is taken before the transaction."""

from __future__ import annotations

from datetime import datetime, timedelta

from unrepeat.duty import queries as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import (
    Entry,
    EvidenceGathered,
    EvidenceMissing,
    Logged,
    NoteWritten,
    SuspectCleared,
    SuspectRaised,
)
from unrepeat.incidents.fold import MACHINE, fold
from unrepeat.incidents.state import Evidence, State
from unrepeat.investigation import catalogue, store
from unrepeat.investigation.catalogue import Place
from unrepeat.investigation.investigate import (
    Investigation,
    Question,
    Subject,
    investigate,
    overview,
    places,
    question,
    subject_of,
)
from unrepeat.investigation.scene import View
from unrepeat.investigation.statements import Statement, news
from unrepeat.investigation.telemetry import telemetry
from unrepeat.investigation.telemetry.trace_source import trace_source
from unrepeat.support import clock, wakeups
from unrepeat.support.wakeups import Claim

TURNS = (0, 5, 30, 120, 600, 1800, 3600)  # seconds after the opening at which an open incident is looked at;
SELDOM = 86_400.0  # then, while nothing could be seen at all, after twice the time again, and once a day at least
FRESH = 4  # the turn from which on the charts of those under suspicion are carried on
PATIENCE = 3  # the turn from which the log says that nothing was found, or that something could not be seen
SUSPECTS = "Suspects"
LEADS = {
    "no change": "No change is guilty by the numbers: ",
    "outside": "No change is guilty: ",
    "nothing": "Nobody stands out: ",
}
"""How the machine's notes begin; each is written once an incident."""


def ask(claim: Claim) -> Investigation | None:
    """Take the look; None when there is nothing to look at any more."""
    state = queries.state_of(int(claim.subject["incident"]))
    subject = subject_of(state)
    if subject is None or not state.is_open:
        return None
    source = telemetry()
    if source is None:
        return None  # the log says so already, beside the memory that is missing
    return investigate(source, subject, places_of(subject), clock.now(), trace_source())


def places_of(subject: Subject) -> list[Place]:
    """The services to look at, with what the catalogue knows of them."""
    known = {service.name: service for service in duty.services()}
    calls = {name: [one.needs.name for one in service.dependencies.all()] for name, service in known.items()}
    names = catalogue.around(subject.services, duty.graph())
    return places(names, {name: service.labels for name, service in known.items()}, calls)


def write(claim: Claim, found: Investigation | None) -> str:
    """Say what is new, and plan the next look while the incident is open."""
    number, turn = int(claim.subject["incident"]), int(claim.subject.get("turn", -1))
    if found is None:
        return f"incident {number}: nothing to look at"
    written = commands.append_considered(number, lambda log: _entries(found, log, turn), by=MACHINE, key=claim.key)
    _again(number, claim, turn, seen=found.ranking is not None)
    return f"incident {number}: {len(written)} entries written"


def _entries(found: Investigation, log: list[Logged], turn: int) -> list[Entry]:
    """The entries that say what the log does not have yet."""
    state = fold(log)
    if not state.is_open:
        return []
    patient = turn < 0 or turn >= PATIENCE
    if found.ranking is None or found.view is None:
        told = SUSPECTS in state.missing or any(one.title == SUSPECTS for one in state.evidence.values())
        return [] if told else [EvidenceMissing(SUSPECTS, found.reason)]
    fresh = news(found.said, state)
    entries: list[Entry] = []
    kept: dict[str, str] = {}
    for one in fresh:
        digests = [_keep(column, found.view, state, kept, entries) for column in one.columns]
        entries.append(_entry(one, tuple(digest for digest in digests if digest)))
    whole = overview(found)
    if whole is not None and (fresh or not any(one.title == SUSPECTS for one in state.evidence.values())):
        entries.insert(0, _gathered(whole, found.view)[1])
    if patient:
        entries += _absent(found, state) + _note(found, log)
    if turn >= FRESH:
        entries += _carried_on(found.view, state, kept)
    return entries


def _carried_on(view: View, state: State, kept: dict[str, str]) -> list[Entry]:
    """What stands first behind those under suspicion, to the present: a chart that ends at the verdict says nothing of how it went on."""
    blamed = (one for one in state.suspects.values() if one.verdict != "cleared")
    drawn = {
        asked_of(state.evidence[one.evidence[0]])
        for one in blamed
        if one.evidence[:1] and one.evidence[0] in state.evidence
    }
    entries: list[Entry] = []
    for column in view.columns:
        asked = question(view, column)
        if asked is not None and (asked.title, asked.source or view.source, asked.query) in drawn:
            _keep(column, view, state, kept, entries)
    return entries


def asked_of(one: Evidence) -> tuple[str, str, str]:
    """Title, source, query: what makes two stored results answers to the same question."""
    return one.title, one.source, one.query


def _keep(column: str, view: View, state: State, kept: dict[str, str], entries: list[Entry]) -> str:
    """The digest of a column's stored samples; stored and told when they are not yet."""
    if column not in kept:
        asked = question(view, column)
        if asked is None:
            return ""
        digest, entry = _gathered(asked, view)
        kept[column] = digest
        if digest not in state.evidence:
            entries.append(entry)
    return kept[column]


def _gathered(asked: Question, view: View) -> tuple[str, EvidenceGathered]:
    source = asked.source or view.source
    digest = store.keep(source=source, query=asked.query, window_from=view.start, window_to=view.end, data=asked.data)
    return digest, EvidenceGathered(
        digest, asked.title, source, asked.query, view.start, view.end, asked.service, asked.unit
    )


def _entry(one: Statement, digests: tuple[str, ...]) -> Entry:
    made = SuspectRaised if one.verdict == "suspect" else SuspectCleared
    return made(one.name, one.kind, one.reason, digests)


def _absent(found: Investigation, state: State) -> list[Entry]:
    """Services of which nothing could be seen, each told once."""
    return [
        EvidenceMissing(f"Numbers of {service}", reason)
        for service, reason in found.missing.items()
        if f"Numbers of {service}" not in state.missing
    ]


def _note(found: Investigation, log: list[Logged]) -> list[Entry]:
    """What cannot be blamed on any change, or that nothing stands out: once each, in plain words."""
    if found.ranking is None:
        return []
    says = found.ranking.verdict.says
    if says not in LEADS or any(one.kind == "change" and one.verdict == "suspect" for one in found.said):
        return []
    lead = LEADS[says]
    if any(isinstance(one.entry, NoteWritten) and one.by == MACHINE and one.entry.text.startswith(lead) for one in log):
        return []
    sentence = found.ranking.verdict.sentence.removeprefix("No change is guilty. ")
    return [NoteWritten(f"{lead}{sentence[:1].lower()}{sentence[1:]}")]


def _again(number: int, claim: Claim, turn: int, *, seen: bool) -> None:
    """The next look, while there is one left and the incident is open."""
    if turn < 0 or (seen and turn + 1 >= len(TURNS)):
        return
    since = datetime.fromisoformat(str(claim.subject["since"]))
    wakeups.plan(
        "investigation",
        "investigate",
        {"incident": number, "turn": turn + 1, "since": claim.subject["since"]},
        due_at=since + timedelta(seconds=_after(turn + 1)),
        key=f"investigate:{number}:{claim.subject['since']}:{turn + 1}",
    )


def _after(turn: int) -> float:
    """Seconds from the opening to a look."""
    seconds = float(TURNS[min(turn, len(TURNS) - 1)])
    for _ in range(turn - len(TURNS) + 1):
        seconds += min(seconds, SELDOM)
    return seconds
