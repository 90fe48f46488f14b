"""Is this a past failure come back? Matches open incidents with past reports, and links confirmed repeats both ways.

First by exact signs (`signs.py`), then by what the reports tell of. Reports of incidents that are over count, drafts too: a failure
that comes back before its report is published is still a repeat. What a person has rejected is not named again.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from unrepeat.incidents import acts, checks
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import entries as e
from unrepeat.incidents import queries as incident_queries
from unrepeat.incidents.fold import MACHINE, fold
from unrepeat.incidents.state import State
from unrepeat.postmortems import finding, library
from unrepeat.postmortems import queries as reports
from unrepeat.postmortems.models import Postmortem
from unrepeat.prevention.repeats import past, sign_rows
from unrepeat.prevention.repeats.signs import COMMON, LOOKED_UP, Likeness, kind_of, past_signs, present_signs, weigh
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.support.search_text import COMMON as COMMON_WORDS
from unrepeat.support.search_text import words

MOST = 3  # past reports that one incident is said to be like
FEWEST = 4  # words of an outage's text; fewer tell nothing
TEXTS = 4  # reports that are looked at because their text is alike
BY_A_PERSON = "named by a person"


@dataclass(frozen=True, slots=True)
class Match:
    """A past report that an incident is like."""

    row: Postmortem
    likeness: Likeness


def remember(postmortem: int) -> str:
    """Keep the signs of a past failure, as its log has them now."""
    signs = past_signs(incident_queries.state_of(reports.incident_of(postmortem)))
    sign_rows.write(postmortem, signs)
    return f"PM-{postmortem} is known by {len(signs)} signs"


def find(incident: int) -> list[Match]:
    """The past reports that an open incident is like, the likeliest first. Reads only."""
    state = incident_queries.state_of(incident)
    if not state.is_open:
        return []
    mine = present_signs(state)
    shared = sign_rows.sharing(sign for sign in mine if kind_of(sign) in LOOKED_UP)
    common = {sign for sign in mine if sum(sign in has for has in shared.values()) > COMMON}
    guards = {number: names for number, names in sign_rows.red_guards().items() if number != incident}
    answer = finding.alike(_text(state), TEXTS)
    texts = {hit.doc: hit for hit in answer.hits[:TEXTS]} if answer.hits else {}
    rows = reports.of_past_incidents([*shared, *texts], incidents=guards)
    has = sign_rows.having(rows, mine)
    involved = {*state.services, *(change.service for change in state.changes.values())}
    matches = []
    for number, row in rows.items():
        if not _is_before(row, incident, state):
            continue
        near = (
            guards.get(row.incident_id, set()) if involved & {*row.incident.services, *row.incident.guilty} else set()
        )
        first = answer.hits[0].doc if answer.hits else 0
        likeness = weigh(
            {sign: mine[sign] for sign in has.get(number, set())},
            guards=near,
            words=library.shared_words(row, texts[number]) if number in texts else (),
            sure=answer.sure if number == first else 0.0,
            common=common,
        )
        if likeness is not None:
            matches.append(Match(row, likeness))
    matches.sort(key=lambda one: (one.likeness.standing != "likely", -one.likeness.score, -one.row.pk))
    return matches[:MOST]


def match(incident: int, found: list[Match] | None = None) -> str:
    """Append which past failures an incident is like, where that is news. `found`: from `find`, when that was asked before."""
    matches = find(incident) if found is None else found
    told: list[str] = []

    def consider(log: list[e.Logged]) -> list[e.Entry]:
        state = fold(log)
        news = [one for one in matches if state.is_open and _is_news(state, one)]
        told.extend(f"PM-{one.row.pk} ({one.likeness.standing})" for one in news)
        return [_suspected(one) for one in news]

    incidents.append_considered(incident, consider, by=MACHINE)
    return f"incident {incident} is like {', '.join(told)}" if told else f"nothing new is like incident {incident}"


def look_again(incident: int) -> None:
    """The guards or measures of a past incident changed: if one of its guards is red, compare the open incidents anew."""
    if incident not in sign_rows.red_guards():
        return
    now = clock.now()
    for row in incident_queries.open_incidents()[:20]:
        key = f"match:{row.pk}:guards:{int(now.timestamp())}"
        wakeups.plan("prevention", "match", {"incident": row.pk}, due_at=now, key=key)


def name_repeat(incident: int, postmortem: int, *, by: str, reason: str = "") -> None:
    """A person says that this is a past failure come back, whether or not the machine has seen it; NotFound, Conflict, Invalid."""
    reason = checks.optional("reason", reason, checks.REASON)
    row = reports.row_of(postmortem)
    if row.incident_id == incident:
        raise Invalid(
            f"PM-{postmortem} is the report on this incident itself.",
            "A failure is a repeat of an earlier one.",
            "Name the report of the earlier incident.",
        )
    with transaction.atomic():

        def consider(log: list[e.Logged]) -> list[e.Entry]:
            state = fold(log)
            if state.status == "merged":
                raise Conflict(
                    f"Incident {incident} goes on as incident {state.merged_into}.", "It was merged.", "Act there."
                )
            if postmortem in state.repeats:
                return []
            return [_suspected(Match(row, Likeness("possible", 0.0, (BY_A_PERSON,))))]

        incidents.append_considered(incident, consider, by=by)
        incidents.perform(incident, acts.ConfirmRepeat(postmortem, reason), by=by)


def link(incident: int) -> str:
    """Write into the past incidents' logs that they came back here, for each repeat that a person confirmed."""
    state, linked = incident_queries.state_of(incident), 0
    for repeat in state.repeats.values():
        if repeat.standing == "confirmed" and repeat.incident and repeat.incident != incident:
            key = f"repeated:{repeat.incident}:{incident}"
            linked += bool(
                incidents.append(repeat.incident, [e.RepeatedBy(incident, state.title)], by=MACHINE, key=key)
            )
    return f"incident {incident} is linked with {linked} past ones"


