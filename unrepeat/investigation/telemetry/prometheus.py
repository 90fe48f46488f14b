"""Numbers from Prometheus, or from anything that speaks its HTTP API (Thanos, Mimir, VictoriaMetrics). It may be down, slow or wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from unrepeat.investigation.telemetry import Point, Series, Silent, Unanswered
from unrepeat.support import http
from unrepeat.support.problems import Problem

Fetch = Callable[[str, dict[str, str]], bytes]
"""Address and parameters to the body of the answer; raises Unanswered."""

MOST_BYTES = 16 * 1024 * 1024
MOST_SERIES = 1000
SECONDS = 5.0  # for a whole answer: the worker waits for it


class Prometheus:
    """One Prometheus, by its base address."""

    def __init__(self, url: str, fetch: Fetch | None = None) -> None:
        self._url = url.rstrip("/")
        self._fetch = fetch or fetched

    @property
    def source(self) -> str:
        """`Prometheus at metrics.example:9090` (never a password that stands in the address)."""
        parts = urlsplit(self._url)
        return f"Prometheus at {parts.hostname or self._url}{f':{parts.port}' if parts.port else ''}"

    def query_range(self, query: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """See `Telemetry`. Samples that are no finite numbers are left out."""
        window = {
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step:g}",
            "timeout": f"{SECONDS:g}s",
        }
        body = self._fetch(f"{self._url}/api/v1/query_range", {"query": query, **window})
        try:
            answer = json.loads(body)
            if answer.get("status") != "success":
                raise Unanswered(
                    f"{self.source} refused the query: {str(answer.get('error', 'no reason given'))[:300]}"
                )
            return [_series(found) for found in answer["data"]["result"][:MOST_SERIES]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Unanswered(f"{self.source} answered what is no range of numbers ({type(error).__name__})") from error


def _series(found: dict[str, Any]) -> Series:
    points: list[Point] = [(float(at), float(value)) for at, value in found["values"]]
    finite = sorted((at, value) for at, value in points if math.isfinite(at) and math.isfinite(value))
    return Series({str(name): str(value) for name, value in found["metric"].items()}, tuple(finite))


def fetched(url: str, parameters: dict[str, str]) -> bytes:
    """The body of a GET, whatever its status below 500; raises Unanswered."""
    where = f"Prometheus at {urlsplit(url).netloc.rpartition('@')[2]}"
    try:
        answer = http.request("GET", url, params=parameters, timeout=SECONDS, max_bytes=MOST_BYTES, from_settings=True)
    except Problem as problem:
        raise Silent(f"{where} could not be asked: {problem.why.rstrip('.')}") from problem
    if answer.status >= 500:
        raise Silent(f"{where} answered with status {answer.status}")
    return answer.body
