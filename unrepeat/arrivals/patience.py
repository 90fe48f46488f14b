"""How long a body may take to arrive. One timer for all requests, since one for each would cost more than the rest of the wait."""

from __future__ import annotations

import asyncio
from typing import Any

Request = asyncio.Task[Any]
RAN_OUT = 0.0


class Patience:
    """Ends requests whose body does not come in time. All methods belong to the event loop's thread."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._until: dict[Request, float] = {}  # in the order of beginning, so the first runs out first
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, request: Request) -> None:
        """The body of this request is being received from now on."""
        loop = request.get_loop()
        self._until[request] = loop.time() + self.seconds
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._look, loop)

    def end(self, request: Request) -> None:
        """The body is here, or will not be waited for any more."""
        self._until.pop(request, None)

    def ran_out(self, request: Request) -> bool:
        """Whether this request was cancelled for being slow."""
        return self._until.get(request) == RAN_OUT

    def end_all(self) -> None:
        """Cancel all that are being received."""
        for request in self._until:
            request.cancel()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for request, until in self._until.items():
            if until > now:
                self._timer = loop.call_at(until, self._look, loop)
                return
            if until != RAN_OUT:
                self._until[request] = RAN_OUT
                request.cancel()
