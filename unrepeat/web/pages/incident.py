"""The incident's page: what is known, what happened, whom we suspect, and everything one can do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST, require_safe

from unrepeat.incidents import commands, queries
from unrepeat.incidents.acts import ACTS
from unrepeat.incidents.entries import IMPACT
from unrepeat.incidents.fold import fold
from unrepeat.incidents.state import State
from unrepeat.investigation import queries as investigation
from unrepeat.investigation import watching
from unrepeat.postmortems import queries as postmortems
from unrepeat.support import clock
from unrepeat.support.problems import NotFound, Problem
from unrepeat.web.access import Role, caller_of, may, needs
from unrepeat.web.pages import act_forms, measure
from unrepeat.web.pages.around import names_around
from unrepeat.web.pages.hurt import Hurt, hurt_of
from unrepeat.web.pages.repeats import seen_before
from unrepeat.web.pages.story import NARROW, WIDE, story
from unrepeat.web.pages.suspects import board, first_digests, overview_digest, unseen
from unrepeat.web.pages.telling import lines, written_later
from unrepeat.web.pages.why import gaps, why

SHOWN = 200  # entries of a timeline that stand on the page at first; a link shows all
PARTS = ("head", "seen", "acts", "story", "timeline", "suspects", "why", "measures", "changes", "alerts")


@needs(Role.READER)
@require_safe
def incident(request: HttpRequest, number: int) -> HttpResponse:
    """An incident."""
    return render(request, "pages/incident.html", _page(request, number))


@needs(Role.READER)
@require_safe
def part(request: HttpRequest, number: int, part: str) -> HttpResponse:
    """One live part of the page by itself, as it stands in the page: the whole element, to be put in the place of the old one.

    Several (`head--alerts`) come each in a `div` that names it: the log is read and folded once for all of them.
    """
    names = list(dict.fromkeys(part.split("--")))
    for name in names:
        if name not in PARTS:
            raise NotFound(f"The page has no part “{name}”.", remedy=f"There are: {', '.join(PARTS)}.")
    page = _page(request, number)
    if len(names) == 1:
        response = render(request, f"pages/incident/_{part}.html", page)
    else:
        drawn = ((name, render_to_string(f"pages/incident/_{name}.html", page, request)) for name in names)
        response = HttpResponse(format_html_join("\n", '<div data-part="{}">{}</div>', drawn))
    response["Cache-Control"] = "no-store"
    return response


@needs(Role.RESPONDER)
@require_POST
def act(request: HttpRequest, number: int, name: str) -> HttpResponse:
    """Do an act; then lead to the entry that it wrote. When it cannot be done, the page says why and keeps what was typed."""
    zone = queries.state_of(number).time_zone
    caller = caller_of(request)
    key = request.POST.get("key", "")[:64]
    try:
        doing, at = act_forms.read_act(name, request.POST, zone)
        written = commands.perform(
            number, doing, by=caller.name, at=at, key=f"page:{caller.name}:{key}" if key else None
        )
    except Problem as problem:
        if request.POST.get("back") == "measure":
            return measure.shown(request, number, measure.asked(request), problem=problem, tried=name)
        page = _page(request, number, problem=problem, tried=name)
        return render(request, "pages/incident.html", page, status=problem.status)
    after = "#seen" if request.POST.get("back") == "seen" else f"#e{written[-1].seq}" if written else ""
    if request.POST.get("back") == "measure":
        return redirect("measure", number, measure.asked(request))
    if request.POST.get("back") == "postmortem":
        report = postmortems.of_incident(number)
        if report is not None:
            return redirect(f"{reverse('postmortem', args=[report])}#measures")
    return redirect(f"{reverse('incident', args=[number])}{after}")


def _page(request: HttpRequest, number: int, *, problem: Problem | None = None, tried: str = "") -> dict[str, Any]:
    """All that the page and its parts show: one reading of the log, folded once."""
    row = queries.incident(number)
    log = queries.log_of(number)
    state = fold(log)
    now, asked_why = clock.now(), why(state)
    hurt = hurt_of(number, state, log)
    everything = request.GET.get("all") == "1" or len(log) <= SHOWN
    told = lines(log if everything else log[-SHOWN:], state.time_zone)
    whole_ranking = overview_digest(state)
    look_next, call_graph = investigation.ranked(whole_ranking)
    page: dict[str, Any] = {
        "number": number,
        "row": row,
        "state": state,
        "zone": state.time_zone,
        "now": now,
        "lines": told,
        "written_later": written_later(log),
        "earlier": 0 if everything else len(log) - SHOWN,
        "latest": told[-1] if told else None,
        "facts": Facts.of(state, now, hurt),
        "watched": state.is_open and hurt is not None,
        "stories": [
            (kind, drawn)
            for kind, frame in (("wide", WIDE), ("narrow", NARROW))
            if (drawn := story(state, log, now, frame, hurt.over_time if hurt else None)) is not None
        ],
        "seen": seen_before(state),
        "suspects": board(state, investigation.shown(first_digests(state))),
        "why": asked_why,
        "why_gaps": gaps(asked_why),
        "look_next": look_next,
        "call_graph": call_graph,
        "whole_ranking": whole_ranking,
        "unseen": unseen(state),
        "alerts": sorted(state.alerts.values(), key=lambda one: (one.resolved_at is not None, one.fired_at)),
        "changes": sorted(state.changes.values(), key=lambda one: one.at, reverse=True),
        "report": postmortems.of_incident(number) if not state.is_open else None,
        "problem": problem,
        "tried": tried,
    }
    page["report_to_come"] = state.status == "resolved" and page["report"] is None  # it comes without an entry
    if page["watched"]:
        watching.look_again(number)
    if may(caller_of(request), Role.RESPONDER):
        page |= _forms(request, state, tried)
    return page


def _forms(request: HttpRequest, state: State, tried: str) -> dict[str, Any]:
    """The forms of all acts that make sense now: the primary one, those beside it, and the rest."""
    around = names_around()
    names = [name for name in ACTS if act_forms.possible(name, state) or name == tried]
    forms = {name: act_forms.form_of(name, state, around, request.POST if name == tried else None) for name in names}
    primary = forms.get(act_forms.primary_of(state))
    first = [forms[name] for name in act_forms.FIRST if name in forms and forms[name] is not primary]
    beside = {form.name for form in first} | {"note", "acknowledge"} | ({primary.name} if primary else set())
    return {
        "primary": primary,
        "first": first if state.is_open else [],
        "more": [form for form in forms.values() if form.name not in beside or (not state.is_open and form in first)],
        "note": forms.get("note"),
        "around": around,
    }


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts under the headline that need more than the state: how long it lasts, who is on it, how far the suspects are."""

    lasting: Any
    since: datetime | None
    on_it: str
    guilty: list[str]
    cleared: int
    undecided: int
    not_measured: str
    hurt: Hurt | None

    @classmethod
    def of(cls, state: State, now: datetime, hurt: Hurt | None) -> Facts:
        """Of an incident in this state, now."""
        verdicts = [suspect.verdict for suspect in state.suspects.values()]
        start = state.started_at
        end = state.resolved_at or (state.last_at if state.status == "merged" else now)
        return cls(
            lasting=max(end - start, end - end) if start and end else None,
            since=start,
            on_it=state.roles.get("lead") or state.acknowledged_by,
            guilty=[suspect.name for suspect in state.suspects.values() if suspect.verdict == "guilty"],
            cleared=verdicts.count("cleared"),
            undecided=verdicts.count("suspect"),
            not_measured=state.missing.get(
                IMPACT,
                "Nobody has been counted yet."
                if state.is_open
                else "No request log was connected, so nobody could count them.",
            ),
            hurt=hurt,
        )
