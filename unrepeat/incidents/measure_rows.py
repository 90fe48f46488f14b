"""The rows of measures, kept level with the log: part of `store.py`, in the same transaction as its appends."""

from __future__ import annotations

from datetime import date
from typing import Any

from unrepeat.incidents.measure_state import Measure
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.models import MeasureRow
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


def differ(incident: int, state: State) -> bool:
    """Whether the rows say something else than the log."""
    rows = {row.number: row for row in MeasureRow.objects.filter(incident_id=incident)}
    return rows.keys() != state.measures.keys() or any(
        getattr(rows[number], name) != value
        for number, measure in state.measures.items()
        for name, value in columns(state, measure).items()
    )


def _service(state: State) -> str:
    guilty = [s.name for s in state.suspects.values() if s.verdict == "guilty" and s.kind == "service"]
    return (guilty or state.services or [""])[0][:120]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
