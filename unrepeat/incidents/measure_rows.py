"""The rows of measures, kept level with the log: part of `store.py`, in the same transaction as its appends."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from unrepeat.incidents.measure_state import Measure
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.models import MeasureRow, MeasureTurn
from unrepeat.incidents.state import State


def columns(state: State, measure: Measure) -> dict[str, Any]:
    """What the row of a measure says."""
    guards = guards_of(state, measure)
    return {
        "kind": measure.kind,
        "effect": measure.effect,
        "text": measure.text,
        "owner": measure.owner,
        "due": _day(measure.due),
        "state": measure.state,
        "service": _service(state),
        "proposed_at": measure.proposed_at,
        "done_at": measure.done_at,
        "verified_at": measure.verified_at,
        "failed_at": measure.failed_at,
        "guards": len(guards),
        "proven": sum(guard.is_proven for guard in guards),
        "tracker": measure.tracker[:120],
        "ticket": measure.ticket[:200],
        "ticket_url": measure.ticket_url[:500],
    }


def write(incident: int, state: State) -> None:
    """Bring the rows of an incident's measures level with its state; few writes, and none when nothing changed."""
    if not state.measures:
        return
    rows = {row.number: row for row in MeasureRow.objects.filter(incident_id=incident)}
    new = []
    for number, measure in state.measures.items():
        wanted, row = columns(state, measure), rows.get(number)
        if row is None:
            new.append(MeasureRow(incident_id=incident, number=number, **wanted))
        elif different := [name for name, value in wanted.items() if getattr(row, name) != value]:
            for name in different:
                setattr(row, name, wanted[name])
            row.save(update_fields=different)
    if new:
        MeasureRow.objects.bulk_create(new)
    _write_turns(incident, state)


def differ(incident: int, state: State) -> bool:
    """Whether the rows say something else than the log."""
    rows = {row.number: row for row in MeasureRow.objects.filter(incident_id=incident)}
    return (
        rows.keys() != state.measures.keys()
        or any(
            getattr(rows[number], name) != value
            for number, measure in state.measures.items()
            for name, value in columns(state, measure).items()
        )
        or _turns_kept(incident) != _turns(state)
    )


Turns = dict[tuple[int, int], tuple[str, str, str]]
"""By measure and place: month, state, the one before."""


def _turns(state: State) -> Turns:
    return {
        (number, place): (f"{turn.at.astimezone(UTC):%Y-%m}", turn.state, turn.before)
        for number, measure in state.measures.items()
        for place, turn in enumerate(measure.turns)
    }


def _turns_kept(incident: int) -> Turns:
    rows = MeasureTurn.objects.filter(incident_id=incident)
    return {(row.number, row.place): (row.month, row.state, row.before) for row in rows}


def _write_turns(incident: int, state: State) -> None:
    """Bring the turns level: mostly there is nothing new, or one more; only a log that was read anew has other ones."""
    wanted, kept = _turns(state), _turns_kept(incident)
    if wanted == kept:
        return
    if any(wanted.get(key) != value for key, value in kept.items()):
        MeasureTurn.objects.filter(incident_id=incident).delete()
        kept = {}
    MeasureTurn.objects.bulk_create(
        MeasureTurn(incident_id=incident, number=number, place=place, month=month, state=now, before=before)
        for (number, place), (month, now, before) in wanted.items()
        if (number, place) not in kept
    )


def _service(state: State) -> str:
    guilty = [s.name for s in state.suspects.values() if s.verdict == "guilty" and s.kind == "service"]
    return (guilty or state.services or [""])[0][:120]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
