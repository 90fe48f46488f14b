"""Template words of the pages: states of incidents, suspects and reports as shape and word; counts; times a person can place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from unrepeat.postmortems import plain
from unrepeat.support import words
from unrepeat.support.templatetags.look import moment, pill
from unrepeat.web.pages.told import cause_role, cause_word

register = template.Library()

STATUS = {
    "detected": ("bad", "alert", "Nobody on it yet"),
    "reopened": ("bad", "alert", "Not over: reopened"),
    "acknowledged": ("warn", "page", "Being worked on"),
    "mitigated": ("info", "cleared", "Harm stopped"),
    "resolved": ("good", "verified", "Resolved"),
    "merged": ("", "note", "Merged"),
}
VERDICT = {
    "suspect": ("warn", "suspect", "Suspect"),
    "cleared": ("good", "cleared", "Cleared"),
    "guilty": ("bad", "guilty", "Guilty"),
}

MEASURE = {
    "open": ("", "note", "Open"),
    "done": ("info", "cleared", "Done, not verified"),
    "verified": ("good", "verified", "Verified"),
    "failed": ("bad", "alert", "Failed"),
    "dropped": ("", "note", "Dropped"),
}
COLOUR = {
    "red": ("bad", "alert", "Red"),
    "green": ("good", "verified", "Green"),
    "broken": ("warn", "suspect", "Broken"),
    "": ("", "note", "Not run yet"),
}
EFFECT = {"prevent": "prevents it", "detect": "shows it sooner", "mitigate": "makes it do less harm"}


@register.simple_tag
def measure_state(name: str, late: int = 0) -> SafeString:
    """A measure's state as shape and words; `late`: days since an open one was due."""
    if name == "open" and late:
        return pill("warn", "page", f"Open, {count(late, 'day')} late")
    return pill(*MEASURE.get(name, ("", "note", name)))


@register.simple_tag
def colour(name: str) -> SafeString:
    """A guard's or a run's colour as shape and word."""
    return pill(*COLOUR.get(name, ("", "note", name)))


@register.filter
def effect(name: str) -> str:
    """What a measure does: `prevents it`."""
    return EFFECT.get(name, "")


@register.filter
def cause_words(cause: object) -> str:
    """A cause's word of the taxonomy, as people say it."""
    return cause_word(getattr(cause, "role", ""), getattr(cause, "value", ""))


@register.filter
def role_words(cause: object) -> str:
    """What a cause's role is called."""
    return cause_role(getattr(cause, "role", ""))


@register.filter
def coded(text: str) -> SafeString:
    """Words in which what stands between backticks is code."""
    parts = text.split("`")
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", p) if i % 2 else p,) for i, p in enumerate(parts))
    )


@register.filter
def kind_words(name: str) -> str:
    """A guard kind's name as people read it: `alert backtest`."""
    return name.replace("_", " ")


@register.filter
def seconds(number: int) -> str:
    """A period as people say it: `5 min`."""
    return words.span(timedelta(seconds=number))


@register.filter
def took(number: float) -> str:
    """How long a run took: `12 ms`, `3.2 s`, `2 min 4 s`."""
    if number < 1:
        return f"{number * 1000:.0f} ms"
    return f"{number:.1f} s" if number < 60 else words.span(timedelta(seconds=number))


@register.filter
def figure(number: object, name: str = "") -> str:
    """A number that a guard gave, with at most four digits that matter and thin spaces between thousands.

    One whose `name` ends in `_at` is a moment (Unix seconds).
    """
    if not isinstance(number, int | float):
        return str(number)
    if name.endswith("_at"):
        return f"{datetime.fromtimestamp(number, UTC):%H:%M UTC, %-d %B %Y}"
    text = f"{number:,.0f}" if abs(number) >= 1000 or float(number).is_integer() else f"{number:.4g}"
    return text.replace(",", "\u202f")


@register.simple_tag
def status(name: str) -> SafeString:
    """An incident's status as shape and words."""
    return pill(*STATUS.get(name, ("", "note", name)))


@register.simple_tag
def verdict(name: str) -> SafeString:
    """A suspect's verdict as shape and word."""
    return pill(*VERDICT.get(name, ("", "note", name)))


@register.filter
def count(number: int, noun: str) -> str:
    """`{{ 2|count:"alert" }}`: 2 alerts; `{{ 1|count:"entry,entries" }}`: 1 entry."""
    one, _, many = noun.partition(",")
    return f"{number:,} {one if number == 1 else many or one + 's'}".replace(",", "\u202f")


@register.filter
def since(at: datetime | None, now: datetime) -> str:
    """How long ago, as people say it: `3 min`; a dash when there is no time."""
    return "–" if at is None else words.span(max(now - at, timedelta(0)))


@register.simple_tag
def shortly(at: datetime | None, now: datetime, zone: str = "UTC") -> SafeString | str:
    """A moment as short as it can be told from `now`: `15:15` today, otherwise with its day."""
    if at is None:
        return "–"
    return moment(at, zone, "time" if words.day(at, zone) == words.day(now, zone) else "both")


@register.filter
def zone_name(at: datetime, zone: str) -> str:
    """The short name of a zone at a moment: `UTC`, `CEST`."""
    return words.zone_name(at, zone)


@register.filter
def web_link(address: str) -> str:
    """The address when it leads to the web (http, https); otherwise nothing, so that no link is made of it."""
    return plain.web_link(address or "")


@register.simple_tag
def turned(query: QueryDict, page: int) -> str:
    """The same address on another page of the list."""
    kept = {name: value for name, value in query.items() if name != "page" and value}
    return "?" + urlencode(kept | {"page": page})
