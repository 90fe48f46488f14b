"""Handing the live sessions over to another process without losing one: serve, hold, then point to the successor."""

from __future__ import annotations

import asyncio


class Moved(Exception):
    """The sessions live in another process now; the caller reads the address again and repeats the call there."""


class Drain:
    """The gate through which every session call passes.

    serving -> (hold) -> holding: calls wait -> (go) -> moved: all calls, the waiting ones too, are sent on.
    If the successor cannot take over, `resume` lets the waiting calls through as if nothing had been.
    """

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()
        self.moved = False

    @property
    def holding(self) -> bool:
        """True while calls wait."""
        return not self._free.is_set()

    def hold(self) -> None:
        """Let no further call through."""
        self._free.clear()

    def go(self) -> None:
        """The successor serves: send all callers there."""
        self.moved = True
        self._free.set()

    def resume(self) -> None:
        """The handover was called off."""
        self._free.set()

    async def admit(self) -> None:
        """Wait while calls are held; Moved once the successor serves."""
        if self.holding:
            await self._free.wait()
        if self.moved:
            raise Moved
