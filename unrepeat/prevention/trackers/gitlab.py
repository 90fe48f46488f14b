"""GitLab issues, by GitLab's REST API (version 4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from unrepeat.prevention.tickets.tracking import Changed, Draft, Place, Seen, TicketState
from unrepeat.prevention.trackers import _rest
from unrepeat.support.problems import Invalid

TITLE = "GitLab issues"
HELP = (
    "Make a project access token with the scope “api” and the role Reporter or higher. The address is that of the server, for "
    "example https://gitlab.example.com. With a webhook of “Issues events” its changes are here at once, else within five minutes."
)
URL = "https://gitlab.com"
FOLLOWS = True


def checked(place: Place) -> Place:
    """A project is its path, group/name, with as many groups as there are."""
    project = place.project.strip().strip("/")
    if (
        not re.fullmatch(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)+", project)
        or len(project) > 255
        or _rest.leads_nowhere(project)
    ):
        raise Invalid(f"“{project[:80]}” is no project.", "It is named by its path.", "Write group/name.")
    url = _rest.address(place.url, URL).removesuffix("/api/v4")
    return Place(url, project, _rest.token(place.token))


def name(place: Place, number: str) -> str:
    """For example shop/sessions#5."""
    return f"{place.project}#{number}"


def number_of(place: Place, url: str) -> str | None:
    """From https://gitlab.com/group/name/-/issues/5, or as a work item."""
    home, below = _rest.place(place.url)
    host, path = _rest.place(url)
    found = re.fullmatch(r"/(.+?)/(?:-/)?(?:issues|work_items)/([0-9]{1,12})/?", path.removeprefix(below))
    return found[2] if found and host == home and found[1].lower() == place.project.lower() else None


def find(place: Place, marker: str, since: datetime) -> Seen | None:
    """By the list of issues made since then."""
    url = f"{_issues(place)}?scope=all&order_by=created_at&sort=desc&created_after={_rest.stamp(since)}&per_page=100"
    for answer in _rest.pages(url, _headers(place)):
        for row in _rest.rows(answer):
            if marker in str(row.get("description") or ""):
                return _seen(row)
    return None


def create(place: Place, draft: Draft) -> Seen:
    """POST /projects/:id/issues."""
    body = {"title": draft.title, "description": _tame(draft.body)}
    return _seen(_rest.record(_rest.ask("POST", _issues(place), _headers(place), body, good=(201,))))


def look(place: Place, number: str) -> Seen:
    """GET /projects/:id/issues/:issue_iid."""
    return _seen(_rest.record(_rest.ask("GET", f"{_issues(place)}/{number}", _headers(place), good=(200,))))


def put(place: Place, number: str, state: TicketState, *, done: bool) -> None:  # noqa: ARG001 - it knows no reasons
    """PUT /projects/:id/issues/:issue_iid with a state event."""
    body = {"state_event": "reopen" if state == "open" else "close"}
    _rest.ask("PUT", f"{_issues(place)}/{number}", _headers(place), body, good=(200,))


def said(place: Place, number: str, marker: str) -> bool:
    """GET /projects/:id/issues/:issue_iid/notes."""
    pages = _rest.pages(f"{_issues(place)}/{number}/notes?per_page=100", _headers(place))
    return any(marker in str(row.get("body") or "") for answer in pages for row in _rest.rows(answer))


def say(place: Place, number: str, text: str) -> None:
    """POST /projects/:id/issues/:issue_iid/notes."""
    _rest.ask("POST", f"{_issues(place)}/{number}/notes", _headers(place), {"body": _tame(text)}, good=(201,))


def changed(place: Place, since: datetime, etag: str) -> Changed | None:
    """GET /projects/:id/issues, oldest change first."""
    url = f"{_issues(place)}?scope=all&order_by=updated_at&sort=asc&updated_after={_rest.stamp(since)}&per_page=100"
    first = _rest.ask("GET", url, {**_headers(place), **({"if-none-match": etag} if etag else {})}, good=(200, 304))
    if first.status == 304:
        return None
    rows = [row for answer in _rest.pages(url, _headers(place), first) for row in _rest.rows(answer)]
    until = max((at for row in rows if (at := _rest.moment(row.get("updated_at")))), default=None)
    return Changed(tuple(map(_seen, rows)), until, first.headers.get("etag", ""))


def _issues(place: Place) -> str:
    return f"{place.url}/api/v4/projects/{quote(place.project, safe='')}/issues"


def _headers(place: Place) -> Mapping[str, str]:
    return {"accept": "application/json", "authorization": f"Bearer {place.token}"}


def _tame(text: str) -> str:
    """Text without quick actions: a line that begins with a slash would be carried out, not shown."""
    return re.sub(r"(?m)^(\s*)/", r"\1\\/", text)


def _seen(row: dict[str, Any]) -> Seen:
    closer = row.get("closed_by")
    return Seen(
        str(row.get("iid", "")),
        str(row.get("web_url", "")),
        "closed" if row.get("state") == "closed" else "open",
        _rest.moment(row.get("updated_at")),
        str(closer.get("username", "")) if isinstance(closer, dict) else "",
    )
