"""The library and the reports: read, edit a section with preview, history and diffs, propose measures, publish, download."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from unrepeat.incidents import queries as incidents
from unrepeat.incidents.state import State
from unrepeat.postmortems import commands, queries
from unrepeat.postmortems import library as shelves
from unrepeat.postmortems.compared import has_moved_on
from unrepeat.postmortems.formats import html, markdown
from unrepeat.postmortems.report import SECTIONS, Report
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, NotFound, Problem
from unrepeat.web.access import Role, caller_of, may, needs
from unrepeat.web.models import User
from unrepeat.web.pages.asked import day_asked, page_asked
from unrepeat.web.pages.repeats import beside

HELP = {
    "headline": "One line that a manager understands: what people noticed, and why.",
    "summary": "What happened, who noticed it how, and that it is over: three sentences for people who have one minute.",
    "timeline": "A sentence or two before the timeline, if it needs one. The lines themselves come from the log.",
    "cause": "The mechanism in plain words: what was done, what that led to, and what made it worse. Never who.",
    "resolution": "How it was ended, and how one knows that it is over.",
    "measures": "Why these measures, and what they would have changed. The measures themselves stand in the log.",
}


@needs(Role.READER)
@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """All published reports, newest first, to be searched and filtered; for those who write, the drafts too."""
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("text", "service", "team", "cause")}
    days = {name: day_asked(request, name) for name in ("since", "until")}
    shelf = shelves.shelf(
        text=asked["text"],
        service=asked["service"],
        team=asked["team"],
        cause=asked["cause"],
        since=days["since"],
        until=days["until"],
        page=page_asked(request),
    )
    filtered = any(asked.values()) or any(days.values())
    context = {
        "shelf": shelf,
        "asked": asked | {name: day.isoformat() if day else "" for name, day in days.items()},
        "filtered": filtered,
        "choices": shelves.choices(),
        "drafts": shelves.drafts(20) if not filtered and may(caller_of(request), Role.RESPONDER) else [],
        "now": clock.now(),
        "zone": config().time_zone,
    }
    return render(request, "pages/library.html", context)


@needs(Role.READER)
@require_safe
def postmortem(request: HttpRequest, number: int) -> HttpResponse:
    """The newest published revision, or the draft while there is none; `?draft=1` shows the draft to those who write."""
    opened = queries.opened(number, drafting=_drafting(request), writes=may(caller_of(request), Role.RESPONDER))
    return _shown(request, number, opened.report, state=opened.state, draft=opened.draft)


@needs(Role.READER)
@require_safe
def revision(request: HttpRequest, number: int, revision: int) -> HttpResponse:
    """A published revision as it was, and whether its contents still give the digest that it was sealed with."""
    report = queries.revision(number, revision)
    state = incidents.state_of(report.facts.incident)
    return _shown(request, number, report, state=state, intact=queries.is_intact(number, revision))


def _drafting(request: HttpRequest) -> bool:
    """Whether somebody who writes asks for the draft."""
    return request.GET.get("draft") == "1" and may(caller_of(request), Role.RESPONDER)


def _wanted(request: HttpRequest, number: int) -> Report:
    """The draft when it was asked for by somebody who writes, else what readers see."""
    return queries.opened(number, drafting=_drafting(request)).report


def _shown(
    request: HttpRequest,
    number: int,
    report: Report,
    *,
    state: State,
    draft: Report | None = None,
    intact: bool | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "report": report,
        "number": number,
        "incident": report.facts.incident,
        "intact": intact,
        "revisions": queries.revisions(number),
        "beside": beside(number, state),
        "now": clock.now(),
    }
    if draft is not None:
        context |= {
            "sections": [(name, title, draft.prose[name]) for name, title in SECTIONS.items()],
            "measures": draft.facts.measures,
            "causes": draft.facts.causes,
            "people": User.objects.filter(is_active=True).order_by("username")[:200],
            "key": secrets.token_urlsafe(12),
            "open": draft.facts.resolved_at is None,
            "changed": report.status == "published" and has_moved_on(report, draft),
        }
    return render(request, "pages/postmortem.html", context)


@needs(Role.RESPONDER)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int, section: str) -> HttpResponse:
    """Edit a section: look at it (preview), or save it. When somebody else saved meanwhile, nothing is lost: both are shown."""
    if section not in SECTIONS:
        raise NotFound(f"There is no section “{section}”.", remedy=f"The sections are: {', '.join(SECTIONS)}.")
    standing = queries.prose(number, section)
    text, problem = standing.text, None
    expected = request.POST.get("expected", "")
    if request.method == "POST":
        text = request.POST.get("text", "").replace("\r\n", "\n")
        if request.POST.get("do") == "save":
            kept = "" if not standing.written and text.strip() == standing.text.strip() else text
            try:
                commands.write(
                    number,
                    section,
                    kept,
                    by=caller_of(request).name,
                    expected=int(expected) if expected.isascii() and expected.isdigit() and len(expected) < 9 else None,
                )
            except Problem as refused:
                problem = refused
            else:
                messages.success(
                    request, f"“{SECTIONS[section]}” is saved. Readers see it once the report is published."
                )
                return redirect(f"{reverse('postmortem', args=[number])}?draft=1")
    context = {
        "number": number,
        "section": section,
        "title": SECTIONS[section],
        "help": HELP.get(section, ""),
        "standing": standing,
        "text": text,
        "preview": request.method == "POST",
        "problem": problem,
        "conflict": isinstance(problem, Conflict),
        "expected": standing.seq if not problem else expected,
        "now": clock.now(),
    }
    return render(request, "pages/edit.html", context, status=problem.status if problem else 200)


@needs(Role.READER)
@require_safe
def history(request: HttpRequest, number: int, section: str) -> HttpResponse:
    """Every version of a section, newest first, with what each changed."""
    versions = queries.history(number, section)
    context = {
        "number": number,
        "section": section,
        "title": SECTIONS[section],
        "versions": versions,
        "now": clock.now(),
    }
    return render(request, "pages/history.html", context)


@needs(Role.RESPONDER)
@require_POST
def publish(request: HttpRequest, number: int) -> HttpResponse:
    """Freeze the report as it is now into the next revision, for everybody to read."""
    made = commands.publish(number, by=caller_of(request).name)
    messages.success(request, f"Revision {made} is published: everybody can read it, and it will never change.")
    return redirect("postmortem", number)


@needs(Role.READER)
@require_safe
def download_html(request: HttpRequest, number: int) -> HttpResponse:
    """One self-contained HTML file."""
    return _file(html.render(_wanted(request, number)), "text/html", f"PM-{number}.html")


@needs(Role.READER)
@require_safe
def download_markdown(request: HttpRequest, number: int) -> HttpResponse:
    """One Markdown file."""
    return _file(markdown.render(_wanted(request, number)), "text/markdown", f"PM-{number}.md")


def _file(text: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=f"{kind}; charset=utf-8")
    response["Content-Disposition"] = format_html('attachment; filename="{}"', name)
    return response
