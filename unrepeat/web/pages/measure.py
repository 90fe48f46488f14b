"""One measure: what it is for, what stands behind it, what happened to it, and everything one can do about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from unrepeat.incidents import entries as e
from unrepeat.incidents import queries
from unrepeat.incidents.fold import fold
from unrepeat.incidents.measures import cannot_tell
from unrepeat.incidents.state import Measure, State
from unrepeat.postmortems.numbers import reports_of
from unrepeat.prevention import commands as guards_do
from unrepeat.prevention import guard_queries as guards
from unrepeat.prevention.telling import reminders
from unrepeat.prevention.tickets import tracker_commands, tracker_queries
from unrepeat.prevention.told_models import Ticket
from unrepeat.support import clock, words
from unrepeat.support.problems import Invalid, NotFound, Problem
from unrepeat.web.access import Role, caller_of, may, needs
from unrepeat.web.pages import act_forms
from unrepeat.web.pages.around import names_around
from unrepeat.web.pages.measures import days_late
from unrepeat.web.pages.telling import lines

ACTS = ("finish_measure", "close_regression", "reopen_measure", "amend_measure", "drop_measure")
OFFERED = 300  # guards by name in the form that ties one


@needs(Role.READER)
@require_safe
def measure(request: HttpRequest, number: int, measure: int) -> HttpResponse:
    """A measure of an incident."""
    return shown(request, number, measure)


@needs(Role.RESPONDER)
@require_POST
def tie(request: HttpRequest, number: int, measure: int) -> HttpResponse:
    """Tie a guard to the measure, by its name; or untie it, by its number, with a reason."""
    by, given = caller_of(request).name, request.POST
    try:
        if untied := given.get("untie", ""):
            guards_do.untie(_whole(untied), number, measure, by=by, reason=given.get("reason", ""))
        else:
            guards_do.tie(guards.named(given.get("guard", "").strip()).pk, number, measure, by=by)
    except Problem as problem:
        return shown(request, number, measure, problem=problem)
    return redirect("measure", number, measure)


@needs(Role.RESPONDER)
@require_POST
def ticket(request: HttpRequest, number: int, measure: int) -> HttpResponse:
    """Have a ticket made for the measure in a tracker, or link the one at an address."""
    by, given = caller_of(request).name, request.POST
    try:
        if url := given.get("url", "").strip():
            tracker_commands.link_ticket(number, measure, url, by=by)
        else:
            tracker_commands.make_ticket(number, measure, given.get("tracker", ""), by=by)
    except Problem as problem:
        return shown(request, number, measure, problem=problem)
    return redirect("measure", number, measure)


@needs(Role.READER, write=Role.READER, person=True)
@require_POST
def follow(request: HttpRequest, number: int, measure: int) -> HttpResponse:
    """Be told when a measure of the incident fails or its guard cannot tell, or not any more."""
    reminders.follow(number, caller_of(request).name, wanted=request.POST.get("follow") == "yes")
    return redirect("measure", number, measure)


def asked(request: HttpRequest) -> int:
    """The measure that a sent form is about."""
    return _whole(request.POST.get("measure", ""))


def shown(
    request: HttpRequest, number: int, measure: int, *, problem: Problem | None = None, tried: str = ""
) -> HttpResponse:
    """The page, with what went wrong."""
    log = queries.log_of(number)
    state = fold(log)
    one = state.measures.get(measure)
    if one is None:
        raise NotFound(
            f"Incident {number} has no measure {measure}.", remedy="Its page and the report list those there are."
        )
    today = words.in_zone(clock.now(), state.time_zone).date()
    due = _day(one)
    tickets, followed = tracker_queries.tickets(number, measure), tracker_queries.followed()
    page: dict[str, Any] = {
        "number": number,
        "measure": one,
        "state": state,
        "zone": state.time_zone,
        "now": clock.now(),
        "report": reports_of([number]).get(number),
        "due": due,
        "late": days_late(one.state, due, today),
        "failed_guard": state.guards.get(one.failed_guard),
        "silent": [(guard, guards.remedy(guard.number, guard.run)) for guard in cannot_tell(state, one)],
        "answers": [state.causes[cause] for cause in one.answers if cause in state.causes],
        "guards": [(state.guards[g], row) for g, row in guards.some(one.guards).items() if g in state.guards],
        "lines": lines(_about(log, measure), state.time_zone),
        "reminders": tracker_queries.reminders(number, measure),
        "ticket_note": _ticket_note(tickets, followed),
        "problem": problem,
        "followed": tracker_queries.is_followed(number, caller_of(request).name),
    }
    if may(caller_of(request), Role.RESPONDER) and not one.dropped and state.status != "merged":
        page |= _forms(request, state, one, tried)
        page["offered"] = guards.names(OFFERED)
        page["trackers"] = [name for name in followed if name not in {ticket.tracker.name for ticket in tickets}]
    return render(request, "pages/measure.html", page, status=problem.status if problem else 200)


def _ticket_note(tickets: list[Ticket], followed: list[str]) -> str:
    """What is to be said of a measure's tickets: what is wrong, or that one is being made; empty: nothing."""
    for one in tickets:
        if one.trouble:
            return one.trouble
        if not one.number and one.tracker.name in followed:
            return f"being made in {one.tracker.name}"
    return ""


def _forms(request: HttpRequest, state: State, one: Measure, tried: str) -> dict[str, Any]:
    around = names_around()
    fitting = {
        "finish_measure": one.done_at is None,
        "reopen_measure": one.done_at is not None,
        "close_regression": one.failed_at is not None,
    }
    forms = {}
    for name in ACTS:
        if fitting.get(name, True) or name == tried:
            begin = _as_it_is(one) if name == "amend_measure" else None
            forms[name] = act_forms.form_of(name, state, around, request.POST if name == tried else None, begin=begin)
    primary = forms.get("close_regression") or forms.get("finish_measure")
    return {"primary": primary, "forms": [form for form in forms.values() if form is not primary]}


def _as_it_is(one: Measure) -> QueryDict:
    """The measure as a form that amends it begins."""
    given = QueryDict(mutable=True)
    given.update({"kind": one.kind, "text": one.text, "owner": one.owner, "due": one.due, "effect": one.effect})
    given.setlist("answers", [str(cause) for cause in one.answers])
    return given


def _about(log: Iterable[e.Logged], measure: int) -> list[e.Logged]:
    """The entries that tell of this measure, and of its guards while they watch over it."""
    kept, watching = [], set[int]()
    for logged in log:
        entry = logged.entry
        guard = getattr(entry, "guard", 0)
        if getattr(entry, "measure", None) == measure:
            kept.append(logged)
            if isinstance(entry, e.GuardTied):
                watching.add(guard)
            elif isinstance(entry, e.GuardUntied):
                watching.discard(guard)
        elif guard in watching and getattr(entry, "measure", None) is None:
            kept.append(logged)
    return kept


def _day(one: Measure) -> date | None:
    try:
        return date.fromisoformat(one.due)
    except ValueError:
        return None


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Invalid(
            f"“{text[:40]}” is no number.", "The form did not say which one is meant.", "Go back and try again."
        )
    return int(text)
