"""All guards, and declaring one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from unrepeat.duty import queries as duty
from unrepeat.prevention import commands
from unrepeat.prevention import guard_queries as guards
from unrepeat.prevention.guard_queries import COLOURS, Asked
from unrepeat.prevention.models import Guard
from unrepeat.prevention.watched import measure_of
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Invalid, Problem
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.pages import guard_texts
from unrepeat.web.pages.asked import page_asked
from unrepeat.web.pages.csv_files import csv_file

LATE = timedelta(seconds=60)  # a run that begins so long after it was due is late
COLOUR = (("", "any"), ("red", "red"), ("broken", "broken"), ("green", "green"), ("none", "not run yet"))
PROVEN = (("", "any"), ("yes", "proven"), ("no", "not proven"))
HEAD = (
    "guard", "kind", "service", "colour", "since", "said", "proven", "flaky", "last run", "runs", "every (s)", "due", "measures",
    "origin", "place",
)  # fmt: skip


@needs(Role.READER)
@require_safe
def list_of(request: HttpRequest) -> HttpResponse:
    """The guards in service, what needs somebody first."""
    asked, late = _asked(request), clock.now() - LATE
    listing = guards.guards(asked, late, page=page_asked(request))
    kinds = guard_texts.all_kinds()
    context = {
        "tab": "guards",
        "listing": listing,
        "number": guards.counts(late),
        "asked": asked,
        "filtered": asked != Asked(),
        "kinds": kinds,
        "safe": {kind.name for kind in kinds if kind.safe},
        "colours": COLOUR,
        "provens": PROVEN,
        "services": guards.services(),
        "late_before": late,
        "now": clock.now(),
        "zone": config().time_zone,
        "query": request.GET.urlencode(),
    }
    return render(request, "pages/guards.html", context)


@needs(Role.READER)
@require_safe
def download(request: HttpRequest) -> HttpResponseBase:
    """What the list shows, all pages of it, as CSV."""
    return csv_file("guards.csv", HEAD, _rows(guards.every(_asked(request), clock.now() - LATE)))


def _rows(rows: Iterable[Guard]) -> Iterable[tuple[object, ...]]:
    for row in rows:
        yield (
            row.name, row.kind, row.service, row.colour, row.turned_at, row.ran_said, row.proven_at if row.proven_digest == row.digest else None, row.flaky, row.ran_at,
            row.runs, row.every or "", row.due_at, row.measures, row.origin, row.place,
        )  # fmt: skip


@needs(Role.RESPONDER)
@require_safe
def kinds_of(request: HttpRequest) -> HttpResponse:
    """Choose the kind of a new guard."""
    context = {"kinds": guard_texts.all_kinds(), "query": request.GET.urlencode()}
    return render(request, "pages/guards/kinds.html", context)


@needs(Role.RESPONDER)
@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest, kind: str) -> HttpResponse:
    """Declare a guard of a kind; its text begins with the kind's example."""
    shown, given, problem = guard_texts.kind_shown(kind), request.POST, None
    if request.method == "POST":
        try:
            made = _declared(request, kind)
            return redirect("guard", made.name)
        except Problem as refused:
            problem = refused
    context = {
        "kind": shown,
        "fields": guard_texts.explained(kind),
        "text": given.get("text") or guard_texts.example(kind),
        "given": given or request.GET,
        "services": [service.name for service in duty.services()],
        "on": [guard_texts.ON.get(target, target) for target in shown.targets],
        "problem": problem,
    }
    return render(request, "pages/guards/declare.html", context, status=problem.status if problem else 200)


def _declared(request: HttpRequest, kind: str) -> Guard:
    """Make the guard, and tie it to the measure that it was declared for."""
    given, by = request.POST, caller_of(request).name
    name, measure = given.get("name", "").strip(), given.get("measure", "").strip()
    tied = measure_of(measure) if measure else None
    if guards.exists(name):
        raise Invalid(
            f"There is a guard {name} already.",
            "Names are given once.",
            "Choose another name, or change that guard’s text.",
        )
    made = commands.declare(
        commands.Declared(
            name,
            kind,
            guard_texts.read(given.get("text", "")),
            given.get("service", ""),
            seconds(given.get("every", "")),
            "page",
        ),
        by=by,
    )
    if tied is not None:
        commands.tie(made.pk, *tied, by=by)
    return made


def seconds(text: str) -> int:
    """The seconds between two runs, as a form says them: empty is none."""
    text = text.strip()
    if not text:
        return 0
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise Invalid(
            f"“{text[:40]}” is no number of seconds.",
            "It says how often the server runs it.",
            "Write 300 for 5 minutes.",
        )
    return int(text)


def late_by(row: Guard, now: datetime) -> timedelta | None:
    """How late a guard's next run is; None when it is not late."""
    return now - row.due_at if row.due_at is not None and now - row.due_at > LATE else None


def _asked(request: HttpRequest) -> Asked:
    given = {name: request.GET.get(name, "").strip()[:120] for name in request.GET}
    colour, proven = given.get("colour", ""), given.get("proven", "")
    return Asked(
        colour=colour if colour in COLOURS else "",
        kind=given.get("kind", ""),
        service=given.get("service", ""),
        proven=proven if proven in ("yes", "no") else "",
        flaky=given.get("flaky") == "1",
        late=given.get("late") == "1",
        retired=given.get("retired") == "1",
        text=given.get("text", ""),
    )
