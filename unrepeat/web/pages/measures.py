"""All measures: as a board by state, as a list, and as a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import islice

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from unrepeat.duty import queries as duty
from unrepeat.incidents import measure_queries as measures
from unrepeat.incidents.measure_queries import STATES, Wanted
from unrepeat.incidents.models import MeasureRow
from unrepeat.postmortems.numbers import Named, reports_of
from unrepeat.support import clock, words
from unrepeat.support.config import config
from unrepeat.web.access import Role, caller_of, needs
from unrepeat.web.pages.asked import page_asked
from unrepeat.web.pages.csv_files import csv_file
from unrepeat.web.pages.mine import Names, names_of

TOGETHER = 500  # rows of a file whose reports are looked up in one query
WHOSE = (("", "everybody’s"), ("mine", "mine"), ("team", "my teams’"))
STATE = (
    ("", "all"),
    ("open", "open"),
    ("overdue", "late"),
    ("done", "done, not verified"),
    ("verified", "verified"),
    ("failed", "failed"),
    ("dropped", "dropped"),
)
COLUMNS = {
    "open": ("Open", "Still to be done; the soonest due first."),
    "done": ("Done, not verified", "Somebody says so. No guard shows yet that it works."),
    "verified": ("Verified", "A guard was red on the failure, is green now, and keeps running."),
    "failed": ("Failed", "It worked once; its guard is red again, and nobody has closed that."),
}
HEAD = (
    "incident", "measure", "kind", "effect", "text", "state", "owner", "due", "days late", "service", "guards", "proven guards",
    "report", "tracker", "ticket", "proposed", "done", "verified", "failed",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Card:
    """A measure as lists show it: its row, how late it is, and the report it stands in."""

    row: MeasureRow
    late: int  # days; 0: not late
    report: Named | None


@needs(Role.READER)
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    """The board, or with `?view=list` the list."""
    asked, names, today = _asked(request), names_of(caller_of(request)), _today()
    wanted = _wanted(asked, names)
    number = measures.counts(wanted, today)
    context: dict[str, object] = {
        "asked": asked,
        "names": names,
        "whose": WHOSE if names.teams else WHOSE[:2] if names.own else (),
        "states": STATE,
        "number": number,
        "owners": measures.owners(),
        "services": [service.name for service in duty.services()],
        "filtered": any(value for name, value in asked.items() if name != "view"),
        "query": _query(request),
    }
    if asked["view"] == "list" or asked["state"] == "dropped":
        listing = measures.measures(wanted, today, page=page_asked(request))
        context |= {"listing": listing, "cards": _cards(listing.rows, today), "as_list": True}
    else:
        columns = measures.board(wanted, today, number)
        reports = reports_of(row.incident_id for column in columns for row in column.rows)
        context["columns"] = [
            (column, *COLUMNS[column.state], [_card(row, today, reports) for row in column.rows]) for column in columns
        ]
    return render(request, "pages/measures.html", context)


@needs(Role.READER)
@require_safe
def download(request: HttpRequest) -> HttpResponseBase:
    """What the list shows, all pages of it, as CSV."""
    today = _today()
    rows = measures.every(_wanted(_asked(request), names_of(caller_of(request))), today)
    return csv_file("measures.csv", HEAD, _rows(rows, today))


def _rows(rows: Iterable[MeasureRow], today: date) -> Iterable[tuple[object, ...]]:
    waiting = iter(rows)
    while some := list(islice(waiting, TOGETHER)):
        for card in _cards(some, today):
            row = card.row
            yield (
                f"INC-{row.incident_id}", row.number, row.kind, row.effect, row.text, row.state, row.owner, row.due, card.late or "",
                row.service, row.guards, row.proven, f"PM-{card.report.number}" if card.report else "", row.tracker, row.ticket,
                row.proposed_at, row.done_at, row.verified_at, row.failed_at,
            )  # fmt: skip


def _cards(rows: Iterable[MeasureRow], today: date) -> list[Card]:
    kept = list(rows)
    reports = reports_of(row.incident_id for row in kept)
    return [_card(row, today, reports) for row in kept]


def _card(row: MeasureRow, today: date, reports: dict[int, Named]) -> Card:
    return Card(row, days_late(row.state, row.due, today), reports.get(row.incident_id))


def days_late(state: str, due: date | None, today: date) -> int:
    """How many days an open measure is late; 0 when it is not."""
    return (today - due).days if state == "open" and due is not None and due < today else 0


def _today() -> date:
    return words.in_zone(clock.now(), config().time_zone).date()


def _asked(request: HttpRequest) -> dict[str, str]:
    asked = {name: request.GET.get(name, "").strip()[:120] for name in ("whose", "state", "service", "owner", "view")}
    for name, allowed in (("whose", ("mine", "team")), ("state", (*STATES, "overdue")), ("view", ("list",))):
        if asked[name] not in allowed:
            asked[name] = ""
    return asked


def _wanted(asked: dict[str, str], names: Names) -> Wanted:
    owners = {"mine": names.own | names.teams, "team": names.teams}.get(asked["whose"])
    services = names.services if asked["whose"] == "team" else frozenset()
    return Wanted(owners, services, asked["owner"], asked["service"], asked["state"])


def _query(request: HttpRequest) -> str:
    """The filters of this address, to be kept by links: without the page and the view."""
    kept = request.GET.copy()
    for name in ("page", "view"):
        kept.pop(name, None)
    return kept.urlencode()
