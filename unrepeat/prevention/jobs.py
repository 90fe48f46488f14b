"""What happens here without being asked. What asks the outside world is in `PREPARATIONS`, before the transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unrepeat.prevention import asked, patrol, repeats
from unrepeat.support.wakeups import Again, Claim


def _run_due(_: Claim) -> list[patrol.Made]:
    return patrol.run_due()


def _keep(_: Claim, made: list[patrol.Made]) -> Again:
    """Keep the runs; the patrol is due again when the next guard is."""
    due_at = patrol.keep(made)
    return Again(f"{len(made)} guards were run", due_at)


def _note_measures(claim: Claim) -> str:
    """Measures or their guards changed."""
    return f"measures of incident {claim.subject['incident']} were looked at"


def _match(claim: Claim) -> str:
    """Compare an incident with past postmortems."""
    return repeats.match(int(claim.subject["incident"]))


def _link(claim: Claim) -> str:
    """A confirmed repeat is linked both ways."""
    return repeats.link(int(claim.subject["incident"]))


PREPARATIONS: dict[str, Callable[[Claim], Any]] = {"patrol": _run_due, "run": asked.make, "prove": asked.make}
HANDLERS: dict[str, Callable[..., str | Again]] = {
    "patrol": _keep,
    "run": asked.keep,
    "prove": asked.keep,
    "measures": _note_measures,
    "match": _match,
    "repeats": _link,
}
