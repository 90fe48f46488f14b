"""What one wants to know of a past failure when it may have come back: what ended it, and what is still open."""

from __future__ import annotations

from dataclasses import dataclass

from unrepeat.incidents.state import Measure, State
from unrepeat.postmortems.facts import patch_of
from unrepeat.postmortems.models import Postmortem
from unrepeat.support import words

UNDONE = ("open", "failed", "done")
"""Measures in these states do not stop it yet; `done` is done, but not verified."""


@dataclass(frozen=True, slots=True)
class Past:
    """A past failure. `began`: the day, YYYY-MM-DD in its own zone; `ended_by`: what ended it then, in words; empty: nobody said."""

    postmortem: int
    incident: int
    headline: str
    began: str
    ended_by: str
    measures_open: int
    draft: bool


def of(row: Postmortem, state: State) -> Past:
    """The failure that a report tells of, as its log has it now."""
    return Past(
        row.pk,
        row.incident_id,
        row.headline or state.title,
        began(state),
        ended_by(state),
        len(undone(state)),
        draft=row.published_at is None,
    )


def undone(state: State) -> list[Measure]:
    """The measures that do not stop it yet."""
    return [measure for measure in state.measures.values() if measure.state in UNDONE]


def ended_by(state: State) -> str:
    """What ended an outage: the patch with what people said of it, else what was said at its end."""
    patch = patch_of(state)
    said = (state.mitigation or ("" if state.resolved_by_itself else state.resolution)).strip()
    if patch is None:
        return said[:300]
    change = f"{patch.kind} of {patch.name}".strip()
    known = patch.version and patch.version in said
    return (said if known else f"{change}: {said}" if said else change)[:300]


def began(state: State) -> str:
    """The day on which an outage began, in its own zone."""
    at = state.started_at or state.detected_at
    return words.in_zone(at, state.time_zone).date().isoformat() if at else ""
