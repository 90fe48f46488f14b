"""Template words of the look: marks (a state is a shape and a word), moments and spans."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from unrepeat.support import words

register = template.Library()

SHAPES = {
    "alert": '<rect x="1" y="1" width="8" height="8"/>',
    "page": '<path d="M5 .8 9.6 9.2H.4z"/>',
    "change": '<path d="M5 .3 9.7 5 5 9.7 .3 5z"/>',
    "cleared": '<circle cx="5" cy="5" r="3.6" class="hollow"/>',
    "suspect": '<circle cx="5" cy="5" r="4.1" class="half"/><path d="M5 .9a4.1 4.1 0 0 1 0 8.2z" class="half-fill"/>',
    "guilty": '<circle cx="5" cy="5" r="4.2"/>',
    "verified": '<path d="M1 5.4 4 8.4 9 1.8" class="hollow"/>',
    "note": '<circle cx="5" cy="5" r="2.4"/>',
}
"""The shapes by what they stand for, in a box of 10 by 10; their colours come from CSS (`.mark.alert` and so on)."""


@register.simple_tag
@cache
def mark(shape: str) -> SafeString:
    """The small picture that stands for a kind of happening; always beside a word."""
    drawn = mark_safe(SHAPES.get(shape, SHAPES["note"]))  # noqa: S308 (our own constants)
    return format_html(
        '<svg class="mark {}" viewBox="0 0 10 10" aria-hidden="true" focusable="false">{}</svg>', shape, drawn
    )


@register.simple_tag
def pill(tone: str, shape: str, words_: str) -> SafeString:
    """A state: a shape and a word; `tone` (bad, warn, good, info or empty) only repeats them in colour."""
    return format_html('<span class="state {}">{}{}</span>', tone, mark(shape), words_)


@register.filter
def span(length: timedelta | None) -> str:
    """`{{ state.duration|span }}`."""
    return words.span(length)


@register.simple_tag
def moment(at: datetime | None, zone: str = "UTC", style: str = "time") -> SafeString | str:
    """A `<time>` in a zone; `style` is `time` (15:15), `day` (12 August 2024) or `both`."""
    if at is None:
        return "–"
    said = {"time": words.clock_time(at, zone), "day": words.day(at, zone)}.get(
        style
    ) or f"{words.day(at, zone)}, {words.clock_time(at, zone)}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), said)
