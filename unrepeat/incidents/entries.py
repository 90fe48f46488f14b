"""The entries of an incident's log: what happened, in the past tense, frozen. Pure; stored as JSON under their `kind`.

A kind's name never changes once released. New fields get a default, so that old entries can always be read.
Times are timezone-aware. Docs: docs/reference/entries.md lists every kind (a test keeps it whole).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from unrepeat.incidents.entry import Entry as Entry
from unrepeat.incidents.entry import Happened as Happened
from unrepeat.incidents.entry import Logged as Logged
from unrepeat.incidents.measure_entries import *  # noqa: F403  one name space for all kinds

SuspectKind = Literal["service", "indicator", "change"]
IMPACT = "Impact"  # the title under which a log says why impact could not be measured
Role = Literal["lead", "scribe", "communicator"]


@dataclass(frozen=True, slots=True)
class IncidentOpened(Entry):
    """An incident began to be handled. `rule` says which rule of grouping opened it, `time_zone` is the zone people tell its times in."""

    kind: ClassVar[str] = "incident_opened"
    title: str
    severity: str
    service: str = ""
    time_zone: str = "UTC"
    rule: str = ""


@dataclass(frozen=True, slots=True)
class AlertFired(Entry):
    """A monitoring alert fired and belongs to this incident. `alert` is its number; `why` says why it joined."""

    kind: ClassVar[str] = "alert_fired"
    alert: int
    name: str
    service: str = ""
    severity: str = ""
    summary: str = ""
    source: str = ""
    url: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class AlertResolved(Entry):
    """A monitoring alert of this incident resolved."""

    kind: ClassVar[str] = "alert_resolved"
    alert: int
    name: str


@dataclass(frozen=True, slots=True)
class ChangeNoticed(Entry):
    """A change of one of the incident's services, or of a neighbour, was shipped near the incident."""

    kind: ClassVar[str] = "change_noticed"
    change: int
    change_kind: str
    status: str
    service: str = ""
    version: str = ""
    previous: str = ""
    summary: str = ""
    author: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Acknowledged(Entry):
    """A person said: I am on it."""

    kind: ClassVar[str] = "acknowledged"


@dataclass(frozen=True, slots=True)
class NoteWritten(Entry):
    """A person wrote down what they see or think."""

    kind: ClassVar[str] = "note_written"
    text: str


@dataclass(frozen=True, slots=True)
class RoleHanded(Entry):
    """A role went to a person, from the one who had it (empty: nobody)."""

    kind: ClassVar[str] = "role_handed"
    role: Role
    to: str
    before: str = ""


@dataclass(frozen=True, slots=True)
class Escalated(Entry):
    """Another team was asked to help."""

    kind: ClassVar[str] = "escalated"
    team: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SuspectRaised(Entry):
    """A service, an indicator or a change came under suspicion. `evidence` holds digests of stored results."""

    kind: ClassVar[str] = "suspect_raised"
    suspect: str
    suspect_kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SuspectCleared(Entry):
    """A suspect turned out innocent."""

    kind: ClassVar[str] = "suspect_cleared"
    suspect: str
    suspect_kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SuspectConvicted(Entry):
    """A suspect was found guilty."""

    kind: ClassVar[str] = "suspect_convicted"
    suspect: str
    suspect_kind: SuspectKind
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceGathered(Entry):
    """A query was run and its result stored: `digest` finds it, `query` and the window let anybody run it again."""

    kind: ClassVar[str] = "evidence_gathered"
    digest: str
    title: str
    source: str
    query: str
    window_from: datetime
    window_to: datetime
    service: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class ShareMeasured:
    """`numerator` of `denominator` `unit`, for example 474 of 549 users slowed."""

    name: str
    unit: str
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class ImpactMeasured(Entry):
    """Who was hurt, counted in a request log. `slow_seconds`: slower is slow, `slow_source` says who says so; harm's times are found from the data."""

    kind: ClassVar[str] = "impact_measured"
    digest: str
    source: str
    window_from: datetime
    window_to: datetime
    slow_seconds: float
    slow_source: str
    shares: tuple[ShareMeasured, ...]
    harm_from: datetime | None = None
    harm_to: datetime | None = None
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class EvidenceMissing(Entry):
    """Something could not be measured, and why."""

    kind: ClassVar[str] = "evidence_missing"
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class SeverityChanged(Entry):
    """How bad it is was judged anew."""

    kind: ClassVar[str] = "severity_changed"
    severity: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Retitled(Entry):
    """The incident got another headline."""

    kind: ClassVar[str] = "retitled"
    title: str


@dataclass(frozen=True, slots=True)
class StartCorrected(Entry):
    """The outage began at another time than thought."""

    kind: ClassVar[str] = "start_corrected"
    started_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Mitigated(Entry):
    """The harm was stopped, though not all is done. `change` names what was shipped to stop it."""

    kind: ClassVar[str] = "mitigated"
    how: str
    change: int | None = None


@dataclass(frozen=True, slots=True)
class Resolved(Entry):
    """All is well again. `by_itself`: the quiet time after the last alert had passed."""

    kind: ClassVar[str] = "resolved"
    how: str
    by_itself: bool = False


@dataclass(frozen=True, slots=True)
class Reopened(Entry):
    """It was not over."""

    kind: ClassVar[str] = "reopened"
    reason: str


@dataclass(frozen=True, slots=True)
class MergedInto(Entry):
    """This incident is the same outage as another, and goes on there."""

    kind: ClassVar[str] = "merged_into"
    incident: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MergeReceived(Entry):
    """Another incident turned out to be this outage; its alerts are here now."""

    kind: ClassVar[str] = "merge_received"
    incident: int
    title: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AlertsSplitOff(Entry):
    """Some alerts turned out to be another outage, which goes on in `incident`."""

    kind: ClassVar[str] = "alerts_split_off"
    incident: int
    alerts: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EntryRedacted(Entry):
    """Words that must not be kept (a secret, personal data) were blanked in entry `seq`; who and why stand in the audit table too."""

    kind: ClassVar[str] = "entry_redacted"
    seq: int
    reason: str


@dataclass(frozen=True, slots=True)
class Redacted(Entry):
    """What is left of an entry whose words were blanked. `was` is the kind it had, `kept` its numbers and yes-or-no fields."""

    kind: ClassVar[str] = "redacted"
    was: str = ""
    kept: dict[str, int | bool | None] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Unknown(Entry):
    """An entry of a kind that this version does not know (written by a newer one); its data is kept and shown."""

    kind: ClassVar[str] = "unknown"
    was: str
    data: dict[str, object] = field(default_factory=dict, hash=False)


KINDS: dict[str, type[Entry]] = {cls.kind: cls for cls in Entry.__subclasses__()}
