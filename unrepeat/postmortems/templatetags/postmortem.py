"""Template words of the report: times as its facts tell them, prose as safe HTML, figures as inline SVG."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from unrepeat.postmortems import hurt, measured, prevention_words, sentences, times
from unrepeat.postmortems.formats.prose import to_html
from unrepeat.postmortems.prevented import CauseFact, GuardFact, MeasureFact, RepeatFact, Today
from unrepeat.postmortems.report import Facts, Figure, ImpactFact, Line, ShareFact
from unrepeat.support import shares as counted
from unrepeat.support import words
from unrepeat.support.templatetags.look import pill

register = template.Library()


@register.filter
def clock(at: datetime, facts: Facts) -> SafeString:
    """`{{ line.at|clock:facts }}`: the time of day in the incident's zone."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), times.clock(at, facts))


@register.filter
def when(at: datetime, facts: Facts) -> SafeString:
    """`{{ facts.patch.at|when:facts }}`: the time of day; with zone and day when it was not on the outage's first day."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), times.when(at, facts))


@register.filter
def full(at: datetime, facts: Facts) -> SafeString:
    """`{{ facts.resolved_at|full:facts }}`: time, zone and day."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), times.full(at, facts))


@register.filter
def prose(text: str) -> SafeString:
    """Markdown as HTML that can do no harm."""
    return mark_safe(to_html(text))  # noqa: S308 (cleaned by nh3)


@register.filter
def drawn(figure: Figure) -> SafeString:
    """A figure's two pictures, for wide and for narrow pages; all words in them were escaped when they were drawn."""
    wide, narrow = mark_safe(figure.svg), mark_safe(figure.narrow)  # noqa: S308 (escaped by charts/)
    return format_html('<div class="wide">{}</div><div class="narrow">{}</div>', wide, narrow)


@register.filter
def said(facts: Facts, what: str) -> str:
    """A fact in plain words: `duration`, `impact`, `root_cause`, `short_window`, `in_utc`, `standing`, `length`, `day`."""
    made: dict[str, Callable[[Facts], str]] = {
        "duration": sentences.duration,
        "impact": sentences.impact,
        "root_cause": sentences.root_cause,
        "short_window": times.short_window,
        "in_utc": times.in_utc,
        "standing": lambda f: sentences.STANDING[f.standing],
        "length": lambda f: words.span(f.duration),
        "day": lambda f: words.day(f.started_at, f.zone),
        "zone": lambda f: words.zone_name(f.started_at, f.zone),
    }
    return made[what](facts)


@register.filter
def due(text: str) -> str:
    """A due date in words."""
    return words.dated(text)


@register.filter
def size(value: float) -> str:
    """Bytes in words."""
    return measured.size(value)


@register.filter
def days(facts: Facts) -> list[tuple[str, list[Line]]]:
    """The timeline by days in the incident's zone."""
    grouped: dict[str, list[Line]] = {}
    for line in facts.timeline:
        grouped.setdefault(words.day(line.at, facts.zone), []).append(line)
    return list(grouped.items())


@register.filter
def since(at: datetime | None, start: datetime | None) -> str:
    """How long after `start` something happened."""
    return words.span(max(at - start, timedelta(0))) if at and start else "–"


@register.filter
def percent(share: ShareFact) -> str:
    """A share in percent."""
    return counted.percent(share.numerator, share.denominator)


@register.filter
def interval(share: ShareFact) -> str:
    """Between which shares the true one lies."""
    return counted.interval(share.low, share.high)


@register.filter
def brief(share: ShareFact) -> str:
    """`464 of 600 users`, with the interval when they are few."""
    return hurt.brief(share)


@register.filter
def capped(share: ShareFact) -> str:
    """What was counted, as the beginning of a sentence."""
    return share.name[:1].upper() + share.name[1:]


@register.filter
def seconds(value: float) -> str:
    """`0.5 s`."""
    return f"{value:g}\u00a0s"


