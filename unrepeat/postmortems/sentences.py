"""What an unedited section says: plain sentences made from the facts. Pure. In Markdown, with every name escaped.

Blameless: what was found guilty is a service, an indicator or a change, never a person; people stand in the timeline, with what
they did. Nothing here is guessed: where the log does not say, the sentence says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from unrepeat.postmortems import hurt, prevention_words, times
from unrepeat.postmortems.measured import size
from unrepeat.postmortems.plain import listed, markdown
from unrepeat.postmortems.prevented import MeasureFact
from unrepeat.postmortems.report import ChangeFact, Facts, SuspectFact
from unrepeat.support import words


def headline(facts: Facts) -> str:
    """The headline of an unedited report: the incident's title."""
    return facts.title


def summary(facts: Facts) -> str:
    """What happened, when, what is known of who was hurt, why, how it ended, and whether it had happened before."""
    if facts.impact:  # who was hurt comes before why
        parts = (_what(facts), _hurt(facts), _guilt(facts), _ending(facts), _before(facts), _memory(facts))
    else:
        parts = (_what(facts), _guilt(facts), _ending(facts), _before(facts), _hurt(facts), _memory(facts))
    return " ".join(said for said in parts if said)


def timeline(facts: Facts) -> str:
    """How long each step took, from the detection on."""
    if facts.detected_at is None:
        return "The log holds no time of detection yet."
    harm = facts.impact.harm_began if facts.impact else None
    late = facts.detected_at - facts.started_at
    if late > timedelta(0):
        first = f"It was detected {words.span(late)} after it began"
    elif harm and harm < facts.detected_at:
        first = f"It was detected {words.span(facts.detected_at - harm)} after harm began"
    else:
        first = "It began, as far as is known, when it was detected"
    steps = [
        ("somebody was on it", facts.acknowledged_at),
        ("the cause was found", facts.cause_found_at),
        ("the harm was stopped", facts.mitigated_at),
        ("all was well again", facts.resolved_at),
    ]
    said = [f"{what} after {words.span(max(at - facts.detected_at, timedelta(0)))}" for what, at in steps if at]
    return f"{first}. From then on: {', '.join(said)}." if said else f"{first}."


def cause(facts: Facts) -> str:
    """What was found guilty and why, the change that brought it, and who was cleared."""
    parts = [_verdict(suspect) for suspect in facts.guilty] or [
        "No suspect has been found guilty; the cause is not known."
    ]
    if facts.trigger:
        parts.append(_trigger(facts, facts.trigger))
    if facts.cleared:
        parts.append(f"Looked at and cleared: {_reasons(facts.cleared)}.")
    if facts.undecided:
        parts.append(f"Still under suspicion: {_reasons(facts.undecided)}.")
    return "\n\n".join(parts)


def resolution(facts: Facts) -> str:
    """What ended it, and how people knew that all was well."""
    parts = []
    if facts.patch:
        parts.append(_patch(facts, facts.patch))
    if facts.mitigated_at:
        how = f": {_quoted(facts.mitigation)}" if facts.mitigation else ""
        parts.append(f"The harm was stopped at {times.when(facts.mitigated_at, facts)}{how}{_stop(facts.mitigation)}")
    if facts.resolved_at:
        how = f": {_quoted(facts.resolution)}" if facts.resolution else ""
        parts.append(f"It was declared over at {times.full(facts.resolved_at, facts)}{how}{_stop(facts.resolution)}")
    return " ".join(parts) or "It is not over yet."


def measures(facts: Facts) -> str:
    """How many measures there are, how they stand, and what they still lack."""
    standing = [*facts.improvements, *facts.tasks]
    if not standing:
        return f"No measure has been proposed yet.{_gaps(facts)}"
    said = f"{_count(len(facts.improvements), 'improvement')} and {_count(len(facts.tasks), 'task')} came out of this outage."
    ownerless, dateless = (
        sum(not text for text in column) for column in zip(*((m.owner, m.due) for m in standing), strict=True)
    )
    lacking = [
        f"{number} without {what}" for number, what in ((ownerless, "an owner"), (dateless, "a due date")) if number
    ]
    lacks = f" Still lacking: {listed(lacking)}." if lacking else ""
    return f"{said}{_states(standing)}{_gaps(facts)}{lacks}"


_STATES = {
    "verified": (
        "1 is verified: a guard that was red on the failure and green on the fix watches over it.",
        "{} are verified: guards that were red on the failure and green on the fix watch over them.",
    ),
    "failed": (
        "1 has failed: the guard that had shown that it works turned red.",
        "{} have failed: the guards that had shown that they work turned red.",
    ),
    "done": (
        "1 is done, but nothing shows yet that it works.",
        "{} are done, but nothing shows yet that they work.",
    ),
    "open": ("1 is open.", "{} are open."),
}


def _states(standing: list[MeasureFact]) -> str:
    """How far they are; nothing while all are open, which is how they begin."""
    counted: Counter[str] = Counter(m.state for m in standing)
    if set(counted) == {"open"}:
        return ""
    said = [
        (one if counted[state] == 1 else many).format(counted[state])
        for state, (one, many) in _STATES.items()
        if counted[state]
    ]
    return f" {' '.join(said)}"


def _gaps(facts: Facts) -> str:
    if not facts.gaps:
        return ""
    names = listed([f"{prevention_words.ROLES[c.role].lower()} “{markdown(c.text or c.words)}”" for c in facts.gaps])
    return f" Nothing answers the {names}: that is a gap."


