"""GitHub issues, by GitHub's REST API (version 2022-11-28)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from unrepeat.prevention.tickets.tracking import Changed, Draft, Place, Seen, TicketState
from unrepeat.prevention.trackers import _rest
from unrepeat.support.problems import Invalid

TITLE = "GitHub issues"
HELP = (
    "Make a fine-grained token for the repository with the right “Issues: read and write”. For GitHub Enterprise Server "
    "the address is https://HOST/api/v3. With a webhook of “Issues” events its changes are here at once, else within five minutes."
)
URL = "https://api.github.com"
FOLLOWS = True


def checked(place: Place) -> Place:
    """A repository is owner/name."""
    project = place.project.strip().strip("/")
    if not re.fullmatch(r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}", project) or _rest.leads_nowhere(project):
        raise Invalid(f"“{project[:80]}” is no repository.", "It is named by owner and name.", "Write owner/name.")
    return Place(_rest.address(place.url, URL), project, _rest.token(place.token))


def name(place: Place, number: str) -> str:
    """For example shop/sessions#5."""
    return f"{place.project}#{number}"


def number_of(place: Place, url: str) -> str | None:
    """From https://github.com/owner/name/issues/5."""
    host, path = _rest.place(url)
    ours, _ = _rest.place(place.url)
    found = re.fullmatch(r"/([^/]+/[^/]+)/issues/([0-9]{1,12})/?", path)
    same = host in (ours, ours.removeprefix("api."))
    return found[2] if found and same and found[1].lower() == place.project.lower() else None


def find(place: Place, marker: str, since: datetime) -> Seen | None:
    """By the list, which shows an issue at once; the search would only after a while."""
    url = f"{_issues(place)}?state=all&sort=created&direction=desc&since={_rest.stamp(since)}&per_page=100"
    for answer in _rest.pages(url, _headers(place)):
        for row in _rest.rows(answer):
            if marker in str(row.get("body") or "") and "pull_request" not in row:
                return _seen(row)
    return None


def create(place: Place, draft: Draft) -> Seen:
    """POST /repos/{owner}/{repo}/issues."""
    body = {"title": draft.title, "body": draft.body}
    return _seen(_rest.record(_rest.ask("POST", _issues(place), _headers(place), body, good=(201,))))


def look(place: Place, number: str) -> Seen:
    """GET /repos/{owner}/{repo}/issues/{number}."""
    return _seen(_rest.record(_rest.ask("GET", f"{_issues(place)}/{number}", _headers(place), good=(200,))))


def put(place: Place, number: str, state: TicketState, *, done: bool) -> None:
    """PATCH /repos/{owner}/{repo}/issues/{number}."""
    reason = "reopened" if state == "open" else "completed" if done else "not_planned"
    body = {"state": state, "state_reason": reason}
    _rest.ask("PATCH", f"{_issues(place)}/{number}", _headers(place), body, good=(200,))


def said(place: Place, number: str, marker: str) -> bool:
    """GET /repos/{owner}/{repo}/issues/{number}/comments."""
    pages = _rest.pages(f"{_issues(place)}/{number}/comments?per_page=100", _headers(place))
    return any(marker in str(row.get("body") or "") for answer in pages for row in _rest.rows(answer))


def say(place: Place, number: str, text: str) -> None:
    """POST /repos/{owner}/{repo}/issues/{number}/comments."""
    _rest.ask("POST", f"{_issues(place)}/{number}/comments", _headers(place), {"body": text}, good=(201,))


def changed(place: Place, since: datetime, etag: str) -> Changed | None:
    """GET /repos/{owner}/{repo}/issues, oldest change first; 304 costs nothing of the hourly limit."""
    url = f"{_issues(place)}?state=all&sort=updated&direction=asc&since={_rest.stamp(since)}&per_page=100"
    first = _rest.ask("GET", url, {**_headers(place), **({"if-none-match": etag} if etag else {})}, good=(200, 304))
    if first.status == 304:
        return None
    rows = [row for answer in _rest.pages(url, _headers(place), first) for row in _rest.rows(answer)]
    until = max((at for row in rows if (at := _rest.moment(row.get("updated_at")))), default=None)
    return Changed(tuple(_seen(r) for r in rows if "pull_request" not in r), until, first.headers.get("etag", ""))


def _issues(place: Place) -> str:
    return f"{place.url}/repos/{place.project}/issues"


def _headers(place: Place) -> Mapping[str, str]:
    return {
        "accept": "application/vnd.github+json",
        "authorization": f"Bearer {place.token}",
        "x-github-api-version": "2022-11-28",
    }


def _seen(row: dict[str, Any]) -> Seen:
    closer = row.get("closed_by")
    return Seen(
        str(row.get("number", "")),
        str(row.get("html_url", "")),
        "closed" if row.get("state") == "closed" else "open",
        _rest.moment(row.get("updated_at")),
        str(closer.get("login", "")) if isinstance(closer, dict) else "",
        row.get("state_reason") not in ("not_planned", "duplicate"),
    )
