"""The fold of repeats: which past postmortems this incident may be the return of. Pure; part of `fold.py`."""

from __future__ import annotations

from dataclasses import replace

from unrepeat.incidents import entries as e
from unrepeat.incidents.measure_state import Repeat
from unrepeat.incidents.state import State


def suspected(state: State, logged: e.Logged, entry: e.RepeatSuspected) -> None:
    """The machine sees a likeness; what a person has said of it stands."""
    before = state.repeats.get(entry.postmortem)
    found = Repeat(
        entry.postmortem,
        entry.incident,
        entry.headline,
        entry.standing,
        entry.score,
        entry.reasons,
        entry.ended_by,
        entry.measures_open,
        entry.began,
        before.at if before else logged.at,
    )
    if before is not None and before.decided_by:
        found = replace(
            found,
            standing=before.standing,
            decided_by=before.decided_by,
            decided_why=before.decided_why,
            decided_at=before.decided_at,
        )
    state.repeats[entry.postmortem] = found


def confirmed(state: State, logged: e.Logged, entry: e.RepeatConfirmed) -> None:
    """A person says that it is; also of a postmortem that the machine did not see."""
    before = state.repeats.get(entry.postmortem) or Repeat(
        entry.postmortem, entry.incident, "", "confirmed", 0.0, (), "", 0, "", logged.at
    )
    state.repeats[entry.postmortem] = replace(
        before,
        incident=entry.incident or before.incident,
        standing="confirmed",
        decided_by=logged.by,
        decided_why=entry.reason,
        decided_at=logged.at,
    )


def rejected(state: State, logged: e.Logged, entry: e.RepeatRejected) -> None:
    """A person says that it is not."""
    before = state.repeats.get(entry.postmortem)
    if before is not None:
        state.repeats[entry.postmortem] = replace(
            before, standing="rejected", decided_by=logged.by, decided_why=entry.reason, decided_at=logged.at
        )


def repeated_by(state: State, _: e.Logged, entry: e.RepeatedBy) -> None:
    """It came back later."""
    if entry.incident not in state.repeated_by:
        state.repeated_by.append(entry.incident)
