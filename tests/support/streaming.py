"""The real server with one more address that streams without end, as the live pages do."""

from __future__ import annotations

import asyncio
from typing import Any

from unrepeat.support import bell, closing
from unrepeat.web.asgi import application as real


async def application(scope: Any, receive: Any, send: Any) -> None:
    """`/stream` goes on until the server closes; all else is the real thing."""
    if scope["type"] != "http" or scope["path"] != "/stream":
        await real(scope, receive, send)
        return
    loop, rung = asyncio.get_running_loop(), asyncio.Event()
    stop = bell.listen(lambda _: loop.call_soon_threadsafe(rung.set))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    try:
        while not closing.begun():
            await send({"type": "http.response.body", "body": b": still here\n\n", "more_body": True})
            await rung.wait()
            rung.clear()
    finally:
        stop()
    await send({"type": "http.response.body", "body": b"", "more_body": False})
