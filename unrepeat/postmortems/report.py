"""The report as data: facts folded from the log, prose by people, figures. Pure, so that it can be frozen and drawn anywhere.

Facts are never typed: `facts.py` makes them anew from the log at every render. Times are timezone-aware UTC and are told in
`Facts.zone`. Text in facts has been cleaned (`plain.clean`) but not escaped: each format escapes for itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from unrepeat.postmortems.prevented import CauseFact, GuardFact, MeasureFact, RepeatFact, ReturnFact, Today

SECTIONS: dict[str, str] = {
    "headline": "Headline",
    "summary": "Issue Summary",
    "timeline": "Timeline",
    "cause": "Root Cause",
    "resolution": "Resolution",
    "measures": "Corrective and Preventative Measures",
}
"""The sections that people write prose for, and what they are called. Markdown, but for the headline, which is one line."""

Status = Literal["draft", "published"]
Standing = Literal["unknown", "assumed", "supported"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: `key` in bold, then `said`; `why` in small print. `role` marks the change that brought it and the patch."""

    at: datetime
    mark: str  # a shape of the look: alert, page, change, suspect, cleared, guilty, verified, note
    key: str
    said: str
    why: str
    by: str
    seq: int
    lane: Literal["alerts", "changes", "people", "suspects", "harm"]
    role: Literal["", "trigger", "patch"] = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class AlertFact:
    """An alert of the incident, or several of one name on one service (`count`)."""

    name: str
    service: str
    fired_at: datetime
    resolved_at: datetime | None
    count: int = 1


@dataclass(frozen=True, slots=True)
class SuspectFact:
    """A suspect with its verdict, and whether stored evidence stands behind it."""

    name: str
    kind: str
    verdict: Literal["suspect", "cleared", "guilty"]
    reason: str
    by: str
    raised_at: datetime
    decided_at: datetime
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeFact:
    """A change near the incident. `named`: somebody said in the log that it was this one; else it follows from order and service."""

    number: int
    kind: str
    service: str
    version: str
    previous: str
    status: str
    summary: str
    author: str
    at: datetime
    url: str = ""
    named: bool = False

    @property
    def name(self) -> str:
        """`sessions 2.0`, or what there is."""
        return (
            " ".join(part for part in (self.service, self.version) if part) or self.summary or f"change {self.number}"
        )


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """Where a number came from: anybody can run the query again, and the digest proves the stored result."""

    digest: str
    title: str
    source: str
    query: str
    window_from: datetime
    window_to: datetime
    service: str
    unit: str


@dataclass(frozen=True, slots=True)
class MemoryFact:
    """Resident memory of a service in bytes, of the largest of its `series` (processes): when the outage began, highest, at the end of the data."""

    service: str
    first: int
    first_at: datetime
    peak: int
    peak_at: datetime
    last: int
    last_at: datetime
    series: int
    step: int  # seconds
    digest: str


