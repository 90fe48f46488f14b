"""Template words of the pages: states of incidents, suspects and reports as shape and word; counts; times a person can place."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.utils.safestring import SafeString

from unrepeat.postmortems import plain
from unrepeat.support import words
from unrepeat.support.templatetags.look import moment, pill

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
