"""What a tracker is: one module in `trackers/`. Nothing to register.

Two sorts. One **follows**: it has tickets with a state, which we make, look at, comment on, close and reopen. The other is only
told the news. What a tracker raises is a Problem; its `retry` says whether the same call may work later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, cast

from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Invalid, Problem

TicketState = Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where tickets are kept: the API's address, the project there, and the token (for a webhook: its signing secret)."""

    url: str
    project: str
    token: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket that is to be made. `body` is Markdown and holds the marker by which it is found again."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as it is there now. `done` False: it was closed because nobody will do it."""

    number: str
    url: str
    state: TicketState
    at: datetime | None  # of its last change
    by: str = ""  # who closed it, where that is told
    done: bool = True


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed there. `until`: the newest change's moment, by the clock there; `etag` of the answer."""

    tickets: tuple[Seen, ...]
    until: datetime | None
    etag: str = ""


class Refused(Problem):
    """The tracker did not do what it was asked."""

    def __init__(self, host: str, why: str, remedy: str, *, retry: bool) -> None:
        super().__init__(f"{host} did not take it.", why, remedy, status=502, retry=retry)


class Kind(Protocol):
    """The face of a module in `trackers/` that follows (FOLLOWS is True)."""

    TITLE: str
    HELP: str  # what to make there, and which rights the token needs
    URL: str  # of its API, when none is given; empty: one must be
    FOLLOWS: bool

    def checked(self, place: Place) -> Place:
        """The place as it is kept; Invalid when it can be none."""

    def name(self, place: Place, number: str) -> str:
        """What people call a ticket, for example shop/sessions#5."""

    def number_of(self, place: Place, url: str) -> str | None:
        """The number of the ticket that an address in the browser leads to; None when it leads elsewhere."""

    def find(self, place: Place, marker: str, since: datetime) -> Seen | None:
        """The ticket with this marker in its text that was made at or after `since`."""

    def create(self, place: Place, draft: Draft) -> Seen:
        """Make a ticket."""

    def look(self, place: Place, number: str) -> Seen:
        """A ticket as it is now."""

    def put(self, place: Place, number: str, state: TicketState, *, done: bool) -> None:
        """Close or reopen a ticket; it may be so already. `done` False: closed because nobody will do it."""

    def said(self, place: Place, number: str, marker: str) -> bool:
        """Whether a comment with this marker stands there."""

    def say(self, place: Place, number: str, text: str) -> None:
        """Add a comment (Markdown)."""

    def changed(self, place: Place, since: datetime, etag: str) -> Changed | None:
        """The tickets that changed at or after `since`; None when nothing did since the answer with this ETag."""


class Teller(Protocol):
    """The face of a module in `trackers/` that is only told (FOLLOWS is False)."""

    TITLE: str
    HELP: str
    URL: str
    FOLLOWS: bool

    def checked(self, place: Place) -> Place:
        """The place as it is kept; Invalid when it can be none."""

    def tell(self, place: Place, news: Mapping[str, Any], key: str) -> None:
        """Tell a measure's news, under a key by which the other side knows what it has already."""


def tracker_kinds() -> dict[str, Kind | Teller]:
    """All tracker kinds, by name."""
    return cast("dict[str, Kind | Teller]", kinds("unrepeat.prevention.trackers"))


def tracker_kind(name: str) -> Kind | Teller:
    """The kind by that name; Invalid with the kinds there are."""
    found = tracker_kinds().get(name)
    if found is None:
        raise Invalid(
            f"There is no tracker kind “{name[:40]}”.",
            "It is not installed here.",
            f"Use one of: {', '.join(tracker_kinds())}.",
        )
    return found


def follower(name: str) -> Kind:
    """The kind by that name, which follows; Invalid when it is only told."""
    found = tracker_kind(name)
    if not found.FOLLOWS:
        raise Invalid(
            f"A {name} has no tickets.", "It is only told the news of measures.", "Use a tracker that has them."
        )
    return cast("Kind", found)
