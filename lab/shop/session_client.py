"""How the shop calls the session service: one second a try, two tries, and where it lives is read from a file."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx

from lab.shop.metrics import ShopMetrics

TRY_SECONDS = 1.0
TRIES = 2
MOVES = 5


class SessionsDown(Exception):
    """No answer within all tries."""


class Refused(Exception):
    """The service understood and said no; `status` is its HTTP status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the session service answered {status}")
        self.status = status


class SessionClient:
    """Calls the session service at the address which the file holds."""

    def __init__(self, address_file: Path, metrics: ShopMetrics) -> None:
        self._file = address_file
        self._metrics = metrics
        self._address = address_file.read_text().strip()
        limits = httpx.Limits(max_connections=400, max_keepalive_connections=40, keepalive_expiry=4.0)
        self._http = httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(TRY_SECONDS))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def call(self, name: str, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One call, tried twice; the JSON answer. SessionsDown without an answer, Refused for 4xx."""
        began = time.monotonic()
        outcome = "failed"
        try:
            for _ in range(TRIES):
                response = await self._one_try(method, path, body)
                if response is not None and response.status_code < 500:
                    outcome = "answered" if response.is_success else "refused"
                    return _read(response)
                self._metrics.failed_tries.labels(name).inc()
            raise SessionsDown(name)
        finally:
            self._metrics.session_calls.labels(name, outcome).observe(time.monotonic() - began)

    async def _one_try(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response | None:
        """One try within its second, following the service when it has moved; None if there was no answer."""
        try:
            async with asyncio.timeout(TRY_SECONDS):
                for _ in range(MOVES):
                    response = await self._http.request(method, self._address + path, json=body)
                    if response.status_code != httpx.codes.MISDIRECTED_REQUEST:
                        return response
                    self._address = self._file.read_text().strip()
        except (TimeoutError, httpx.HTTPError):
            self._address = self._file.read_text().strip()
        return None


def _read(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        raise Refused(response.status_code)
    answer: dict[str, Any] = response.json() if response.content else {}
    return answer
