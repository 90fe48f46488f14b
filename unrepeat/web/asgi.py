"""The server's one door: `/in/` goes to the intake, all else to Django. Its lifespan starts the intake's writer and the worker."""

# ruff: noqa: E402 - Django must be set up before the rooms are imported
from __future__ import annotations

import asyncio
import ctypes
import gc
import os
import signal
import sys
import threading
import warnings
from types import FrameType
from typing import Any, cast

import structlog

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")

from django.core.asgi import get_asgi_application

_django = get_asgi_application()

from django.conf import settings
from django.db import connection

from unrepeat.arrivals.intake import PREFIX, Intake, Receive, Scope, Send
from unrepeat.arrivals.listening import Listening
from unrepeat.arrivals.writer import Writer
from unrepeat.support import bell, closing
from unrepeat.support.bell import Ears
from unrepeat.support.sqlite.checkpoints import Checkpoints
from unrepeat.web.bounded import App, bounded
from unrepeat.worker import Worker

PR_SET_PDEATHSIG = 1
SWITCH_EVERY = 0.002  # seconds after which a thread gives Python's lock to one that waits: shorter costs single alerts, longer large bodies
MOST = 4 * settings.DATA_UPLOAD_MAX_MEMORY_SIZE  # bytes of a body that is not for the intake

log = structlog.get_logger(__name__)


class Server:
    """The ASGI application of one process."""

    def __init__(self, *, with_worker: bool = True) -> None:
        self._with_worker = with_worker
        self._writer = Writer()
        self._intake: Intake | None = None
        self._worker: Worker | None = None
        self._listening: Listening | None = None
        self._ears = Ears()
        self._checkpoints = (
            Checkpoints(str(connection.settings_dict["NAME"])) if connection.vendor == "sqlite" else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a request, or the lifespan."""
        if scope["type"] == "http" and scope["path"].startswith(PREFIX) and self._intake is not None:
            await self._intake(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await bounded(cast("App", _django), scope, receive, send, MOST)
        else:
            await _django(cast("dict[str, Any]", scope), cast("Any", receive), cast("Any", send))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:
            log.exception("the server could not start")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self) -> None:
        sys.setswitchinterval(SWITCH_EVERY)
        await self._writer.start()
        intake, loop = Intake(self._writer), asyncio.get_running_loop()
        self._intake = intake

        def end_slow_bodies(topic: str) -> None:
            if topic == "closing":
                loop.call_soon_threadsafe(intake.end_slow_bodies)

        bell.listen(end_slow_bodies)
        self._listening = Listening()
        self._listening.start()
        self._ears.start()
        if self._checkpoints is not None:
            self._checkpoints.start()
        if self._with_worker:
            self._worker = Worker()
            self._worker.start()
        _end_with_the_parent()
        _end_streams_at_sigterm()
        gc.collect()
        gc.freeze()  # what is loaded by now stays: the collector need not walk through it again and again

    async def _stop(self) -> None:
        await self._writer.stop()
        if self._listening is not None:
            await asyncio.to_thread(self._listening.stop)
        if self._worker is not None:
            await asyncio.to_thread(self._worker.stop)
        await asyncio.to_thread(self._ears.stop)
        if self._checkpoints is not None:
            await asyncio.to_thread(self._checkpoints.stop)


def _end_with_the_parent() -> None:
    """On Linux: when granian's main process is killed, end too, and free the port."""
    if sys.platform == "linux" and os.environ.get("UNREPEAT_SERVED") == "1":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_streams_at_sigterm() -> None:
    """Granian waits for open connections before it ends the lifespan: at the first signal, end the long answers ourselves."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handler(got: int, frame: FrameType | None, before: Any = before) -> None:
            closing.begin()
            if callable(before):
                before(got, frame)

        signal.signal(number, handler)


# the look's few small files are read at once; Django would say so at the first of them
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
application = Server(with_worker=os.environ.get("UNREPEAT_WORKER", "1") != "0")
