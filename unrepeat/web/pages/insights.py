"""What many outages say together, as pictures with their tables, and each as a file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from unrepeat.prevention import insights
from unrepeat.prevention.plots import Plot, made
from unrepeat.support import clock
from unrepeat.support.problems import NotFound
from unrepeat.web.access import Role, needs
from unrepeat.web.pages.csv_files import csv_file

GROUPS = (
    ("again", "Does it come back?"),
    ("why", "Why"),
    ("times", "How fast are we?"),
    ("after", "What stops it coming back"),
)
DEFAULT = 2  # years


@needs(Role.READER)
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """All plots."""
    years = _years(request)
    plots = _plots(years)
    groups = [(title, name, plots[name]) for name, title in GROUPS]
    return render(request, "pages/insights.html", {"groups": groups, "years": years, "choices": insights.YEARS})


@needs(Role.READER)
@require_safe
def download(request: HttpRequest, name: str) -> HttpResponseBase:
    """The table of one plot as CSV."""
    for plots in _plots(_years(request)).values():
        for plot in plots:
            if plot.name == name:
                return csv_file(f"{name}.csv", plot.head, plot.rows)
    raise NotFound(f"There is no plot “{name[:40]}”.", remedy="The page of insights shows those there are.")


def _years(request: HttpRequest) -> int:
    """How many years back; what is no choice is as nothing said."""
    return {str(years): years for years in insights.YEARS}.get(request.GET.get("years", ""), DEFAULT)


def _plots(years: int) -> dict[str, list[Plot]]:
    months = insights.worth_showing(insights.months(clock.now(), 12 * years))
    since = insights.began(months[0])
    return {
        "again": [made.repeats_plot(insights.repeats(months))],
        "why": [made.words_plot(one) for one in insights.causes_named(since)],
        "times": [made.times_plot(one) for one in insights.times(since)],
        "after": [
            made.measures_plot(insights.measures(months)),
            made.guards_plot(insights.guards_by_kind(), insights.behind()),
        ],
    }
