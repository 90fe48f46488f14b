"""An outage with measures and a published report, and guards of each kind of who may run them."""

from __future__ import annotations

from datetime import date

from unrepeat.incidents import acts, queries
from unrepeat.incidents import commands as incidents
from unrepeat.postmortems import commands as postmortems
from unrepeat.prevention import commands
from unrepeat.prevention.commands import Declared, Ran
from unrepeat.prevention.kind import Outcome, Target
from unrepeat.prevention.models import Guard
from unrepeat.support import clock

HEADLINE = "Sessions were never let go"


def a_past_outage(service: str = "sessions") -> tuple[int, int]:
    """An outage with two measures, the first of them done, and its published report; the numbers of both."""
    incident = incidents.open_incident("The shop is slow", service=service, severity="critical", by="Ada")
    for text in ("Let sessions go when they end", "Limit what a session keeps"):
        incidents.perform(incident, acts.ProposeMeasure("task", text, owner="Ben", due=date(2030, 1, 1)), by="Ada")
    incidents.perform(incident, acts.FinishMeasure(1, "released as 2.0.1"), by="Ben")
    incidents.perform(incident, acts.Resolve("the patch is out, memory is flat"), by="Ben")
    report, _ = postmortems.draft(incident)
    postmortems.write(report, "headline", HEADLINE, by="Ada")
    postmortems.publish(report, by="Ada")
    return incident, report


def a_guard(name: str = "sessions-limit", service: str = "sessions", **spec: object) -> Guard:
    """A guard that only a runner may run."""
    return commands.declare(Declared(name, "command", spec or {"command": "true"}, service=service), by="Ada")


def ran(colour: str, ref: str = "", *, key: str | None = None, kind: str = "now") -> Ran:
    """A run that came to this colour, on a ref."""
    outcome = Outcome(colour, f"It was {colour}.")  # type: ignore[arg-type]
    target = Target(kind, ref or "now", ref=ref)  # type: ignore[arg-type]
    return Ran(outcome, target, at=clock.now(), seconds=0.1, where="check", key=key)


def state_of(incident: int, measure: int) -> str:
    """The state of a measure, as its log has it."""
    return queries.state_of(incident).measures[measure].state
