"""Readers of live streams: they speak with the real ASGI application, in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Any

from django.core.asgi import get_asgi_application
from django.db import connection

application = get_asgi_application()


class Stream:
    """One open stream: its status, and the events that have come so far."""

    def __init__(self) -> None:
        self.status = 0
        self.raw = b""
        self.ended = False
        self.gone = asyncio.Event()
        self.news = asyncio.Event()

    @property
    def events(self) -> list[tuple[int, list[dict[str, Any]]]]:
        """Each event as its id and its data."""
        found = []
        for block in self.raw.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines())
            if fields.get("event") == "entries":
                found.append((int(fields["id"]), json.loads(fields["data"])))
        return found

    @property
    def items(self) -> list[dict[str, Any]]:
        """What all events told, in order."""
        return [item for _, items in self.events for item in items]

    @property
    def pings(self) -> int:
        """How often the line was kept open."""
        return self.raw.count(b"event: ping")

    async def until(self, condition: Callable[[Stream], bool], seconds: float = 15) -> None:
        """Wait until the stream has told enough, at most `seconds`."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                self.news.clear()
                await self.news.wait()

    async def receive(self) -> dict[str, Any]:
        """What the client sends: an empty body, then nothing until it goes away."""
        if not self.news.is_set() and not self.raw and not self.status:
            self.status = -1
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """What the server sends."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            self.raw += message.get("body", b"")
            self.ended = not message.get("more_body", False)
        self.news.set()


@asynccontextmanager
async def opened(path: str, token: str | None = None, **headers: str):
    """A stream that is open while the block runs; it has an answer when the block begins."""
    sent = headers | ({"Authorization": f"Bearer {token}"} if token else {})
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
        "server": ("testserver", 80),
        "client": ("127.0.0.1", 1),
    }
    stream = Stream()
    task = asyncio.create_task(application(scope, stream.receive, stream.send))
    try:
        await stream.until(lambda one: one.status > 0)
        yield stream
    finally:
        stream.gone.set()
        async with asyncio.timeout(15):
            await task


async def elsewhere(work: Callable[[], Any]) -> Any:
    """Do database work in another thread, as another request would."""

    def clean() -> Any:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.to_thread(clean)
