"""A body that never ends is cut off while it arrives, on pages and API alike."""

import asyncio
import json

import pytest

from unrepeat.web.bounded import bounded

MOST = 100


async def reads_all(scope, receive, send):
    """An application that reads the whole body before it answers, as Django does."""
    body = b""
    while True:
        message = await receive()
        body += message["body"]
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(len(body)).encode()})


def asked(chunks, headers=()):
    """The status, the answer, and how many chunks were taken."""
    left, sent = list(chunks), []

    async def receive():
        return {"type": "http.request", "body": left.pop(0), "more_body": bool(left)}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": "/api/v1/incidents", "headers": list(headers)}
    asyncio.run(bounded(reads_all, scope, receive, send, MOST))
    return sent[0]["status"], sent[1]["body"], len(chunks) - len(left)


def test_what_is_small_enough_passes():
    assert asked([b"x" * 60, b"x" * 40]) == (200, b"100", 2)


def test_what_comes_without_an_end_is_refused_as_soon_as_it_is_too_much():
    status, said, taken = asked([b"x" * 30] * 1000)
    assert (status, taken) == (413, 4)
    assert set(json.loads(said)) == {"what", "why", "remedy"}


@pytest.mark.parametrize("announced", [b"101", b"99999999999"])
def test_what_is_announced_too_large_is_not_read_at_all(announced):
    assert asked([b"x"], [(b"Content-Length", announced)])[::2] == (413, 0)
