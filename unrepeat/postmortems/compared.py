"""Whether a draft says something that a published report does not. Pure."""

from __future__ import annotations

from dataclasses import replace

from unrepeat.postmortems.prevented import MeasureFact
from unrepeat.postmortems.report import Facts, Report


def has_moved_on(report: Report, draft: Report) -> bool:
    """Whether it is worth to publish again. How measures and guards stand is shown beside every report, and is no reason."""
    written, drafted = ({n: p.text for n, p in one.prose.items() if p.written} for one in (report, draft))
    return _story(report.facts) != _story(draft.facts) or written != drafted


def _story(facts: Facts) -> Facts:
    """The facts without what changes by itself when guards run, work is done, and the log grows."""
    measures = tuple(_proposal(m) for m in facts.measures)
    return replace(facts, last_seq=0, left_out=(), guards=(), returned=(), measures=measures)


def _proposal(measure: MeasureFact) -> MeasureFact:
    """A measure as it was proposed or amended, without what became of it."""
    m = measure
    return MeasureFact(m.number, m.kind, m.text, m.owner, m.due, m.dropped, m.effect, m.answers)