SENTENCES: dict[str, Callable[[Facts], str]] = {
    "headline": headline,
    "summary": summary,
    "timeline": timeline,
    "cause": cause,
    "resolution": resolution,
    "measures": measures,
}


def duration(facts: Facts) -> str:
    """`2 h 45 min, from 15:15 to 18:00 UTC on 12 August 2024`, and the same in UTC when the zone is another; plain text."""
    utc = times.in_utc(facts)
    said = f"{words.span(facts.duration)}, {times.window(facts)}" if facts.resolved_at else times.window(facts)
    return f"{said} ({utc})" if utc else said


def impact(facts: Facts) -> str:
    """What is known of who was hurt; plain text."""
    if facts.impact:
        return hurt.sentence(facts, facts.impact)
    return f"not measured: {facts.impact_missing}"


def root_cause(facts: Facts) -> str:
    """The guilty suspects, each with the first sentence of its reason, in plain text; or that nobody knows."""
    if not facts.guilty:
        return "not known: no suspect has been found guilty"
    return "; ".join(f"{s.name} – {_first_sentence(s.reason)}" if s.reason else s.name for s in facts.guilty)


def _first_sentence(text: str) -> str:
    return text.split(". ", maxsplit=1)[0].rstrip(".")


STANDING = {
    "unknown": "no suspect has been found guilty",
    "assumed": "assumed: no stored evidence is attached to the verdict",
    "supported": "supported by stored evidence",
}


def _what(facts: Facts) -> str:
    lasted = (
        f"The outage lasted {words.span(facts.duration)}, {times.window(facts)}."
        if facts.resolved_at
        else f"The outage goes on, {times.window(facts)}."
    )
    if not facts.alerts:
        return lasted
    alert = facts.alerts[0]
    on = f" on {markdown(alert.service)}" if alert.service else ""
    return f"{lasted} It was found by the alert {_quoted(alert.name)}{on} at {times.when(alert.fired_at, facts)}."


def _guilt(facts: Facts) -> str:
    guilty = (
        f"Guilty: {listed([markdown(s.name) for s in facts.guilty])}."
        if facts.guilty
        else "Nothing has been found guilty yet."
    )
    cleared = f" Cleared: {', '.join(markdown(s.name) for s in facts.cleared)}." if facts.cleared else ""
    return guilty + cleared


def _ending(facts: Facts) -> str:
    brought = f"It came with {markdown(facts.trigger.name)}" if facts.trigger else ""
    ended = f"ended with {markdown(facts.patch.name)}" if facts.patch else ""
    if brought and ended:
        return f"{brought} and {ended}."
    return f"{brought}." if brought else f"It {ended}." if ended else ""


def _before(facts: Facts) -> str:
    """Confirmed repeats; what is only likely stands below, not in the summary."""
    past = [
        f"PM-{r.postmortem}{f' (“{markdown(r.headline)}”)' if r.headline else ''}"
        for r in facts.repeats
        if r.standing == "confirmed"
    ]
    return f"It is a repeat: the failure of {listed(past)} come back." if past else ""


def _hurt(facts: Facts) -> str:
    if facts.impact is None:
        return "How many people were hurt was not measured."
    return f"{markdown(hurt.sentence(facts, facts.impact)).removesuffix('.')} (Figure 1)."


def _memory(facts: Facts) -> str:
    m = facts.memory
    if m is None:
        return ""
    what = "The resident memory" if facts.impact else "What was measured is the resident memory"
    return (
        f"{what} of {markdown(m.service)}{_largest(m.series)}{' was' if facts.impact else ':'} {size(m.first)} at {times.when(m.first_at, facts)},"
        f" at its highest {size(m.peak)} at {times.when(m.peak_at, facts)}, and {size(m.last)} at {times.when(m.last_at, facts)} (Figure 2)."
    )


def _largest(series: int) -> str:
    return f" (the largest of its {series} processes)" if series > 1 else ""


def _verdict(suspect: SuspectFact) -> str:
    return f"**{markdown(suspect.name)}** was found guilty{f': {_quoted(suspect.reason)}' if suspect.reason else ''}{_stop(suspect.reason)}"


def _trigger(facts: Facts, change: ChangeFact) -> str:
    when = f"{_kind(change)} at {times.when(change.at, facts)}"
    summary_ = f" ({_quoted(change.summary)})" if change.summary and change.summary != change.name else ""
    if change.named:
        return f"The change that brought it: **{markdown(change.name)}**, {when}{summary_}."
    return (
        f"The change that brought it is taken to be **{markdown(change.name)}**, {when}{summary_}:"
        " it was the last change of the guilty service before the alert."
    )


def _patch(facts: Facts, change: ChangeFact) -> str:
    when = f"{_kind(change)} at {times.when(change.at, facts)}"
    summary_ = f" ({_quoted(change.summary)})" if change.summary and change.summary != change.name else ""
    said = f"The patch that ended it: **{markdown(change.name)}**, {when}{summary_}"
    return f"{said}." if change.named else f"{said}; it was the last change of the guilty service before all was well."


def _kind(change: ChangeFact) -> str:
    shipped = {"deploy": "deployed", "release": "released", "push": "pushed", "migration": "migrated"}
    return shipped.get(change.kind, "shipped")


def _reasons(suspects: tuple[SuspectFact, ...]) -> str:
    return "; ".join(f"{markdown(s.name)} ({_quoted(s.reason)})" if s.reason else markdown(s.name) for s in suspects)


def _quoted(text: str) -> str:
    return f"“{markdown(text)}”"


def _stop(text: str) -> str:
    """A full stop, unless the quotation before it has brought its own."""
    return "" if text.endswith((".", "!", "?", "…")) else "."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
