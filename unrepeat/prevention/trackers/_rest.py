"""How the trackers' HTTP APIs are asked: through the door, with what a refusal means in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from unrepeat.prevention.tickets.tracking import Refused
from unrepeat.support import away, http
from unrepeat.support.problems import Invalid

SECONDS = 8.0  # for one answer
PAGES = 10  # of a list, each of 100
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})


def ask(
    method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None, *, good: tuple[int, ...]
) -> http.Answer:
    """The answer, whose status is one of `good`; Refused or Unreachable."""
    raw = json.dumps(body).encode() if body is not None else None
    typed = {"content-type": "application/json"} if raw is not None else {}
    answer = send(method, url, {**headers, **typed}, raw)
    if answer.status not in good:
        raise refusal(answer, urlsplit(url).hostname or url)
    return answer


def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> http.Answer:
    """The answer, whatever it is; one who kept us waiting a moment ago is not asked."""
    host, _ = place(url)
    if away.is_away(host):
        raise Refused(host, "It kept us waiting a moment ago.", "It is asked again in a minute.", retry=True)
    with away.asking(host):
        return http.request(method, url, headers=headers, body=body, timeout=SECONDS)


def refusal(answer: http.Answer, host: str) -> Refused:
    """What an answer that is none of the good ones means."""
    status, said = answer.status, _said(answer)
    limited = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    if status in _LATER or (status == 403 and limited):
        return Refused(host, f"It answered {status}{said}.", "It is asked again later.", retry=True)
    why = {
        401: f"It does not know the token (401{said}).",
        403: f"The token may not do this (403{said}).",
        404: f"There is no such project or ticket, or the token may not see it (404{said}).",
        410: f"The ticket was deleted (410{said}).",
    }.get(status, f"It answered {status}{said}.")
    return Refused(host, why, "Check the project, and that the token may read and write issues there.", retry=False)


def pages(url: str, headers: Mapping[str, str], first: http.Answer | None = None) -> Iterator[http.Answer]:
    """The pages of a list, following `Link: rel="next"`, which must lead to the same host."""
    answer = first or ask("GET", url, headers, good=(200,))
    for _ in range(PAGES):
        yield answer
        following = re.search(r'<([^<>]+)>\s*;[^,]*rel="?next"?', answer.headers.get("link", ""))
        if not following or urlsplit(following[1])[:2] != urlsplit(url)[:2]:
            return
        answer = ask("GET", following[1], headers, good=(200,))


def rows(answer: http.Answer) -> list[dict[str, Any]]:
    """The objects in an answer that is a list of them."""
    told = answer.json()
    return [row for row in told if isinstance(row, dict)] if isinstance(told, list) else []


def record(answer: http.Answer) -> dict[str, Any]:
    """The object in an answer; Refused when it is none."""
    told = answer.json()
    if not isinstance(told, dict):
        raise Refused(
            urlsplit(answer.url).hostname or "", "Its answer is no object.", "Check its address.", retry=False
        )
    return told


def moment(told: object) -> datetime | None:
    """An ISO time in UTC; None when it is none."""
    try:
        at = datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def stamp(at: datetime) -> str:
    """A moment as these APIs take it: seconds, UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def place(url: str) -> tuple[str, str]:
    """Host and path of an address; both empty when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", ""
    return parts.hostname or "", parts.path


def leads_nowhere(project: str) -> bool:
    """Whether a part of a project's path would lead out of it."""
    return any(part in (".", "..") for part in project.split("/"))


def address(url: str, default: str) -> str:
    """The API's address without a slash at its end; Invalid when it is none."""
    found = (url or default).strip().rstrip("/")
    try:
        parts = urlsplit(found)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
        raise Invalid(
            f"“{url[:80]}” is no address of an API.",
            "It must begin with https:// (or http://) and hold no name or password.",
            "Leave it out for the public one.",
        )
    return found


def token(given: str) -> str:
    """The token, as it may stand in a header; Invalid when there is none."""
    found = given.strip()
    if not found or not found.isascii() or not found.isprintable():
        raise Invalid("There is no usable token.", "A tracker lets nobody in without.", "Give it on standard input.")
    return found


def _said(answer: http.Answer) -> str:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    message = told.get("message") or told.get("error") if isinstance(told, dict) else ""
    return f": {' '.join(str(message).split())[:200]}" if message else ""
