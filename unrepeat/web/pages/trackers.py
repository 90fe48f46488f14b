"""Settings: the trackers where measures have their tickets. Tokens go in, and are never shown."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from unrepeat.prevention.tickets import tracker_commands, tracker_queries
from unrepeat.prevention.tickets.tracking import tracker_kinds
from unrepeat.support import clock
from unrepeat.support.problems import Invalid, Problem
from unrepeat.web.access import Role, caller_of, needs


@needs(Role.ADMIN)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def trackers(request: HttpRequest) -> HttpResponse:
    """The trackers: where, when last asked, what is wrong; adding one (POST)."""
    if request.method != "POST":
        return _shown(request)
    given = request.POST
    try:
        added = tracker_commands.add(
            given.get("name", "").strip(),
            given.get("kind", ""),
            url=given.get("url", "").strip(),
            project=given.get("project", "").strip(),
            token=given.get("token", ""),
            automatic=given.get("automatic") == "yes",
            by=caller_of(request).name,
        )
    except Problem as problem:
        return _shown(request, problem)
    what = "each new measure goes there by itself" if added.automatic else "a measure’s page makes and links its ticket"
    messages.success(request, f"The tracker {added.name} is added: {what}.")
    return redirect("trackers")


@needs(Role.ADMIN)
@never_cache
@require_POST
def change_tracker(request: HttpRequest, name: str) -> HttpResponse:
    """Give a tracker another token, or follow it no more."""
    what = request.POST.get("do")
    try:
        if what == "token":
            tracker_commands.set_token(name, request.POST.get("token", ""))
            messages.success(request, f"The token of {name} is set; it is asked again at once.")
        elif what == "remove":
            tracker_commands.remove(name)
            messages.success(request, f"{name} is followed no more. Its tickets stay where they are, and in the logs.")
        else:
            raise Invalid("Nothing was chosen.", "The form did not say what to do.", "Press one of its buttons.")
    except Problem as problem:
        return _shown(request, problem)
    return redirect("trackers")


def _shown(request: HttpRequest, problem: Problem | None = None) -> HttpResponse:
    context = {
        "tab": "trackers",
        "trackers": tracker_queries.trackers(),
        "kinds": [(name, kind.TITLE, kind.HELP) for name, kind in tracker_kinds().items()],
        "problem": problem,
        "given": request.POST if problem else {},
        "now": clock.now(),
    }
    return render(request, "pages/settings/trackers.html", context, status=problem.status if problem else 200)
