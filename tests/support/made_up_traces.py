"""Traces as a collector and as Jaeger write them: a page of the shop asks the session service, which works, and the database."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Made:
    """One span; times in seconds."""

    trace: str
    id: str
    parent: str
    service: str
    name: str
    start: float
    seconds: float
    kind: str = "server"
    peer: str = ""


def page(number: int, start: float, *, sessions: float = 0.02, way: float = 0.002, shop: float = 0.01) -> list[Made]:
    """A page of the shop: `sessions` seconds in the session service, `way` lost between both, `shop` of its own."""
    trace, call = f"t{number}", sessions + way
    return [
        Made(trace, f"{number}a", "", "shop", "GET /products", start, call + shop),
        Made(trace, f"{number}b", f"{number}a", "shop", "touch", start + shop / 2, call, "client"),
        Made(trace, f"{number}c", f"{number}b", "sessions", "POST /touch", start + shop / 2 + way / 2, sessions),
        Made(trace, f"{number}d", f"{number}a", "shop", "select", start, 0.001, "client", peer="database"),
    ]


def pages(first: int, count: int, start: float, every: float = 5.0, **how: float) -> list[Made]:
    """One page after the other."""
    return [span for n in range(count) for span in page(first + n, start + n * every, **how)]


def otlp(spans: list[Made]) -> dict:
    """As a collector exports them."""
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]},
                "scopeSpans": [{"scope": {}, "spans": [_otlp(span) for span in spans if span.service == name]}],
            }
            for name in sorted({span.service for span in spans})
        ]
    }


def _otlp(span: Made) -> dict:
    kinds = {"server": 2, "client": 3}
    peer = [{"key": "peer.service", "value": {"stringValue": span.peer}}] if span.peer else []
    return {
        "traceId": span.trace,
        "spanId": span.id,
        **({"parentSpanId": span.parent} if span.parent else {}),
        "name": span.name,
        "kind": kinds[span.kind],
        "startTimeUnixNano": str(round(span.start * 1e9)),
        "endTimeUnixNano": str(round((span.start + span.seconds) * 1e9)),
        "attributes": peer,
        "status": {},
    }


def jaeger(spans: list[Made]) -> dict:
    """As Jaeger answers /api/traces."""
    traces: dict[str, list[Made]] = {}
    for span in spans:
        traces.setdefault(span.trace, []).append(span)
    return {"data": [_trace(name, mine) for name, mine in traces.items()], "total": 0, "limit": 0, "errors": None}


def _trace(name: str, mine: list[Made]) -> dict:
    services = sorted({span.service for span in mine})
    return {
        "traceID": name,
        "spans": [
            {
                "traceID": name,
                "spanID": span.id,
                "operationName": span.name,
                "references": [{"refType": "CHILD_OF", "traceID": name, "spanID": span.parent}] if span.parent else [],
                "startTime": round(span.start * 1e6),
                "duration": round(span.seconds * 1e6),
                "tags": [
                    {"key": "span.kind", "type": "string", "value": span.kind},
                    *([{"key": "peer.service", "type": "string", "value": span.peer}] if span.peer else []),
                ],
                "processID": f"p{services.index(span.service)}",
            }
            for span in mine
        ],
        "processes": {f"p{n}": {"serviceName": service, "tags": []} for n, service in enumerate(services)},
    }


def renamed(spans: list[Made], service: str, name: str) -> list[Made]:
    """The same with a service that calls itself something else."""
    return [replace(span, service=name) if span.service == service else span for span in spans]
