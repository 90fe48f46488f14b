"""The suspects of an incident, and the verdicts on them. Pure; part of `fold.py`."""

from __future__ import annotations

from unrepeat.incidents import entries as e
from unrepeat.incidents.state import State, Suspect, Verdict


def judge(
    state: State, logged: e.Logged, entry: e.SuspectRaised | e.SuspectCleared | e.SuspectConvicted, verdict: Verdict
) -> None:
    """A suspect is raised, cleared or found guilty. The same verdict once more adds to its story and keeps its time.

    The cause is found at the first moment of a verdict of guilty that still stands.
    """
    key = (entry.suspect_kind, entry.suspect)
    before = state.suspects.get(key)
    told = (logged.at, verdict, logged.by, entry.reason)
    if before is None:
        state.suspects[key] = Suspect(
            entry.suspect,
            entry.suspect_kind,
            verdict,
            logged.at,
            logged.at,
            logged.by,
            entry.reason,
            tuple(dict.fromkeys(entry.evidence)),
            [told],
        )
    else:
        evidence = tuple(dict.fromkeys((*before.evidence, *entry.evidence))) if entry.evidence else before.evidence
        state.suspects[key] = Suspect(
            before.name,
            before.kind,
            verdict,
            before.raised_at,
            before.decided_at if before.verdict == verdict else logged.at,
            logged.by,
            entry.reason,
            evidence,
            [*before.story, told],
        )
    if verdict == "guilty" or (before is not None and before.verdict == "guilty"):
        guilty = [suspect.decided_at for suspect in state.suspects.values() if suspect.verdict == "guilty"]
        state.cause_found_at = min(guilty, default=None)
