"""Deliveries that could not be read: nothing is lost, and after a mend they are read again."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from unrepeat.arrivals import commands, queries
from unrepeat.support import clock
from unrepeat.web.access import Role, needs
from unrepeat.web.pages.asked import page_asked

SHOWN = 20_000  # characters of a body that the page shows


@needs(Role.RESPONDER)
@require_safe
def deliveries(request: HttpRequest) -> HttpResponse:
    """The list, newest first."""
    context = {"page": queries.unreadable(page_asked(request)), "waiting": queries.waiting(), "now": clock.now()}
    return render(request, "pages/deliveries.html", context)


@needs(Role.RESPONDER)
@require_safe
def delivery(request: HttpRequest, number: int) -> HttpResponse:
    """One delivery with its body, as it came."""
    row = queries.delivery(number)
    raw = bytes(row.body)
    beginning = raw[: SHOWN * 4]  # bytes; the longest that so many characters can be
    text = beginning.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    context = {
        "row": row,
        "text": text[:SHOWN],
        "cut": len(text) > SHOWN or len(raw) > len(beginning),
        "size": len(raw),
        "headers": sorted(row.headers.items()) if isinstance(row.headers, dict) else row.headers,
    }
    return render(request, "pages/delivery.html", context)


@needs(Role.RESPONDER)
@require_POST
def reread(request: HttpRequest) -> HttpResponse:
    """Read some or all of them again."""
    chosen = [int(value) for value in request.POST.getlist("delivery") if value.isascii() and value.isdigit()][:500]
    count = commands.reread(chosen or None)
    messages.success(
        request, f"{count} will be read again now. What still cannot be read comes back here, with the reason."
    )
    return redirect("deliveries")
