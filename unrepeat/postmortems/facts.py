"""The facts of a report, folded from an incident's state and log. Pure: the same log gives the same facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from unrepeat.incidents.entries import IMPACT, Logged
from unrepeat.incidents.state import Evidence, NearChange, State, Suspect
from unrepeat.postmortems import hurt, measured, prevention_facts
from unrepeat.postmortems.plain import clean, web_link
from unrepeat.postmortems.report import AlertFact, ChangeFact, EvidenceFact, Facts, Standing, SuspectFact
from unrepeat.postmortems.timeline import timeline

NO_REQUEST_LOG = "no request log is connected, so nobody can count the users who met a slow or failed request"
_EPOCH = datetime.fromtimestamp(0, UTC)


def facts(
    state: State,
    log: Sequence[Logged],
    *,
    incident: int,
    results: measured.Results,
    team: str = "",
    impact_query: str = "",
) -> Facts:
    """The facts of incident number `incident`; `results` holds the stored results of its evidence, `team` owns the guilty service.

    `impact_query`: the text of the query by which impact was counted.
    """
    trigger, patch = trigger_of(state), patch_of(state)
    lines, left_out = timeline(log, trigger.number if trigger else None, patch.number if patch else None)
    started = state.started_at or state.detected_at or (log[0].at if log else _EPOCH)
    shown = _memory_evidence(state, results)
    gathered = _newest(state)
    missing = {clean(title, 200): clean(reason, 500) for title, reason in state.missing.items()}
    for found in gathered:
        missing.pop(clean(found.title, 200), None)
    return Facts(
        incident=incident,
        title=clean(state.title) or f"Incident {incident}",
        severity=clean(state.severity, 40),
        status=state.status,
        zone=_zone(state.time_zone),
        services=tuple(clean(name, 120) for name in state.services if name),
        team=clean(team, 120),
        lead=clean(state.roles.get("lead", ""), 120),
        started_at=started,
        detected_at=state.detected_at,
        acknowledged_at=state.acknowledged_at,
        cause_found_at=state.cause_found_at,
        mitigated_at=state.mitigated_at,
        resolved_at=state.resolved_at,
        mitigation=clean(state.mitigation, 1000),
        resolution=clean(state.resolution, 1000),
        impact_missing=missing.pop(IMPACT, "" if state.impact else NO_REQUEST_LOG),
        standing=_standing(state),
        alerts=_alerts(state),
        suspects=tuple(_suspect(s) for s in sorted(state.suspects.values(), key=lambda s: s.raised_at)),
        changes=tuple(_change(c) for c in sorted(state.changes.values(), key=lambda c: c.at)),
        trigger=trigger,
        patch=patch,
        timeline=lines,
        left_out=left_out,
        measures=prevention_facts.measures(state, log),
        memory=measured.memory(
            results[shown.digest], service=clean(shown.service, 120), digest=shown.digest, started_at=started
        )
        if shown
        else None,
        evidence=tuple(_evidence(found) for found in gathered),
        notes=tuple(dict.fromkeys(note for found in gathered if (note := _source_and_note(found.source)[1]))),
        missing=tuple(missing.items()),
        last_seq=state.last_seq,
        impact=hurt.fact(log, state.impact, results, impact_query) if state.impact else None,
        causes=prevention_facts.causes(state),
        guards=prevention_facts.guards(state),
        repeats=prevention_facts.repeats(state),
        returned=prevention_facts.returned(log),
    )


def trigger_of(state: State) -> ChangeFact | None:
    """The change that brought it: the one found guilty; else the last change of a guilty service before the alert (not `named`)."""
    guilty = [s for s in state.suspects.values() if s.verdict == "guilty"]
    changes = sorted(state.changes.values(), key=lambda change: change.at)
    named = [change for change in changes if any(_is_named(change, suspect) for suspect in guilty)]
    if named:
        return _change(named[-1], named=True)
    known = state.detected_at or state.resolved_at
    cleared = [s for s in state.suspects.values() if s.verdict == "cleared"]
    before = [
        c
        for c in changes
        if c.service in guilty_services(state)
        and c.status != "failed"
        and known is not None
        and c.at <= known
        and not any(_is_named(c, suspect) for suspect in cleared)
    ]
    return _change(before[-1]) if before else None


def patch_of(state: State) -> ChangeFact | None:
    """The patch that ended it: the change that `mitigated` names, by number or in words; else the last good change of a guilty service during the outage."""
    if state.mitigating_change is not None and state.mitigating_change in state.changes:
        return _change(state.changes[state.mitigating_change], named=True)
    told = [c for c in state.changes.values() if c.status != "failed" and _is_mentioned(c, state.mitigation)]
    if told:
        return _change(max(told, key=lambda change: change.at), named=True)
    start, end = state.detected_at, state.resolved_at
    if start is None or end is None:
        return None
    services = guilty_services(state)
    during = [
        c for c in state.changes.values() if c.service in services and c.status != "failed" and start < c.at <= end
    ]
    return _change(max(during, key=lambda change: change.at)) if during else None


def guilty_services(state: State) -> list[str]:
    """Services found guilty, by themselves or through a change of theirs."""
    guilty = [s for s in state.suspects.values() if s.verdict == "guilty"]
    named = [s.name for s in guilty if s.kind == "service"]
    through = [c.service for c in state.changes.values() if any(_is_named(c, s) for s in guilty)]
    return list(dict.fromkeys(name for name in [*named, *through] if name))


def _is_named(change: NearChange, suspect: Suspect) -> bool:
    """Whether a suspect's name means this change: `sessions 2.0`, `sessions v2.0`, the version of a change, or its number."""
    name = " ".join(suspect.name.casefold().replace("@", " ").replace(":", " ").split())
    whole = {f"{change.service} {v}{change.version}".casefold() for v in ("", "v")} if change.version else set()
    alone = {change.version, change.summary, f"change {change.change}", f"{change.change}", f"#{change.change}"}
    return name in whole or (suspect.kind == "change" and name in {text.casefold() for text in alone if text})


