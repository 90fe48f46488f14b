"""Why it happened, as the incident's page tells it: trigger, root causes, contributing factors, and which of them nothing answers. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from unrepeat.incidents import causes
from unrepeat.incidents.measure_entries import CauseRole
from unrepeat.incidents.state import Cause, Measure, State
from unrepeat.web.pages.act_choices import Choices

ASKS: dict[CauseRole, tuple[str, str]] = {
    "trigger": ("What changed just before?", "Name the trigger"),
    "cause": ("What made it possible?", "Name a root cause"),
    "factor": ("What made it worse, or seen later?", "Name a factor"),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """A cause with the measures that answer it. A `gap`: no measure stands that does, and nobody bears its risk."""

    cause: Cause
    measures: tuple[Measure, ...]
    gap: bool


@dataclass(frozen=True, slots=True)
class Field:
    """One of the three fields: its causes, and what it offers to name."""

    role: CauseRole
    title: str
    asks: str
    names: str
    causes: tuple[Answered, ...]
    words: Choices
    full: bool  # there is one trigger at most


def why(state: State) -> list[Field]:
    """The three fields, in the order in which one asks."""
    made = []
    for role, title in causes.ROLES.items():
        own = tuple(_answered(state, cause) for cause in state.causes.values() if cause.role == role)
        asks, names = ASKS[role]
        plural = title if role == "trigger" else f"{title}s"
        made.append(
            Field(role, plural, asks, names, own, tuple(causes.WORDS[role].items()), role == "trigger" and bool(own))
        )
    return made


def gaps(fields: list[Field]) -> int:
    """How many causes nothing answers."""
    return sum(one.gap for found in fields for one in found.causes)


def _answered(state: State, cause: Cause) -> Answered:
    """A trigger asks for no measure: it will come again, and what let it do harm is what needs one."""
    measures = tuple(m for m in state.measures.values() if not m.dropped and cause.number in m.answers)
    return Answered(cause, measures, cause.role != "trigger" and not measures and not cause.accepted)
