"""The page of a stored result: what was asked, of whom, over which window, what came, and how to ask again."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from unrepeat.incidents import queries
from unrepeat.incidents.entries import ImpactMeasured, Logged, ShareMeasured
from unrepeat.incidents.state import Evidence
from unrepeat.investigation import queries as investigation
from unrepeat.investigation.models import Result
from unrepeat.postmortems import hurt
from unrepeat.support.config import config
from unrepeat.support.problems import NotFound
from unrepeat.web.access import Role, needs
from unrepeat.web.pages.hurt import Counted
from unrepeat.web.pages.suspects import newest_answer, spark

MOST_SERIES = 60


@needs(Role.READER)
@require_safe
def evidence(request: HttpRequest, number: int, digest: str) -> HttpResponse:
    """A stored result of an incident; as JSON with `?format=json`."""
    state, log = queries.state_of(number), queries.log_of(number)
    counted = next((one for one in log if isinstance(one.entry, ImpactMeasured) and one.entry.digest == digest), None)
    if digest not in state.evidence and counted is None:
        raise NotFound(f"Incident {number} has no evidence {digest[:16]}.", remedy="Its timeline names its evidence.")
    kept = investigation.result(digest)
    told = state.evidence.get(digest) or _who_was_hurt(kept, counted)
    if request.GET.get("format") == "json":
        whole = {"digest": digest, "source": kept.source, "query": kept.query, "data": kept.data}
        window = {"from": kept.window_from.isoformat(), "to": kept.window_to.isoformat()}
        return JsonResponse({**whole, "window": window})
    alert = min((one.fired_at for one in state.alerts.values()), default=state.started_at)
    source, _, note = told.source.partition(" (")
    later = state.evidence.get(newest_answer(state, digest), told)
    drawn = kept if later.digest == digest else investigation.result(later.digest)
    page = {
        "number": number,
        "source": source,
        "source_note": note.rstrip(").")[:1].upper() + note.rstrip(").")[1:],
        "step": f"{kept.data.get('step', 0):g}",
        "samples": sum(len(one.get("points", ())) for one in kept.data.get("series", ())),
        "zone": state.time_zone,
        "told": told,
        "kept": kept,
        "intact": investigation.is_intact(digest),
        "spark": spark(drawn.data.get("shown"), alert, told.title),
        "later": later if later.digest != digest else None,
        "series": [_row(one) for one in kept.data.get("series", ())[:MOST_SERIES]],
        "ranking": kept.data.get("ranking"),
        "counted": [Counted.of(hurt.share_fact(share)) for share in _shares(counted)],
        "stretches": len(kept.data.get("buckets", ())),
        "again": _again(kept.source, kept.query, kept.window_from, kept.window_to),
    }
    return render(request, "pages/evidence.html", page)


def _who_was_hurt(kept: Result, counted: Logged | None) -> Evidence:
    """What an entry says of who was hurt, as evidence."""
    window = kept.window_from, kept.window_to
    at = counted.at if counted else kept.stored_at
    return Evidence(kept.digest, "Who was hurt", kept.source, kept.query, *window, "", "", at)


def _shares(counted: Logged | None) -> tuple[ShareMeasured, ...]:
    return counted.entry.shares if counted is not None and isinstance(counted.entry, ImpactMeasured) else ()


def _row(series: dict[str, Any]) -> dict[str, Any]:
    points = series.get("points") or [[0, 0]]
    labels = ", ".join(f"{name}={value}" for name, value in sorted(series.get("labels", {}).items()))
    return {"labels": labels, "points": len(points), "first": points[0][1], "last": points[-1][1]}


def _again(source: str, query: str, start: datetime, end: datetime) -> str:
    """Where the configured Prometheus draws this query over this window; empty when it came from elsewhere."""
    base = config().prometheus_url
    if not base or not source.startswith("Prometheus"):
        return ""
    seconds = int((end - start).total_seconds())
    asked = {
        "g0.expr": query,
        "g0.tab": "0",
        "g0.range_input": f"{seconds}s",
        "g0.end_input": f"{end:%Y-%m-%d %H:%M:%S}",
    }
    return f"{_without_password(base)}/graph?{urlencode(asked)}"


def _without_password(url: str) -> str:
    scheme, _, rest = url.rstrip("/").partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