def _newest(state: State) -> list[Evidence]:
    """The newest of each question: the one asked again after the resolve stands for those before it."""
    newest: dict[tuple[str, str, str], Evidence] = {}
    for found in sorted(state.evidence.values(), key=lambda found: (found.window_to, found.at)):
        newest[found.title, found.source, found.query] = found
    kept = {digest for suspect in state.suspects.values() for digest in suspect.evidence}
    named = [found for found in state.evidence.values() if found.digest in kept and found not in newest.values()]
    return sorted([*newest.values(), *named], key=lambda found: found.at)


def _is_mentioned(change: NearChange, text: str) -> bool:
    """Whether words name this change: `sessions 2.0.1` (not as a part of `sessions 2.0.1.4`)."""
    if not (change.service and change.version):
        return False
    name = rf"(?<!\w){re.escape(change.service)}\s+v?{re.escape(change.version)}(?!\w|\.\d)"
    return re.search(name, text[:5000], re.IGNORECASE) is not None


def _zone(name: str) -> str:
    """The zone, when there is one by that name; else UTC."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return "UTC"


def _standing(state: State) -> Standing:
    """Of the cause: supported when stored evidence stands behind a guilty suspect, assumed when only words do."""
    guilty = [s for s in state.suspects.values() if s.verdict == "guilty"]
    if not guilty:
        return "unknown"
    return "supported" if any(s.evidence for s in guilty) else "assumed"


def _memory_evidence(state: State, results: measured.Results) -> Evidence | None:
    """The newest evidence of the guilty service's memory that has samples; else of a service under alert."""
    found = [e for e in state.evidence.values() if e.unit == "bytes" and "memory" in e.query and e.digest in results]
    found = [e for e in found if measured.largest(results[e.digest])]
    for service in [*guilty_services(state), *state.services]:
        of_service = [e for e in found if e.service == service]
        if of_service:
            return max(of_service, key=lambda e: (e.window_to, e.at))
    return None


def _alerts(state: State) -> tuple[AlertFact, ...]:
    """Alerts by name and service: from the first firing to the last resolving."""
    grouped: dict[tuple[str, str], list[tuple[datetime, datetime | None]]] = {}
    for alert in sorted(state.alerts.values(), key=lambda a: a.fired_at):
        key = (clean(alert.name, 200), clean(alert.service, 120))
        grouped.setdefault(key, []).append((alert.fired_at, alert.resolved_at))
    made = []
    for (name, service), spans in grouped.items():
        ends = [end for _, end in spans if end is not None]
        made.append(AlertFact(name, service, spans[0][0], max(ends) if len(ends) == len(spans) else None, len(spans)))
    return tuple(made)


def _suspect(suspect: Suspect) -> SuspectFact:
    return SuspectFact(
        clean(suspect.name, 200),
        suspect.kind,
        suspect.verdict,
        clean(suspect.reason, 1000),
        clean(suspect.by, 120),
        suspect.raised_at,
        suspect.decided_at,
        suspect.evidence,
    )


def _change(change: NearChange, *, named: bool = False) -> ChangeFact:
    return ChangeFact(
        change.change,
        clean(change.kind, 40),
        clean(change.service, 120),
        clean(change.version, 120),
        clean(change.previous, 120),
        clean(change.status, 40),
        clean(change.summary, 300),
        clean(change.author, 120),
        change.at,
        web_link(change.url),
        named,
    )


def _evidence(found: Evidence) -> EvidenceFact:
    return EvidenceFact(
        found.digest,
        clean(found.title, 200),
        _source_and_note(found.source)[0],
        clean(found.query, 1000),
        found.window_from,
        found.window_to,
        clean(found.service, 120),
        clean(found.unit, 40),
    )


def _source_and_note(source: str) -> tuple[str, str]:
    """A source tells what it is and, in brackets, what one has to know about it: `Recording x (time axis stretched ...)`."""
    name, bracket, note = clean(source, 1000).partition(" (")
    if not bracket or not note.endswith(")"):
        return clean(source, 1000), ""
    return name, f"{name}: {note.removesuffix(')').rstrip('.')}."
