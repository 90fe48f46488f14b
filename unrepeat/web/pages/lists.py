"""The front page and the list of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from unrepeat.arrivals import queries as arrivals
from unrepeat.duty import queries as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.models import Incident
from unrepeat.postmortems import library
from unrepeat.prevention.repeats.counted import repeat_number
from unrepeat.support import clock, words
from unrepeat.support.config import config
from unrepeat.support.problems import Problem
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.pages.asked import page_asked

LATELY = timedelta(hours=24)
CHANGES = 12
STATUSES = (
    ("", "all"),
    ("open", "open"),
    ("detected", "nobody on it"),
    ("acknowledged", "being worked on"),
    ("mitigated", "harm stopped"),
    ("resolved", "resolved"),
    ("merged", "merged"),
)
SEVERITIES = ("critical", "major", "minor", "info")


@needs(Role.READER)
@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """What is wrong right now, what was shipped lately, what was published lately."""
    return render(request, "pages/now.html", _now())


@needs(Role.READER)
@require_safe
def now_part(request: HttpRequest) -> HttpResponse:
    """The front page's live part by itself."""
    response = render(request, "pages/now/_all.html", _now())
    response["Cache-Control"] = "no-store"
    return response


def _now() -> dict[str, object]:
    at = clock.now()
    open_now = queries.open_incidents()
    changes = arrivals.recent_changes(at - LATELY, CHANGES + 1)
    ended = queries.incidents(status="resolved", size=1).total
    return {
        "now": at,
        "zone": config().time_zone,
        "headline": headline(open_now),
        "open": open_now,
        "firing": sum(row.open_alerts for row in open_now),
        "alone": sum(row.status in ("detected", "reopened") for row in open_now),
        "last": queries.last_ended(),
        "repeated": repeat_number(at, config().time_zone),
        "incidents": ended + len(open_now),
        "changes": [_dated(change, at) for change in changes[:CHANGES]],
        "more_changes": len(changes) > CHANGES,
        "failed": sum(change.status == "failed" for change in changes),
        "published": library.shelf(page=1).rows[:5],
        "unreadable": arrivals.unreadable().paginator.count,
        "sources": len(arrivals.sources()) if not open_now and not ended else 1,
    }


def headline(open_now: list[Incident]) -> str:
    """What is wrong, in one sentence."""
    count = len(open_now)
    if not count:
        return "Nothing is wrong right now"
    spelled = {1: "One thing is", 2: "Two things are", 3: "Three things are", 4: "Four things are"}
    return f"{spelled.get(count, f'{count} things are')} wrong right now"


@dataclass(frozen=True, slots=True)
class Dated:
    """A change, and whether it was shipped on another day than today."""

    change: object
    today: bool


def _dated(change: object, at: datetime) -> Dated:
    zone = config().time_zone
    return Dated(change, words.day(change.at, zone) == words.day(at, zone))  # type: ignore[attr-defined]


@needs(Role.READER)
@require_http_methods(["GET", "HEAD", "POST"])
def incidents(request: HttpRequest) -> HttpResponse:
    """All incidents, newest first; a responder can open one by hand (POST)."""
    problem = None
    if request.method == "POST":
        given = request.POST
        try:
            number = commands.open_incident(
                given.get("title", ""),
                service=given.get("service", ""),
                severity=given.get("severity", ""),
                by=caller_of(request).name,
            )
            return redirect(reverse("incident", args=[number]))
        except Problem as refused:
            problem = refused
    asked = {name: request.GET.get(name, "").strip()[:120] for name in ("status", "service")}
    if asked["status"] not in dict(STATUSES):
        asked["status"] = ""
    listing = queries.incidents(status=asked["status"], service=asked["service"], page=page_asked(request))
    context = {
        "listing": listing,
        "asked": asked,
        "given": request.POST,
        "statuses": STATUSES,
        "severities": SEVERITIES,
        "services": [service.name for service in duty.services()],
        "now": clock.now(),
        "zone": config().time_zone,
        "problem": problem,
    }
    return render(request, "pages/incidents.html", context, status=problem.status if problem else 200)
