"""An investigation of one incident: what to look at, the look itself, and what it says. Works on plain values; `jobs.py` reads and writes."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import structlog

from unrepeat.incidents.state import State
from unrepeat.investigation import catalogue, scene
from unrepeat.investigation.catalogue import Place
from unrepeat.investigation.lenses import Change, scene_of
from unrepeat.investigation.ranking import Ranking, rank
from unrepeat.investigation.scene import View
from unrepeat.investigation.statements import Statement, look_next, plain_name, statements
from unrepeat.investigation.telemetry import Telemetry, Unanswered
from unrepeat.investigation.telemetry.spans import Read
from unrepeat.investigation.telemetry.trace_source import TraceSource
from unrepeat.investigation.telemetry.traces import Traced
from unrepeat.investigation.weights import weights

log = structlog.get_logger(__name__)

NO_METRICS = "no metrics are connected (UNREPEAT_PROMETHEUS_URL is not set), so nobody can tell which service is odd"
MOST_CHANGES = 50
REST = 30.0  # seconds for which who did not answer is not asked again
MOST_SERIES_KEPT = 60  # of one number, as evidence


@dataclass(frozen=True, slots=True)
class Subject:
    """What an incident gives an investigation to go by. Times are timezone-aware."""

    alert: datetime
    services: tuple[str, ...]  # under alert
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A number behind a statement, as anybody can ask for it again."""

    title: str
    query: str
    service: str
    unit: str
    data: dict[str, Any] = field(hash=False)
    source: str = ""  # where it is from, when not from where all numbers are


@dataclass(frozen=True, slots=True)
class Investigation:
    """What came of it. `missing`: service -> why nothing is known of it; `reason`: why nothing could be looked at at all."""

    subject: Subject
    reason: str = ""
    missing: Mapping[str, str] = field(default_factory=dict, hash=False)
    view: View | None = None
    ranking: Ranking | None = None
    said: tuple[Statement, ...] = ()
    next_line: str = ""


def subject_of(state: State) -> Subject | None:
    """What the state of an incident gives to go by; None before anything is known."""
    fired = [alert.fired_at for alert in state.alerts.values()]
    alert = min(fired, default=state.started_at or state.detected_at)
    if alert is None or not state.services:
        return None
    near = sorted(state.changes.values(), key=lambda one: one.at)[-MOST_CHANGES:]
    changes = tuple(
        Change(
            str(one.change),
            one.service,
            one.at.timestamp(),
            one.kind,
            " ".join(part for part in (one.service, one.version) if part) or one.summary or f"change {one.change}",
            deployed=one.kind != "push",
        )
        for one in near
        if one.status != "failed"
    )
    return Subject(alert, tuple(state.services), changes)


def places(
    names: Iterable[str], labels: Mapping[str, Mapping[str, str]], calls: Mapping[str, Iterable[str]]
) -> list[Place]:
    """The services with what the catalogue knows of them."""
    return [Place(name, dict(labels.get(name, {})), tuple(sorted(calls.get(name, ())))) for name in names]


