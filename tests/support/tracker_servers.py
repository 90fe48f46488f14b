"""Stand-ins for GitHub and GitLab: no real one can be had here. They speak the documented wire format of the issues' part of
their REST APIs (paths, headers, status codes, fields, paging, ETags), keep state, and refuse what the real ones refuse.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PROJECT = "shop/sessions"
TOKEN = "the-token"
Answer = tuple[int, dict[str, str], Any]


@dataclass
class Issue:
    """An issue as the server keeps it."""

    number: int
    title: str
    text: str
    state: str = "open"
    reason: str | None = None
    closed_by: str | None = None
    comments: list[str] = field(default_factory=list)
    at: datetime = datetime(2024, 8, 12, tzinfo=UTC)
    made_at: datetime = datetime(2024, 8, 12, tzinfo=UTC)


class Server:
    """What the two have in common: issues, a clock of their own, and ways to fail."""

    def __init__(self) -> None:
        self.issues: dict[int, Issue] = {}
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.url = ""
        self.now = datetime.now(UTC)
        self.fail: list[Answer] = []  # answered instead, one each
        self.lose: int = 0  # so many answers to POST are lost after they were carried out

    def tick(self) -> datetime:
        self.now = max(self.now + timedelta(seconds=2), datetime.now(UTC))
        return self.now

    def add(self, title: str, text: str) -> Issue:
        at = self.tick()
        issue = Issue(len(self.issues) + 1, title, text, at=at, made_at=at)
        self.issues[issue.number] = issue
        return issue

    def person(self, number: int, state: str, by: str = "ada", reason: str | None = None) -> None:
        """Somebody closes or reopens an issue in the browser."""
        issue = self.issues[number]
        issue.state, issue.closed_by, issue.at = state, by if state == "closed" else None, self.tick()
        issue.reason = reason or ("completed" if state == "closed" else "reopened")

    def calls(self, method: str, ending: str = "") -> int:
        return sum(m == method and urlsplit(path).path.endswith(ending) for m, path in self.requests)

    def page(self, path: str, query: dict[str, str], rows: list[dict[str, Any]], given: dict[str, str]) -> Answer:
        per, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        etag = 'W/"' + hashlib.sha256(json.dumps(rows).encode()).hexdigest() + '"'
        if given.get("if-none-match") == etag:
            return 304, {"etag": etag}, None
        shown = rows[(page - 1) * per : page * per]
        headers = {"etag": etag}
        if page * per < len(rows):
            more = "&".join(f"{k}={v}" for k, v in {**query, "page": page + 1}.items())
            headers["link"] = f'<{self.url}{path}?{more}>; rel="next", <{self.url}{path}?{more}>; rel="last"'
        return 200, headers, shown


class GitHub(Server):
    """GitHub's REST API, version 2022-11-28."""

    def row(self, issue: Issue) -> dict[str, Any]:
        return {
            "id": 1000 + issue.number,
            "number": issue.number,
            "html_url": f"{self.url}/{PROJECT}/issues/{issue.number}",
            "title": issue.title,
            "body": issue.text,
            "state": issue.state,
            "state_reason": issue.reason,
            "closed_by": {"login": issue.closed_by} if issue.closed_by else None,
            "updated_at": f"{issue.at:%Y-%m-%dT%H:%M:%SZ}",
            "created_at": f"{issue.made_at:%Y-%m-%dT%H:%M:%SZ}",
        }

    def answer(  # noqa: PLR0911
        self, method: str, path: str, query: dict[str, str], given: dict[str, str], body: Any
    ) -> Answer:
        if given.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, {"message": "Bad credentials"}
        found = re.fullmatch(rf"/repos/{PROJECT}/issues(?:/(\d+)(/comments)?)?", path)
        if not found:
            return 404, {}, {"message": "Not Found"}
        number, comments = found[1], found[2]
        if number is None and method == "POST":
            if not body.get("title"):
                return 422, {}, {"message": "Validation Failed"}
            return 201, {}, self.row(self.add(body["title"], body.get("body") or ""))
        if number is None:
            since = query.get("since", "")
            rows = [self.row(i) for i in self.issues.values()]
            rows = [r for r in rows if r["updated_at"] >= since and query["state"] == "all"]
            rows.append({**rows[0], "number": 999, "pull_request": {}, "body": "a pull request"}) if rows else None
            key = "created_at" if query.get("sort") == "created" else "updated_at"
            rows.sort(key=lambda r: r[key], reverse=query.get("direction") == "desc")
            return self.page(path, query, rows, given)
        issue = self.issues.get(int(number))
        if issue is None:
            return 404, {}, {"message": "Not Found"}
        if comments:
            if method == "POST":
                issue.comments.append(body["body"])
                issue.at = self.tick()
                return 201, {}, {"id": len(issue.comments), "body": body["body"]}
            return self.page(path, query, [{"id": n, "body": c} for n, c in enumerate(issue.comments)], given)
        if method == "PATCH":
            if body.get("state_reason") not in ("completed", "not_planned", "reopened", None):
                return 422, {}, {"message": "Validation Failed"}
            if issue.state != body["state"]:
                issue.state, issue.reason, issue.at = body["state"], body["state_reason"], self.tick()
                issue.closed_by = "unrepeat-bot" if issue.state == "closed" else None
        return 200, {}, self.row(issue)


