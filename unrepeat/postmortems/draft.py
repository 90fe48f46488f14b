"""Makes a report from what stands in the tables now: the log, its evidence, and people's prose."""

from __future__ import annotations

from dataclasses import dataclass, replace

from unrepeat.duty import queries as duty
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.entries import Logged
from unrepeat.incidents.fold import fold
from unrepeat.incidents.state import State
from unrepeat.investigation import queries as investigation
from unrepeat.postmortems import store
from unrepeat.postmortems.charts import figures
from unrepeat.postmortems.facts import facts, guilty_services
from unrepeat.postmortems.models import Postmortem
from unrepeat.postmortems.prevention_facts import today
from unrepeat.postmortems.report import SECTIONS, Facts, Prose, Report
from unrepeat.postmortems.sentences import SENTENCES
from unrepeat.support import clock


@dataclass(frozen=True, slots=True)
class Folded:
    """An incident's log and the state that it gives, read once for all that one page makes of it."""

    log: list[Logged]
    state: State

    @classmethod
    def of(cls, incident: int) -> Folded:
        """As they are now; NotFound."""
        log = incidents.log_of(incident)
        return cls(log, fold(log))


def draft_of(row: Postmortem, folded: Folded | None = None, *, drawn: bool = True) -> Report:
    """The report of a postmortem as it would be published now; not `drawn`: without its figures."""
    folded = folded or Folded.of(row.incident_id)
    log, state = folded.log, folded.state
    wanted = [found.digest for found in state.evidence.values() if found.unit == "bytes"]
    results, query = investigation.results(wanted), ""
    if state.impact is not None and (counted := investigation.newest_impact(row.incident_id, state, said=True)):
        results[state.impact.digest] = counted.data
        query = counted.query
    known = facts(state, log, incident=row.incident_id, results=results, team=team_of(state), impact_query=query)
    return Report(
        number=row.pk,
        status="draft",
        revision=0,
        at=row.drafted_at,
        by="unrepeat",
        facts=known,
        prose=prose_of(row.pk, known),
        figures=figures(known, results) if drawn else (),
        published=row.revision,
        today=today(state, log, clock.now()),
    )


def with_today(report: Report, folded: Folded | None = None) -> Report:
    """A frozen report, with how its measures stand now beside it."""
    folded = folded or Folded.of(report.facts.incident)
    return replace(report, today=today(folded.state, folded.log, clock.now()))


def prose_of(number: int, known: Facts) -> dict[str, Prose]:
    """Each section as people wrote it last; where nobody has, or the last edit is empty, sentences made from the facts."""
    newest = store.newest_edits(number)
    prose = {}
    for section in SECTIONS:
        edit = newest.get(section)
        written = edit is not None and bool(edit.text.strip())
        text = edit.text if edit is not None and written else SENTENCES[section](known)
        prose[section] = Prose(text, written, edit.seq, edit.by, edit.at) if edit else Prose(text, written=False)
    return prose


def team_of(state: State) -> str:
    """The team that owns the guilty service, else the first service under alert that somebody owns."""
    for service in [*guilty_services(state), *state.services]:
        if team := duty.team_of(service):
            return team.title or team.name
    return ""
