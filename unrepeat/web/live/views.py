"""The streams: `/incidents/7/stream` tells the new entries of one log, `/stream` which logs have grown.

Events are named `entries`; their id is the last seq sent, their data a JSON list. A reader that comes back with Last-Event-ID
(or `?after=`) gets all that it missed. A `ping` every 15 s of quiet keeps the line open, and that often the reader's right to read is
looked at again: who has signed out, or whose token was revoked, gets no more.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from unrepeat.support.problems import Invalid, Problem
from unrepeat.web import access
from unrepeat.web.access import Need, Role, needs
from unrepeat.web.live import reading
from unrepeat.web.live.watching import Watch, hub

PING = 15.0  # seconds
RETRY = 2000  # milliseconds until a browser comes back
A_PIECE = 200  # entries in one event
READ = Need(Role.READER, None)


@needs(Role.READER)
@require_GET
async def incident_stream(request: HttpRequest, number: int) -> StreamingHttpResponse:
    """New entries of one incident's log."""
    return await _stream(request, number)


@needs(Role.READER)
@require_GET
async def everything_stream(request: HttpRequest) -> StreamingHttpResponse:
    """Which incidents' logs have grown."""
    return await _stream(request, reading.EVERYTHING)


async def _stream(request: HttpRequest, number: int) -> StreamingHttpResponse:
    hub.refuse_if_closed()
    after = _asked_after(request)
    last = await hub.read(lambda: reading.last_of(number))
    begin = last if after is None else min(after, last)
    response = StreamingHttpResponse(_events(request, number, begin, last), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # nginx passes it on at once
    return response


def _asked_after(request: HttpRequest) -> int | None:
    """What the reader has already: Last-Event-ID when it comes back, else `?after=`; None: only what comes from now on."""
    known = request.headers.get("Last-Event-ID", "")
    asked = known if re.fullmatch(r"[0-9]{1,18}", known) else request.GET.get("after")
    if asked is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", asked):
        raise Invalid(
            "“after” is not a number.", "It says which entry you have already.", "Give the last seq you have."
        )
    return int(asked)


async def _events(request: HttpRequest, number: int, sent: int, last: int) -> AsyncIterator[bytes]:
    """The bytes of one stream. `sent`: what the reader has; `last`: what existed when it came."""
    await sync_to_async(connections.close_all)()  # an open stream holds no connection of its own
    yield b"id: %d\nretry: %d\n\n" % (sent, RETRY)  # so that who comes back before the first entry misses none either
    loop = asyncio.get_running_loop()
    checked = loop.time()
    with hub.watch(number, last) as watch:
        items = await hub.read(partial(_missed, number, sent))
        while not hub.closing:
            if number != reading.EVERYTHING:
                items = [item for item in items if item.number > sent]
            for start in range(0, len(items), A_PIECE):
                piece = items[start : start + A_PIECE]
                sent = max(sent, *(item.number for item in piece))
                yield _event(sent, piece)
            woken = await _wait(watch)
            if loop.time() - checked >= PING:
                if not await hub.read(lambda: may_still_read(request)):
                    return
                checked = loop.time()
            if not woken:
                yield b"event: ping\ndata: .\n\n"
            items, behind = watch.take()
            if behind:
                items = await hub.read(partial(_missed, number, sent))


def _missed(number: int, sent: int) -> list[reading.Item]:
    if number == reading.EVERYTHING:
        return [item for item in reading.newest() if item.number > sent]
    return reading.log_after(number, sent)


def _event(number: int, piece: list[reading.Item]) -> bytes:
    data = ",".join(item.text for item in piece)
    return f"id: {number}\nevent: entries\ndata: [{data}]\n\n".encode()


async def _wait(watch: Watch) -> bool:
    """True when there is something new (or the hub closes), False after a quiet while."""
    try:
        async with asyncio.timeout(PING):
            await watch.woken.wait()
    except TimeoutError:
        return False
    return True


def may_still_read(request: HttpRequest) -> bool:
    """Whether the one who opened the stream could open it now: the session, the token and the role are read anew."""
    again = HttpRequest()
    again.META, again.path, again.method = request.META, request.path, "GET"
    again.session = import_module(settings.SESSION_ENGINE).SessionStore(request.session.session_key)
    again.user = get_user(again)
    try:
        access.check(again, READ)
    except Problem:
        return False
    return True
