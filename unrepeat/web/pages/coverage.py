"""Would today's guards and alert rules catch each past outage? Asked every night; the page shows the answers that stand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

from unrepeat.postmortems.numbers import headlines
from unrepeat.prevention.coverage import matrix as coverage
from unrepeat.prevention.coverage.matrix import Cell
from unrepeat.support import clock, words
from unrepeat.support.config import config
from unrepeat.support.templatetags.look import mark
from unrepeat.web.access import Role, needs
from unrepeat.web.pages.asked import page_asked
from unrepeat.web.pages.csv_files import csv_file

SIGNS = {
    "caught": "verified",
    "late": "suspect",
    "missed": "alert",
    "broken": "note",
    "gone": "note",
}
CELL = '<td title="{}"><span class="answer">{} {}</span><small>{}since {}</small></td>'
NOT_ASKED = mark_safe('<td><span class="soft">not asked</span></td>')
CAUGHT_BEFORE = mark_safe("<b>caught before</b>, ")
HEAD = (
    "report", "outage", "recording", "guard or rule", "answer", "minutes before people knew", "since", "asked last", "caught before", "said",
)  # fmt: skip


@needs(Role.READER)
@require_safe
def matrix(request: HttpRequest) -> HttpResponse:
    """The matrix of past outages, and today's guards and rules; on top what is not covered any more."""
    found = coverage.matrix(page_asked(request))
    context = {
        "tab": "coverage",
        "matrix": found,
        "lines": [(line, [_shown(line.cells.get(column.subject)) for column in found.columns]) for line in found.lines],
        "lost": headlines(found.lost),
        "now": clock.now(),
        "zone": config().time_zone,
    }
    return render(request, "pages/coverage.html", context)


@needs(Role.READER)
@require_safe
def download(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001
    """All answers that stand, as CSV."""
    return csv_file("coverage.csv", HEAD, _rows())


def _rows() -> Iterator[tuple[object, ...]]:
    for report, recording, name, cell in coverage.answers():
        yield (
            f"PM-{report.pk}", report.headline, recording, name, cell.result, cell.lead, cell.since, cell.at, cell.lost, cell.said,
        )  # fmt: skip


def _shown(cell: Cell | None) -> SafeString:
    """A cell of the matrix for people: shape, a few words, since when. There are a thousand of them on a page, so no template."""
    if cell is None:
        return NOT_ASKED
    before = CAUGHT_BEFORE if cell.lost else ""
    since = f"{cell.since.day} {cell.since:%b %Y}"
    shape = mark(SIGNS.get(cell.result, "note"))
    return format_html(CELL, f"{cell.said} {cell.remedy}".strip(), shape, _words(cell), before, since)


def _words(cell: Cell) -> str:
    if cell.result in ("caught", "late") and cell.lead is not None:
        length = words.span(timedelta(minutes=abs(cell.lead)))
        return f"{length} {'before' if cell.lead >= 0 else 'after'}"
    if cell.result == "missed" and cell.first_fired_at is not None:
        return "fires without it"
    return {"missed": "missed", "broken": "could not say", "gone": "gone"}.get(cell.result, cell.result)
