"""The hub: one a process. It learns that logs have grown, reads what is new once, and wakes all who watch.

Two ways lead to a look at the tables: a ring of the bell (`bell.listen`; on PostgreSQL `bell.Ears` also brings the rings of
other processes), and a safety look every second, which is how an entry of another process is seen on SQLite. Rings are
merged: at most one look in 250 ms. Nothing of this runs while nobody watches.

All state belongs to the event loop that serves the streams; other threads only reach it through `call_soon_threadsafe`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from django.db import connections

from unrepeat.support import bell, closing
from unrepeat.support.problems import Problem
from unrepeat.web.live import reading

MERGE = 0.25  # seconds: rings within this become one look
SAFETY = 0.75  # seconds between looks that nobody has asked for
MOST_WAITING = 500  # entries kept for a stream whose reader is slow
MOST = 5000  # streams a process serves at once

_log = structlog.get_logger()
T = TypeVar("T")


@dataclass(eq=False)
class Watch:
    """One open stream. `woken` is set when there is something in `waiting`, or when the hub closes."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: list[reading.Item] = field(default_factory=list)
    behind: bool = False  # more came than is kept: read the log instead

    def give(self, items: list[reading.Item]) -> None:
        """Something new has come."""
        self.waiting.extend(items)
        if len(self.waiting) > MOST_WAITING:
            self.waiting.clear()
            self.behind = True
        self.woken.set()

    def take(self) -> tuple[list[reading.Item], bool]:
        """What has come since the last time, and whether some of it was not kept."""
        items, self.waiting, behind, self.behind = self.waiting, [], self.behind, False
        self.woken.clear()
        return items, behind


@dataclass(eq=False)
class Feed:
    """What is watched: an incident's log, or (number 0) all logs together. `known` is the last number seen of it."""

    number: int
    known: int
    watches: set[Watch] = field(default_factory=set)
    seen: frozenset[int] = frozenset()  # only of number 0: rows may become visible out of order

    def fresh(self, items: list[reading.Item]) -> list[reading.Item]:
        """Those of `items` that have not been given out."""
        if self.number == reading.EVERYTHING and self.seen:
            new = [item for item in items if item.number not in self.seen]
        else:
            new = [item for item in items if item.number > self.known]
        if self.number == reading.EVERYTHING:
            self.seen = frozenset(item.number for item in items)
        self.known = max([self.known, *(item.number for item in new)])
        return new


class Hub:
    """See the module's words."""

    def __init__(self) -> None:
        self._feeds: dict[int, Feed] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rung = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._silence: Callable[[], None] = lambda: None
        self._closed = False

    @property
    def closing(self) -> bool:
        """Whether the streams must end: the server stops."""
        return self._closed or closing.begun()

    @property
    def watchers(self) -> int:
        """How many streams are open."""
        return sum(len(feed.watches) for feed in list(self._feeds.values()))

    def close(self) -> None:
        """The server is about to stop: end every stream now. May be called from any thread, and from a signal handler."""
        self._closed = True
        self._soon(self._wake_all)

    async def read(self, work: Callable[[], T]) -> T:
        """Do database work in the hub's own thread, so that an open stream holds no connection."""
        loop = self._belong()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
        return await loop.run_in_executor(self._thread, self._fresh, work)

    def _fresh(self, work: Callable[[], T]) -> T:
        """Database work with connections that are still good; none is kept while nobody watches."""
        for connection in connections.all(initialized_only=True):
            connection.close_if_unusable_or_obsolete()
        try:
            return work()
        finally:
            if not self._feeds:
                connections.close_all()

    def refuse_if_closed(self) -> None:
        """A Problem when no more streams can be served."""
        self._belong()
        if self.closing or self.watchers >= MOST:
            raise Problem(
                "No more live streams.",
                "The server is stopping." if self.closing else f"It serves {MOST} already.",
                "Reload in a moment; the page works without the stream.",
                status=503,
                retry=True,
            )

    @contextmanager
    def watch(self, number: int, known: int) -> Iterator[Watch]:
        """Watch an incident (0: all) while the block runs. `known`: the last number of it that exists now, or an earlier one."""
        self._belong()
        feed = self._feeds.setdefault(number, Feed(number, known))
        watch = Watch()
        feed.watches.add(watch)
        if self._looking is None:
            self._begin()
        try:
            yield watch
        finally:
            feed.watches.discard(watch)
            if not feed.watches:
                self._feeds.pop(number, None)
            if not self._feeds:
                self._end()

    def _belong(self) -> asyncio.AbstractEventLoop:
        """The running loop; a new one (only in tests) begins with an empty hub."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._feeds.clear()
            self._end()
            self._loop, self._rung, self._closed = loop, asyncio.Event(), False
        return loop

    def _begin(self) -> None:
        self._silence = bell.listen(self._heard)
        self._looking = asyncio.get_running_loop().create_task(self._look_again())

    def _end(self) -> None:
        self._silence()
        self._silence = lambda: None
        task, self._looking = self._looking, None
        if task is not None and not task.get_loop().is_closed():
            task.cancel()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.submit(connections.close_all)
            thread.shutdown(wait=False)

    def _heard(self, topic: str) -> None:
        """A ring, in any thread."""
        if topic == "entries":
            self._soon(self._rung.set)
        elif topic == "closing" and closing.begun():
            self.close()

    def _soon(self, do: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(do)

    def _wake_all(self) -> None:
        self._rung.set()
        for feed in self._feeds.values():
            for watch in feed.watches:
                watch.woken.set()

    async def _look_again(self) -> None:
        """Look when rung, and every second; never more than once in 250 ms."""
        while not self.closing:
            try:
                async with asyncio.timeout(SAFETY):
                    await self._rung.wait()
            except TimeoutError:
                pass
            self._rung.clear()
            try:
                await self._look()
            except Exception as error:  # noqa: BLE001 (one look that fails must not end the looking)
                _log.warning("live_look_failed", error=str(error))
            await asyncio.sleep(MERGE)

    async def _look(self) -> None:
        known = {number: feed.known for number, feed in self._feeds.items()}
        for number, items in (await self.read(lambda: reading.news(known))).items():
            feed = self._feeds.get(number)
            new = feed.fresh(items) if feed else []
            for watch in feed.watches if feed and new else ():
                watch.give(new)


hub = Hub()