class GitLab(Server):
    """GitLab's REST API, version 4."""

    def row(self, issue: Issue) -> dict[str, Any]:
        return {
            "id": 1000 + issue.number,
            "iid": issue.number,
            "project_id": 15,
            "web_url": f"{self.url}/{PROJECT}/-/issues/{issue.number}",
            "title": issue.title,
            "description": issue.text,
            "state": "closed" if issue.state == "closed" else "opened",
            "closed_by": {"username": issue.closed_by, "name": "A person"} if issue.closed_by else None,
            "updated_at": f"{issue.at:%Y-%m-%dT%H:%M:%S.000Z}",
            "created_at": f"{issue.made_at:%Y-%m-%dT%H:%M:%S.000Z}",
        }

    def answer(  # noqa: PLR0911
        self, method: str, path: str, query: dict[str, str], given: dict[str, str], body: Any
    ) -> Answer:
        if given.get("authorization") != f"Bearer {TOKEN}":
            return 401, {}, {"message": "401 Unauthorized"}
        found = re.fullmatch(r"/api/v4/projects/([^/]+)/issues(?:/(\d+)(/notes)?)?", path)
        if not found or unquote(found[1]) != PROJECT or "%2F" not in found[1]:
            return 404, {}, {"message": "404 Project Not Found"}
        number, notes = found[2], found[3]
        if number is None and method == "POST":
            return 201, {}, self.row(self.add(body["title"], body.get("description") or ""))
        if number is None:
            rows = [self.row(i) for i in self.issues.values()]
            rows = [
                r
                for r in rows
                if r["updated_at"] >= query.get("updated_after", "")
                and r["created_at"] >= query.get("created_after", "")
            ]
            rows.sort(key=lambda r: r[query.get("order_by", "created_at")], reverse=query.get("sort") == "desc")
            return self.page(path, query, rows, given)
        issue = self.issues.get(int(number))
        if issue is None:
            return 404, {}, {"message": "404 Issue Not Found"}
        if notes:
            if method == "POST":
                if re.search(r"(?m)^\s*/(close|assign)", body["body"]):
                    issue.state = "closed"  # a quick action is carried out
                issue.comments.append(body["body"])
                issue.at = self.tick()
                return 201, {}, {"id": len(issue.comments), "body": body["body"]}
            return self.page(path, query, [{"id": n, "body": c} for n, c in enumerate(issue.comments)], given)
        if method == "PUT":
            wanted = {"close": "closed", "reopen": "open"}.get(body.get("state_event", ""))
            if wanted is None:
                return 400, {}, {"error": "state_event does not have a valid value"}
            if issue.state != wanted:
                issue.state, issue.at = wanted, self.tick()
                issue.closed_by = "unrepeat-bot" if wanted == "closed" else None
        return 200, {}, self.row(issue)


class Listener(Server):
    """Somebody's own address that takes news."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[tuple[dict[str, str], bytes]] = []

    def answer(self, method: str, path: str, query: dict[str, str], given: dict[str, str], body: Any) -> Answer:
        return 204, {}, None


@contextmanager
def running(server: Server) -> Iterator[Any]:
    """The server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def serve(self) -> None:
            parts = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            given = {name.lower(): value for name, value in self.headers.items()}
            server.requests.append((self.command, self.path))
            server.headers.append(given)
            if isinstance(server, Listener):
                server.taken.append((given, raw))
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if server.fail:
                status, headers, body = server.fail.pop(0)
            else:
                status, headers, body = server.answer(
                    self.command, parts.path, query, given, json.loads(raw) if raw else None
                )
                if server.lose and self.command == "POST":
                    server.lose -= 1
                    self.close_connection = True
                    return
            sent = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status not in (204, 304):
                self.send_header("content-type", "application/json; charset=utf-8")
                self.send_header("content-length", str(len(sent)))
            self.end_headers()
            if status not in (204, 304):
                self.wfile.write(sent)

        do_GET = do_POST = do_PATCH = do_PUT = serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)
