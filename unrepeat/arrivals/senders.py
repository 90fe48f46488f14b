"""Who may send: the sources as the intake knows them, kept in memory and read anew every few seconds.

A token that is revoked or rotated in another process is stale here for at most `STALE` seconds. One that is not known makes
the table be read again at once (at most every `PAUSE` seconds), so that a new source can send right away.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from unrepeat.arrivals import store
from unrepeat.arrivals.store import Sender
from unrepeat.support import clock
from unrepeat.support.secret import hashed

FRESH = 1.5  # seconds in which the memory is used as it is
STALE = 3.0  # seconds after which it is not used at all
PAUSE = 0.2  # seconds between two readings for unknown tokens


class Senders:
    """The sources in memory. All methods run in the event loop's thread; the table is read in another."""

    def __init__(self, load: Callable[[], dict[str, Sender]] = store.senders) -> None:
        self._load = load
        self._by_name: dict[str, Sender] = {}
        self._hashes: dict[str, str] = {}  # token to hash, of tokens that were good: saves hashing at every request
        self._read_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def known(self, name: str, token: str) -> Sender | None:
        """The source by that name if the token is one of its own and has not expired."""
        age = time.monotonic() - self._read_at
        if age > STALE:
            await self._read()
        elif age > FRESH and self._reading is None:
            self._begin()
        found = self._look(name, token)
        if found is None and age <= STALE:
            await self._read(pause=True)
            found = self._look(name, token)
        return found

    def _look(self, name: str, token: str) -> Sender | None:
        sender = self._by_name.get(name)
        if sender is None:
            return None
        digest = self._hashes.get(token) or hashed(token)
        if digest not in sender.tokens:
            return None
        expires_at = sender.tokens[digest]
        if expires_at is not None and expires_at <= clock.now():
            return None
        self._hashes[token] = digest
        return sender

    def _begin(self, *, pause: bool = False) -> asyncio.Task[None]:
        self._reading = asyncio.create_task(self._fetch(pause=pause))
        return self._reading

    async def _read(self, *, pause: bool = False) -> None:
        await asyncio.shield(self._reading or self._begin(pause=pause))

    async def _fetch(self, *, pause: bool) -> None:
        try:
            if pause:
                await asyncio.sleep(max(0.0, self._read_at + PAUSE - time.monotonic()))
            began = time.monotonic()
            self._by_name = await asyncio.to_thread(self._loaded)
            self._hashes.clear()
            self._read_at = began
        finally:
            self._reading = None

    def _loaded(self) -> dict[str, Sender]:
        from django.db import connection

        try:
            return self._load()
        finally:
            connection.close()
