"""The only reads and writes of the investigation room's tables: results, found by their digest, and newest measurements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from unrepeat.investigation.models import Measurement, Result
from unrepeat.support import clock

Data = dict[str, Any]  # {"step": seconds, "series": [{"labels": {...}, "points": [[unix seconds, value], ...]}]}


def keep(*, source: str, query: str, window_from: datetime, window_to: datetime, data: Data) -> str:
    """Store a result; returns its digest. The same result is stored once."""
    digest = digest_of(source, query, window_from, window_to, data)
    columns = {"source": source[:300], "query": query, "window_from": window_from, "window_to": window_to, "data": data}
    Result.objects.get_or_create(digest=digest, defaults={**columns, "stored_at": clock.now()})
    return digest


def digest_of(source: str, query: str, window_from: datetime, window_to: datetime, data: Data) -> str:
    """SHA-256 (hex) over source, query, window and result, as canonical JSON."""
    window = [at.astimezone(UTC).isoformat() for at in (window_from, window_to)]
    whole = {"source": source[:300], "query": query, "window": window, "data": data}
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def result(digest: str) -> Result | None:
    """A stored result."""
    return Result.objects.filter(digest=digest).first()


def results(digests: Iterable[str]) -> dict[str, Data]:
    """The data of stored results, by digest; unknown digests are absent."""
    return dict(Result.objects.filter(digest__in=list(digests)).values_list("digest", "data"))


def put_measurement(incident: int, *, took: float, impact: Data, data: Data) -> None:
    """Who is hurt by an open incident, as counted now; `took` is in seconds."""
    columns = {"at": clock.now(), "took": took, "impact": impact, "data": data}
    Measurement.objects.update_or_create(incident=incident, defaults=columns)


def drop_measurement(incident: int) -> None:
    """The incident is over: what was counted stands in its log."""
    Measurement.objects.filter(incident=incident).delete()


def measurement(incident: int) -> Measurement | None:
    """Who is hurt by an open incident, as counted last."""
    return Measurement.objects.filter(incident=incident).first()


def shown(digests: Iterable[str]) -> dict[str, Any]:
    """What people look at of stored results, by digest, without their samples; results that have none are absent."""
    rows = Result.objects.filter(digest__in=list(digests)).values_list("digest", "data__shown")
    return {digest: data for digest, data in rows if data}


def ranked(digest: str) -> tuple[str, str]:
    """What to look at next, and where the call graph is from, of a stored ranking; empty when it is none."""
    wanted = ("data__ranking__look_next", "data__ranking__call_graph")
    found = Result.objects.filter(digest=digest).values_list(*wanted).first() or ("", "")
    return str(found[0] or ""), str(found[1] or "")
