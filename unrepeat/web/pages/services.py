"""The services: who owns each, what it depends on, what was shipped, and how it failed before."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from unrepeat.arrivals import queries as arrivals
from unrepeat.duty import queries as duty
from unrepeat.incidents import queries as incidents
from unrepeat.investigation import queries as investigation
from unrepeat.postmortems import library
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import NotFound
from unrepeat.web.access import Role, needs

LATELY = timedelta(days=30)


@needs(Role.READER)
@require_safe
def services(request: HttpRequest) -> HttpResponse:
    """All services of the catalogue, with their open incidents."""
    failing: dict[str, int] = {}
    for row in incidents.open_incidents():
        for name in row.services:
            failing.setdefault(name, row.pk)
    rows = [(service, failing.get(service.name)) for service in duty.services()]
    return render(request, "pages/services.html", {"rows": rows})


@needs(Role.READER)
@require_safe
def service(request: HttpRequest, name: str) -> HttpResponse:
    """One service. Alerts may name services that the catalogue does not know: those have a page too."""
    now = clock.now()
    known = next((one for one in duty.services() if one.name == name), None)
    listing = incidents.incidents(service=name, size=20)
    changes = [change for change in arrivals.changes_of([name], now - LATELY, now) if change.service == name]
    if known is None and not listing.total and not changes:
        raise NotFound(
            f"Nobody knows a service “{name}”.", "It is not in the catalogue, and no alert or change names it."
        )
    newest = listing.rows[0].pk if listing.rows else None
    state = incidents.state_of(newest) if newest else None
    context = {
        "name": name,
        "service": duty.service(name) if known else None,
        "series": investigation.series_rule(name, known.labels if known else {}, state),
        "newest": newest,
        "listing": listing,
        "changes": list(reversed(changes))[:30],
        "reports": library.shelf(service=name, page=1).rows[:10],
        "now": now,
        "zone": config().time_zone,
    }
    return render(request, "pages/service.html", context)
