"""Bodies for pages and API are bounded while they arrive: Django would keep all of one on disk before it looks at its size.

A little too much is still read, so that the API and the pages refuse it in their own form; far too much is cut off here.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAID = {
    "what": "This body is too large.",
    "why": "Pages and API take far less.",
    "remedy": "Send less at once; monitoring is sent to its own address below /in/.",
}


class _TooMuch(Exception):
    """More bytes have come than anybody here takes."""


async def bounded(app: App, scope: Scope, receive: Receive, send: Send, most: int) -> None:
    """Let `app` answer a request whose body may have at most `most` bytes; 413 as soon as there are more, or more are announced."""
    came, begun = 0, False

    async def counted() -> MutableMapping[str, Any]:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > most:
            raise _TooMuch
        return message

    async def noted(message: MutableMapping[str, Any]) -> None:
        nonlocal begun
        begun = True
        await send(message)

    if _announced(scope) > most:
        await _refuse(scope, send)
        return
    try:
        await app(scope, counted, noted)
    except _TooMuch:
        if not begun:
            await _refuse(scope, send)


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(scope: Scope, send: Send) -> None:
    if scope["path"].startswith("/api/"):
        kind, said = b"application/json", json.dumps(SAID)
    else:
        kind, said = b"text/plain; charset=utf-8", " ".join(SAID.values()) + "\n"
    headers = [(b"content-type", kind), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": said.encode()})
