"""One guard: its colour, its proofs with both runs side by side, its runs, its text, and what one can do with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from unrepeat.duty import queries as duty
from unrepeat.incidents import measure_queries as measures
from unrepeat.incidents.models import MeasureRow
from unrepeat.postmortems.numbers import Named, reports_of
from unrepeat.prevention import commands
from unrepeat.prevention import guard_queries as guards
from unrepeat.prevention.kind import Tools, checked
from unrepeat.prevention.models import Guard, Run
from unrepeat.prevention.running import asked, patrol
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import NotFound, Problem
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.pages import guard_texts
from unrepeat.web.pages.guards import late_by, seconds

ROWS = 10  # runs in the table; the strip has more
ACTS = ("run", "prove", "text", "retire")
AGAIN = 2  # seconds until a page that waits for a run is loaded again
WIDTH = 8  # of one run in the strip


@needs(Role.READER)
@require_safe
def guard(request: HttpRequest, name: str) -> HttpResponse:
    """A guard."""
    return _shown(request, guards.named(name))


@needs(Role.RESPONDER)
@require_POST
def act(request: HttpRequest, name: str, what: str) -> HttpResponse:
    """Run it, prove it, give it another text, or retire it. When that cannot be done, the page says why and keeps what was typed."""
    found = guards.named(name)
    if what not in ACTS:
        raise NotFound(f"Nobody can “{what[:40]}” a guard.", remedy=f"One can: {', '.join(ACTS)}.")
    try:
        messages.success(request, _done(request, found, what))
    except Problem as problem:
        return _shown(request, found, problem=problem, tried=what)
    return redirect("guard", name)


@needs(Role.READER)
@require_safe
def run(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One run with the end of its output."""
    found, kept = guards.named(name), guards.run(number)
    if kept.guard_id != found.pk:
        raise NotFound(f"The guard {name} has no run {number}.")
    context = {"guard": found, "run": kept, "zone": config().time_zone, "present": kept.guard_digest == found.digest}
    return render(request, "pages/guards/run.html", context)


@needs(Role.READER)
@require_safe
def promtool(request: HttpRequest, name: str, which: str) -> HttpResponse:  # noqa: ARG001
    """The rule (`rules`) or the test (`tests`) of a guard of an alerting rule, as promtool reads them."""
    found = guards.named(name)
    kind = guard_texts.kind_module(found.kind)
    if which not in ("rules", "tests") or not hasattr(kind, "promtool_file"):
        raise NotFound(f"The guard {name} has no such file.", "Only guards of alerting rules have a test for promtool.")
    spec = checked(found.kind, found.spec)
    tools = Tools(recordings=patrol.known_recordings())
    text = kind.rules_file(spec) if which == "rules" else kind.promtool_file(spec, tools)
    response = HttpResponse(text, content_type="application/yaml; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="{"rules.yml" if which == "rules" else f"{found.name}-test.yml"}"'
    )
    return response


def _done(request: HttpRequest, found: Guard, what: str) -> str:
    """Do it, and say what was done."""
    given, by = request.POST, caller_of(request).name
    if what == "run":
        asked.plan_run(found.pk, by=by)
        return "The server runs it now; its result stands here in a moment."
    if what == "prove":
        asked.plan_proof(found.pk, given.get("failure", ""), given.get("fix", ""), by=by)
        return "The server tries it on the failure and on the fix; both runs stand here in a moment."
    if what == "retire":
        commands.retire(found.pk, by=by, reason=given.get("reason", ""))
        return f"The guard {found.name} is out of service."
    if found.origin == "repository":
        raise commands.in_repository(found)
    before = found.digest
    declared = commands.Declared(
        found.name, found.kind, guard_texts.read(given.get("text", "")), given.get("service", ""),
        seconds(given.get("every", "")), "page",
    )  # fmt: skip
    after = commands.declare(declared, by=by)
    return (
        "Its text is as it was."
        if after.digest == before
        else "It has another text now; it is unproven until it is proven again."
    )


def _shown(request: HttpRequest, found: Guard, *, problem: Problem | None = None, tried: str = "") -> HttpResponse:
    now, kind = clock.now(), guard_texts.kind_shown(found.kind)
    strip = guards.runs(found.pk)
    waiting, texts = asked.under_way(found.pk), guards.texts(found.pk)
    given = request.POST if problem else {}
    page: dict[str, Any] = {
        "guard": found,
        "kind": kind,
        "proven": found.proven_digest == found.digest,
        "now": now,
        "zone": config().time_zone,
        "late": late_by(found, now),
        "proofs": guards.proofs(found.pk),
        "strip": Strip.of(strip),
        "runs": strip[:ROWS],
        "older_runs": strip[ROWS:],
        "files": hasattr(guard_texts.kind_module(found.kind), "promtool_file"),
        "watched": _watched(found),
        "text": given.get("text") or guard_texts.written(found.spec),
        "written": guard_texts.written(found.spec),
        "texts": texts,
        "older": [
            {"at": one.at, "by": one.by, "digest": one.digest, "toml": guard_texts.written(one.spec)}
            for one in texts[1:]
        ],
        "waiting": waiting,
        "fields": guard_texts.explained(found.kind),
        "on": [guard_texts.ON.get(target, target) for target in kind.targets],
        "recordings": sorted(patrol.known_recordings()) if "recording" in kind.targets else [],
        "command_line": asked.command_line(found),
        "services": [service.name for service in duty.services()],
        "given": given,
        "problem": problem,
        "tried": tried,
    }
    page["repeats"] = [one for one in page["watched"] if one.report and one.report.published]
    response = render(request, "pages/guard.html", page, status=problem.status if problem else 200)
    if waiting and not problem:
        response["Refresh"] = str(AGAIN)
    return response


@dataclass(frozen=True, slots=True)
class Watched:
    """A measure that the guard watches over, and the report that it is from."""

    row: MeasureRow
    report: Named | None


def _watched(found: Guard) -> list[Watched]:
    pairs = [(tied.incident_id, tied.measure) for tied in guards.ties(found.pk)]
    rows = measures.some(pairs) if pairs else {}
    reports = reports_of(incident for incident, _ in pairs) if pairs else {}
    return [Watched(row, reports.get(incident)) for (incident, _), row in rows.items()]


@dataclass(frozen=True, slots=True)
class Mark:
    """One run in the strip."""

    x: int
    colour: str
    hint: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The newest runs as a strip, oldest left; `said` tells it in words."""

    marks: tuple[Mark, ...]
    width: int
    said: str

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Strip | None:
        """Of runs, newest first; None of none."""
        if not runs:
            return None
        marks = [
            Mark(i * WIDTH, one.colour, f"{one.at:%Y-%m-%d %H:%M} UTC {one.colour}: {one.said[:120]}")
            for i, one in enumerate(reversed(runs))
        ]
        counted = Counter(one.colour for one in runs)
        parts = [f"{counted[colour]} {colour}" for colour in ("green", "red", "broken") if counted[colour]]
        return cls(tuple(marks), len(marks) * WIDTH, f"The last {len(runs)} runs: {', '.join(parts)}")
