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


@needs(Role.READER)
@require_safe
def shown(request: HttpRequest) -> HttpResponse:
    """All plots."""
    plots = _plots()
    groups = [(title, name, plots[name]) for name, title in GROUPS]
    return render(request, "pages/insights.html", {"groups": groups, "months": insights.MONTHS})


@needs(Role.READER)
@require_safe
def download(request: HttpRequest, name: str) -> HttpResponseBase:  # noqa: ARG001
    """The table of one plot as CSV."""
    for plots in _plots().values():
        for plot in plots:
            if plot.name == name:
                return csv_file(f"{name}.csv", plot.head, plot.rows)
    raise NotFound(f"There is no plot “{name[:40]}”.", remedy="The page of insights shows those there are.")


def _plots() -> dict[str, list[Plot]]:
    months = insights.worth_showing(insights.months(clock.now()))
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