class Resting:
    """Who did not answer is left alone for a while, so that one dead Prometheus does not hold up every incident."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[float, str]] = {}

    def reason(self, source: str) -> str:
        """Why it is not asked now; empty when it may be."""
        until, reason = self._until.get(source, (0.0, ""))
        return reason if time.monotonic() < until else ""

    def rest(self, source: str, reason: str) -> None:
        """It did not answer just now."""
        self._until[source] = time.monotonic() + REST, reason


resting = Resting()


@dataclass(frozen=True, slots=True)
class _Asleep:
    """Traces that did not answer a moment ago, and are not asked now."""

    source: str
    reason: str

    def read(self, services: Sequence[str], windows: Sequence[tuple[float, float]]) -> Read:  # noqa: ARG002
        """Never."""
        raise Unanswered(self.reason)


def investigate(
    telemetry: Telemetry | None,
    subject: Subject,
    where: Sequence[Place],
    now: datetime,
    traces: TraceSource | None = None,
) -> Investigation:
    """Look, rank, and say. Never raises for what the telemetry does."""
    if telemetry is None:
        return Investigation(subject, NO_METRICS)  # the log has it already, beside the memory that is missing
    if reason := resting.reason(telemetry.source):
        return Investigation(subject, reason)
    changes = [datetime.fromtimestamp(one.at, subject.alert.tzinfo) for one in subject.changes]
    start, end = scene.window(subject.alert, changes, now)
    if end <= start:
        return Investigation(subject, "the outage had not begun by the clock of this server")
    if traces is not None and (quiet := resting.reason(traces.source)):
        traces = _Asleep(traces.source, quiet)
    seen = scene.view(telemetry, where, subject.alert, subject.changes, start, end, traces)
    if traces is not None and seen.graph.silent:
        resting.rest(traces.source, seen.graph.silent)
    missing = seen.missing
    if not seen.columns:
        reason = next(iter(missing.values()), "no service is known that could be asked about")
        if any(answer.silent for answer in seen.answers.values()):
            resting.rest(telemetry.source, reason)
        return Investigation(subject, reason, missing, seen)
    try:
        ranking = rank(seen.tables)
        compared = scene_of(seen.tables, weights())
        said = statements(ranking, compared, subject.services)
    except Exception as error:
        log.exception("the numbers could not be judged", services=subject.services)
        return Investigation(subject, f"the numbers could not be judged ({type(error).__name__})", missing, seen)
    return Investigation(subject, "", missing, seen, ranking, tuple(said), look_next(ranking, compared))


def question(view: View, column: str) -> Question | None:
    """The number behind a column: its samples as they came, and the line that people look at."""
    if view.graph.seen is not None and view.graph.seen.points and column in view.graph.seen.points:
        return _traced(view.graph.seen, column, view.graph.seen.points[column])
    known = view.columns.get(column)
    answer = view.answers.get(known.owner) if known is not None else None
    if known is None or answer is None:
        return None
    labels = answer.labels
    query = catalogue.selector(labels, known.metrics)
    series = [one for one in answer.series if one.labels.get("__name__") in known.metrics][:MOST_SERIES_KEPT]
    described = known.described
    finite = np.isfinite(known.values)
    values = known.values * described.measure.scale
    shown = [[float(at), float(value)] for at, value in zip(view.tables.times[finite], values[finite], strict=True)]
    data = {
        "step": view.step,
        "series": [{"labels": one.labels, "points": [list(point) for point in one.points]} for one in series],
        "shown": {"points": shown, "unit": described.measure.unit, "name": described.indicator},
    }
    plain, _, seen_by = plain_name(described.indicator, described.measure.name).partition(" as ")
    title = f"{plain} of {described.service}{f', as {seen_by}' if seen_by else ''}"
    unit = described.measure.unit if described.measure.name == "memory" else ""
    return Question(title[:1].upper() + title[1:], query, described.service, unit, data)


def _traced(seen: Traced, column: str, points: Sequence[tuple[float, float]]) -> Question:
    """What traces showed of an operation or a call, a minute a point."""
    kind, _, what = column.partition(" ")
    service = what.partition(" ")[0]
    title = f"Own time of {what}" if kind == "spans" else f"Time lost on {column}"
    shown = {"points": [list(point) for point in points], "unit": "seconds", "name": column}
    data = {
        "step": 60.0,
        "series": [{"labels": {kind: what}, "points": [list(point) for point in points]}],
        "shown": shown,
    }
    return Question(title, f"{column}: mean seconds a minute", service, "", data, seen.source)


def overview(found: Investigation) -> Question | None:
    """The whole ranking as one piece of evidence: what was asked, and what came out."""
    if found.view is None or found.ranking is None:
        return None
    asked = [catalogue.selector(answer.labels) for answer in found.view.answers.values() if answer.labels]
    ranking = found.ranking
    data = {
        "step": found.view.step,
        "series": [],
        "ranking": {
            "look_next": found.next_line,
            "verdict": {
                "says": ranking.verdict.says,
                "sentence": ranking.verdict.sentence,
                "sure": ranking.verdict.sure,
            },
            "services": [{"name": one.name, "score": round(one.score, 3)} for one in ranking.services],
            "changes": [{"key": one.name, "score": round(one.score, 3)} for one in ranking.changes],
            "cleared": [{"kind": one.kind, "name": one.subject, "why": one.sentence} for one in ranking.cleared],
            "findings": [
                {"lens": one.lens, "service": one.service, "score": round(one.score, 3), "said": one.sentence}
                for one in ranking.findings
            ],
            "missing": dict(found.missing),
            "call_graph": found.view.graph.said,
        },
    }
    return Question("Suspects", " or ".join(asked), found.subject.services[0], "", data)