@dataclass(frozen=True, slots=True)
class ShareFact:
    """`numerator` of `denominator` `unit`, as a share between 0 and 1 (None of nobody), with its Wilson interval at 95 %."""

    name: str
    unit: str
    numerator: int
    denominator: int
    share: float | None = None
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True, slots=True)
class ImpactFact:
    """Who was hurt, counted in a request log from `window_from` until before `window_to`. `harm_began`, `harm_ended`: found from the data, not from alerts."""

    users_slowed: ShareFact
    users_failed: ShareFact | None
    requests_failed: ShareFact | None
    step_lost: ShareFact | None
    slow_seconds: float
    slow_source: str
    window_from: datetime
    window_to: datetime
    source: str
    digest: str
    harm_began: datetime | None = None
    harm_ended: datetime | None = None
    unreadable: int = 0  # lines of the log that are no requests
    query: str = ""
    bucket: int = 60  # seconds, the stretch of time that the figure counts in
    seq: int = 0  # of the entry that says so

    @property
    def step(self) -> str:
        """What the people tried to do: `checkout`; empty without a step."""
        return self.step_lost.name.removesuffix(" lost") if self.step_lost else ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the report says without a person having typed it here."""

    incident: int
    title: str
    severity: str
    status: str
    zone: str
    services: tuple[str, ...]
    team: str
    lead: str
    started_at: datetime
    detected_at: datetime | None
    acknowledged_at: datetime | None
    cause_found_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None
    mitigation: str
    resolution: str
    impact_missing: str  # why nobody knows how many were hurt; empty when `impact` is there
    standing: Standing
    alerts: tuple[AlertFact, ...]
    suspects: tuple[SuspectFact, ...]
    changes: tuple[ChangeFact, ...]
    trigger: ChangeFact | None
    patch: ChangeFact | None
    timeline: tuple[Line, ...]
    left_out: tuple[tuple[str, int], ...]  # what the timeline leaves out: words -> how many entries
    measures: tuple[MeasureFact, ...]
    memory: MemoryFact | None
    evidence: tuple[EvidenceFact, ...]
    missing: tuple[tuple[str, str], ...]  # what could not be measured: title, reason
    last_seq: int
    notes: tuple[str, ...] = ()  # what one has to know about the sources
    impact: ImpactFact | None = None
    causes: tuple[CauseFact, ...] = ()
    guards: tuple[GuardFact, ...] = ()
    repeats: tuple[RepeatFact, ...] = ()
    returned: tuple[ReturnFact, ...] = ()

    @property
    def duration(self) -> timedelta | None:
        """From start to resolved; None while it goes on."""
        return max(self.resolved_at - self.started_at, timedelta(0)) if self.resolved_at else None

    @property
    def guilty(self) -> tuple[SuspectFact, ...]:
        """Suspects found guilty: services first, then changes, then indicators."""
        order = ("service", "change", "indicator")
        return tuple(s for kind in order for s in self.suspects if s.verdict == "guilty" and s.kind == kind)

    @property
    def cleared(self) -> tuple[SuspectFact, ...]:
        """Suspects found innocent."""
        return tuple(s for s in self.suspects if s.verdict == "cleared")

    @property
    def undecided(self) -> tuple[SuspectFact, ...]:
        """Suspects about whom nobody has decided."""
        return tuple(s for s in self.suspects if s.verdict == "suspect")

    @property
    def improvements(self) -> tuple[MeasureFact, ...]:
        """Improvements that stand."""
        return tuple(m for m in self.measures if m.kind == "improvement" and not m.dropped)

    @property
    def tasks(self) -> tuple[MeasureFact, ...]:
        """Tasks that stand."""
        return tuple(m for m in self.measures if m.kind == "task" and not m.dropped)

    @property
    def dropped(self) -> tuple[MeasureFact, ...]:
        """Measures that will not be done."""
        return tuple(m for m in self.measures if m.dropped)

    @property
    def gaps(self) -> tuple[CauseFact, ...]:
        """Root causes and contributing factors that no measure answers, and whose risk nobody has accepted."""
        return tuple(cause for cause in self.causes if cause.is_gap)

    @property
    def precise(self) -> bool:
        """Whether times need their seconds: the outage was shorter than 15 minutes."""
        return self.duration is not None and self.duration < timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Prose:
    """What a section says, in Markdown. `written`: by a person; otherwise sentences made from the facts."""

    text: str
    written: bool
    seq: int = 0  # of the newest edit; 0 before the first
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture: SVG for a wide and a narrow page, or the reason why there is none (`missing`). `caption` and `source` are plain text."""

    name: str
    title: str
    caption: str
    source: str = ""
    svg: str = ""
    narrow: str = ""
    missing: str = ""
    alt: str = ""  # what the picture shows, in words


@dataclass(frozen=True, slots=True)
class Report:
    """A postmortem, draft or published. `revision` 0 is the draft as the log has it now; a published one never changes."""

    number: int
    status: Status
    revision: int
    at: datetime  # when published; of a draft: when drafted
    by: str
    facts: Facts
    prose: dict[str, Prose]
    figures: tuple[Figure, ...]
    digest: str = ""
    published: int = 0  # the number of the newest published revision; 0 when there is none
    today: Today | None = field(default=None, compare=False)  # how its measures stand when somebody looks

    @property
    def headline(self) -> str:
        """The headline, one line of plain text."""
        return self.prose["headline"].text
