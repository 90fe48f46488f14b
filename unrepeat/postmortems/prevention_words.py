"""Causes, measures, guards and repeats in plain words, for people who have a minute. Pure; plain text, each format escapes for itself."""

from __future__ import annotations

from datetime import datetime

from unrepeat.postmortems.plain import listed
from unrepeat.postmortems.prevented import CauseFact, GuardFact, MeasureFact, RepeatFact, Today
from unrepeat.support import words

STATES = {
    "open": "Open",
    "done": "Done, not verified",
    "verified": "Verified",
    "failed": "Failed: regressed",
    "dropped": "Dropped",
}
STATE_LOOKS = {
    "open": ("", "note"),
    "done": ("warn", "suspect"),
    "verified": ("good", "verified"),
    "failed": ("bad", "alert"),
    "dropped": ("", "note"),
}
"""Tone and shape of each state."""
EFFECTS = {"prevent": "prevents", "detect": "detects", "mitigate": "mitigates", "": ""}
ROLES = {"trigger": "Trigger", "cause": "Root cause", "factor": "Contributing factor"}
COLOURS = {"red": "red", "green": "green", "broken": "could not run", "": "no regular run yet"}
COLOUR_LOOKS = {"red": ("bad", "alert"), "green": ("good", "verified"), "broken": ("warn", "suspect"), "": ("", "note")}


def moment(at: datetime, zone: str) -> str:
    """`10:00 UTC on 14 August 2024`."""
    return f"{words.clock_time(at, zone)} {words.zone_name(at, zone)} on {words.day(at, zone)}"


def cause(fact: CauseFact) -> str:
    """`A deploy: sessions 2.0 brought session tracking`."""
    said = f"{fact.words[:1].upper()}{fact.words[1:]}"
    return f"{said}: {fact.text}" if fact.text else said


def answer(fact: CauseFact) -> str:
    """What is done about a cause: its measures, an accepted risk with its name and reason, or that nothing is."""
    if fact.measures:
        return f"Answered by {numbers(fact.measures)}."
    if fact.accepted:
        return f"Risk accepted by {fact.accepted_by}: {_stopped(fact.accepted)}"
    return "No measure answers it, and nobody has accepted the risk." if fact.is_gap else ""


def numbers(measures: tuple[int, ...]) -> str:
    """`M1`, `M1 and M3`."""
    return listed([f"M{number}" for number in measures])


def about(measure: MeasureFact, causes: tuple[CauseFact, ...]) -> str:
    """What a measure is for, in small print: what it does, and which causes it answers."""
    known = {c.number: c for c in causes}
    answered = listed([known[number].words for number in measure.answers if number in known])
    effect = EFFECTS[measure.effect]
    return " · ".join(part for part in (effect, f"answers {answered}" if answered else "") if part)


def state(measure: MeasureFact, zone: str) -> str:
    """Since when a measure is in its state, and what was done; empty for an open one."""
    if measure.regression:
        return f"since {words.day(measure.regression.at, zone)}"
    if measure.done_at is None:
        return ""
    return f"done {words.day(measure.done_at, zone)}{f' by {measure.done_by}' if measure.done_by else ''}"


def guard(fact: GuardFact, zone: str) -> str:
    """A guard in one sentence: what proves it, or what is lacking."""
    if fact.proven:
        when = f" on {words.day(fact.proven_at, zone)}" if fact.proven_at else ""
        said = f"red on {fact.failure}, green on {fact.fix}" if fact.failure and fact.fix else "red, then green"
        return f"Proven{when}: {said}."
    if fact.said:
        return f"Not proven. {_stopped(fact.said)}"
    return "Not proven yet: nobody has run it on the failure and on the fix."


def kind(fact: GuardFact) -> str:
    """What kind of check a guard is, as words: `alert backtest`."""
    return fact.kind.replace("_", " ")


def proof(fact: GuardFact, zone: str) -> str:
    """The same with what its two runs said, so that a reader sees what the guard would have changed."""
    if not (fact.proven and fact.red_said and fact.green_said):
        return guard(fact, zone)
    when = f" on {words.day(fact.proven_at, zone)}" if fact.proven_at else ""
    return f"Proven{when}. Red on the failure: {_stopped(fact.red_said)} Green on the fix: {_stopped(fact.green_said)}"


def colour(fact: GuardFact, zone: str) -> str:
    """What a guard shows in regular service: `green since 14 August 2024`."""
    return (
        f"{COLOURS[fact.colour]}{f' since {words.day(fact.turned_at, zone)}' if fact.turned_at and fact.colour else ''}"
    )


def tally(today: Today, zone: str) -> str:
    """How many of the measures are in which state: `2 of 8 verified, 1 done but not verified, 5 open (3 of them late)`."""
    day = words.in_zone(today.at, zone).date().isoformat()
    late = sum(m.state == "open" and bool(m.due) and m.due < day for m in today.standing)
    failed, done, still = (today.count(state) for state in ("failed", "done", "open"))
    said = [f"{today.count('verified')} of {len(today.standing)} verified"]
    said += [f"{failed} failed"] if failed else []
    said += [f"{done} done but not verified"] if done else []
    said += [f"{still} open{f' ({late} of them late)' if late else ''}"] if still else []
    return ", ".join(said)


def regression(measure: MeasureFact, zone: str) -> str:
    """A verified measure that failed, with its guard and what the run said."""
    found = measure.regression
    if found is None:
        return ""
    said = f": {_stopped(found.said)}" if found.said else "."
    return f"M{measure.number} had been verified. Its guard {found.name} turned red at {moment(found.at, zone)}{said}"


def silence(measure: MeasureFact, fact: GuardFact, zone: str) -> str:
    """Why a measure is not verified any more: its guard is broken, since when, and what it said."""
    when = f" since {moment(fact.turned_at, zone)}" if fact.turned_at else ""
    said = f": {_stopped(fact.run_said)}" if fact.run_said else "."
    return (
        f"M{measure.number} had been verified. Its guard {fact.name} cannot tell{when}{said} "
        "It counts as done, not verified, until the guard can tell again."
    )


def seen_before(repeat: RepeatFact) -> str:
    """What a past failure has to do with this one, and how it ended then; begins after `PM-12`."""
    title = f" “{repeat.headline}”" if repeat.headline else ""
    when = f", {words.dated(repeat.began)}" if repeat.began else ""
    if repeat.standing == "confirmed":
        said = f"{title}{when}: this is that failure come back, as {repeat.by} confirmed"
    else:
        said = f"{title}{when}: likely the same failure; nobody has confirmed or rejected it"
    ended = f" Ended then by: {_stopped(repeat.ended_by)}" if repeat.ended_by else ""
    left = repeat.measures_open
    still = f" {left} of its measures {'was' if left == 1 else 'were'} still open." if left else ""
    return f"{said}.{f' {_stopped(repeat.why)}' if repeat.why else ''}{ended}{still}"


def _stopped(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
