"""Writes down what Alertmanager sends, byte for byte. It is a second receiver beside Unrepeat, and answers for nothing else."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.parts.part import HOST


@dataclass(frozen=True, slots=True)
class Heard:
    """One body; `at` is its arrival in seconds since the epoch."""

    at: float
    headers: dict[str, str]
    body: dict[str, Any]


class WebhookRecorder:
    """A small HTTP server in a thread of the lab's own process."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                heard.append(Heard(time.time(), dict(self.headers.items()), json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """The lab has its own words."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self._server.server_port}/alerts"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def first(self, alertname: str = "", after: float = 0.0) -> tuple[Heard, dict[str, Any]] | None:
        """The first alert (of this name) that began to fire after that moment (Unix seconds), and the body that brought it."""
        for heard in list(self.heard):
            for alert in heard.body["alerts"]:
                named = not alertname or alert["labels"]["alertname"] == alertname
                began = datetime.fromisoformat(alert["startsAt"]).timestamp()
                if named and alert["status"] == "firing" and began > after:
                    return heard, alert
        return None

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
