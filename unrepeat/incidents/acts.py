"""What people (and machines on their behalf) can do to an incident, as data. Pure.

Page, API, terminal and replay all send these; `decide.py` says what entries an act leads to. The class's docstring is its
help text, its fields are the form. Docs: docs/reference/acts.md lists every act (a test keeps it whole).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from unrepeat.incidents import measure_acts
from unrepeat.incidents.act import Act as Act
from unrepeat.incidents.entries import Role, SuspectKind
from unrepeat.incidents.measure_acts import *  # noqa: F403  one name space for all acts


@dataclass(frozen=True, slots=True)
class Acknowledge(Act):
    """Say that you are on it."""

    name: ClassVar[str] = "acknowledge"


@dataclass(frozen=True, slots=True)
class Note(Act):
    """Write down what you see, think or did."""

    name: ClassVar[str] = "note"
    text: str


@dataclass(frozen=True, slots=True)
class RaiseSuspect(Act):
    """Name a service, an indicator or a change as a suspect, with the reason."""

    name: ClassVar[str] = "raise_suspect"
    suspect: str
    kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClearSuspect(Act):
    """Say that a suspect is innocent, with the reason."""

    name: ClassVar[str] = "clear_suspect"
    suspect: str
    kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConvictSuspect(Act):
    """Say that a suspect is guilty, with the reason."""

    name: ClassVar[str] = "convict_suspect"
    suspect: str
    kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HandRole(Act):
    """Hand a role (lead, scribe, communicator) to a person."""

    name: ClassVar[str] = "hand_role"
    role: Role
    to: str


@dataclass(frozen=True, slots=True)
class Escalate(Act):
    """Ask another team to help."""

    name: ClassVar[str] = "escalate"
    team: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SetSeverity(Act):
    """Judge anew how bad it is: critical, major, minor or info."""

    name: ClassVar[str] = "set_severity"
    severity: Literal["critical", "major", "minor", "info"]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retitle(Act):
    """Give the incident a headline that a manager understands."""

    name: ClassVar[str] = "retitle"
    title: str


@dataclass(frozen=True, slots=True)
class CorrectStart(Act):
    """Say when the outage really began."""

    name: ClassVar[str] = "correct_start"
    started_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mitigate(Act):
    """Declare that the harm has stopped, and how; `change` is the number of the change that stopped it."""

    name: ClassVar[str] = "mitigate"
    how: str
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Resolve(Act):
    """Declare that all is well again, and how you know."""

    name: ClassVar[str] = "resolve"
    how: str


@dataclass(frozen=True, slots=True)
class Reopen(Act):
    """Say that it was not over."""

    name: ClassVar[str] = "reopen"
    reason: str


@dataclass(frozen=True, slots=True)
class Merge(Act):
    """Say that this incident is the same outage as another; it goes on there."""

    name: ClassVar[str] = "merge"
    into: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Split(Act):
    """Say that some alerts are another outage; a new incident is opened for them."""

    name: ClassVar[str] = "split"
    alerts: tuple[int, ...]
    title: str = ""
    reason: str = ""


_LATE = measure_acts.__name__  # what follows after an incident stands behind what is done in it
ACTS: dict[str, type[Act]] = {c.name: c for c in sorted(Act.__subclasses__(), key=lambda c: c.__module__ == _LATE)}