@register.filter
def shares(impact: ImpactFact) -> list[ShareFact]:
    """All that was counted."""
    return hurt.shares(impact)


@register.filter
def unreadable(impact: ImpactFact) -> str:
    """What was left out, in a sentence."""
    return hurt.unreadable(impact)


# --- causes, measures, guards, repeats ---


@register.filter
def stamp(at: datetime, facts: Facts) -> SafeString:
    """`{{ guard.red_at|stamp:facts }}`: time, zone and day of something that need not be of the outage's day."""
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), prevention_words.moment(at, facts.zone))


@register.filter
def causes_by_role(facts: Facts) -> list[tuple[str, list[CauseFact]]]:
    """Trigger, root causes and contributing factors, each under its title; what nobody has named is left out."""
    titles = (("trigger", "Trigger"), ("cause", "Root causes"), ("factor", "Contributing factors"))
    found = [(title, [c for c in facts.causes if c.role == role]) for role, title in titles]
    return [(title, causes) for title, causes in found if causes]


@register.filter
def accepted_risks(facts: Facts) -> list[CauseFact]:
    """Causes whose risk somebody bears."""
    return [c for c in facts.causes if c.accepted]


@register.filter
def role(cause: CauseFact) -> str:
    """Trigger, root cause or contributing factor."""
    return prevention_words.ROLES[cause.role]


@register.filter
def cause_said(cause: CauseFact) -> str:
    """The class of a cause, and the thing itself."""
    return prevention_words.cause(cause)


@register.filter
def cause_answer(cause: CauseFact) -> str:
    """What is done about it."""
    return prevention_words.answer(cause)


@register.filter
def about(measure: MeasureFact, facts: Facts) -> str:
    """What a measure does, and which causes it answers."""
    return prevention_words.about(measure, facts.causes)


@register.filter
def guards_of(measure: MeasureFact, facts: Facts) -> list[GuardFact]:
    """The guards that watch over a measure."""
    return [g for g in facts.guards if g.number in measure.guards]


@register.filter
def guard_said(guard: GuardFact, facts: Facts) -> str:
    """What proves a guard, or what is lacking."""
    return prevention_words.guard(guard, facts.zone)


@register.filter
def kind_said(guard: GuardFact) -> str:
    """What kind of check it is."""
    return prevention_words.kind(guard)


@register.filter
def proof_said(guard: GuardFact, facts: Facts) -> str:
    """The same, with what its two runs said."""
    return prevention_words.proof(guard, facts.zone)


@register.filter
def colour_said(guard: GuardFact, facts: Facts) -> str:
    """What it shows in regular service."""
    return prevention_words.colour(guard, facts.zone)


@register.filter
def colour_pill(guard: GuardFact, facts: Facts) -> SafeString:
    """The same as a shape and a word."""
    return pill(*prevention_words.COLOUR_LOOKS[guard.colour], prevention_words.colour(guard, facts.zone))


@register.filter
def state_pill(measure: MeasureFact) -> SafeString:
    """A measure's state as a shape and a word."""
    return pill(*prevention_words.STATE_LOOKS[measure.state], prevention_words.STATES[measure.state])


@register.filter
def state_said(measure: MeasureFact, facts: Facts) -> str:
    """Since when it is in its state, and who did it."""
    return prevention_words.state(measure, facts.zone)


@register.filter
def regression_said(measure: MeasureFact, facts: Facts) -> str:
    """Which guard turned red, when, and what it said."""
    return prevention_words.regression(measure, facts.zone)


@register.filter
def silence_said(pair: tuple[MeasureFact, GuardFact], facts: Facts) -> str:
    """Which guard cannot tell, since when, and what it said."""
    return prevention_words.silence(*pair, facts.zone)


@register.filter
def tally(today: Today, facts: Facts) -> str:
    """How many measures are in which state."""
    return prevention_words.tally(today, facts.zone)


@register.filter
def seen_said(repeat: RepeatFact) -> str:
    """What a past failure has to do with this one."""
    return prevention_words.seen_before(repeat)