def _is_before(row: Postmortem, incident: int, state: State) -> bool:
    """Whether a report tells of an earlier outage than this, and not of a part of it."""
    if row.incident_id == incident or row.incident_id in state.merged_from:
        return False
    began, past_end = state.started_at or state.opened_at, row.incident.resolved_at
    return began is None or past_end is None or past_end <= began


def _text(state: State) -> str:
    """What is known of an outage beyond its alerts' names and services, which are signs of their own; empty when that is too little."""
    guilty = [one for one in state.suspects.values() if one.verdict == "guilty"]
    said = [*(cause.text for cause in state.causes.values()), *(one.reason for one in guilty), state.title]
    said += [alert.summary for alert in list(state.alerts.values())[:5]]
    known = {word for alert in state.alerts.values() for word in words(f"{alert.name} {alert.service}")} | {
        word for service in state.services for word in words(service)
    }
    left = [
        word for text in dict.fromkeys(said) for word in words(text) if word not in known and word not in COMMON_WORDS
    ]
    return " ".join(left) if len(set(left)) >= FEWEST else ""


def _is_news(state: State, one: Match) -> bool:
    before = state.repeats.get(one.row.pk)
    if before is None:
        return True
    if before.decided_by:
        return False
    if before.standing == "likely" and one.likeness.standing == "possible":
        return False
    gained = {_plain(reason) for reason in one.likeness.reasons} - {_plain(reason) for reason in before.reasons}
    return before.standing != one.likeness.standing or bool(gained)


def _plain(reason: str) -> str:
    """A reason without what may change in it and is no news: which words are alike, which guards are red."""
    return reason.partition(":")[0] if reason.startswith("its report tells") else reason


def _suspected(one: Match) -> e.RepeatSuspected:
    then = past.of(one.row, incident_queries.state_of(one.row.incident_id))
    reasons = one.likeness.reasons + (("its report is still a draft",) if then.draft else ())
    return e.RepeatSuspected(
        then.postmortem,
        then.incident,
        then.headline,
        one.likeness.standing,
        one.likeness.score,
        reasons,
        then.ended_by,
        then.measures_open,
        then.began,
    )
