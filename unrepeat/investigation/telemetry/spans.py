"""Reads spans from OTLP JSON (a collector's file, one line an export; or one answer) and from Jaeger JSON (`/api/traces`). Pure.

What comes from outside is not trusted: a span that makes no sense is counted and left out, names are cut, and there are never more than MOST.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from unrepeat.investigation.telemetry import Unanswered

MOST = 100_000  # spans
LONGEST_NAME = 200
LONGEST = 86_400.0  # seconds a span may last
OUTGOING = {3, 4, "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "client", "producer"}


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work. `start` in unix seconds; `outgoing`: a call to another service, as its caller saw it; `peer`: whom, where it says so."""

    trace: str
    id: str
    parent: str
    service: str
    operation: str
    start: float
    seconds: float
    outgoing: bool = False
    peer: str = ""

    @property
    def end(self) -> float:
        """Unix seconds."""
        return self.start + self.seconds


@dataclass(slots=True)
class Read:
    """Spans, and how many were left out because they made no sense; `cut`: there were more than MOST."""

    spans: list[Span] = field(default_factory=list)
    unreadable: int = 0
    cut: bool = False

    def add(self, found: Iterable[Span | None]) -> None:
        """Take them up to the limit."""
        for span in found:
            if len(self.spans) >= MOST:
                self.cut = True
                return
            if span is None:
                self.unreadable += 1
            else:
                self.spans.append(span)


def document(body: bytes | str, where: str, into: Read) -> None:
    """Read one JSON document; Unanswered when it is neither OTLP nor Jaeger JSON."""
    try:
        found = json.loads(body)
        known = list(_exports(found))
    except (ValueError, RecursionError) as error:
        raise Unanswered(f"{where} gave what is no JSON ({type(error).__name__})") from error
    except (TypeError, AttributeError, KeyError) as error:
        raise Unanswered(f"{where} gave what are no traces ({type(error).__name__})") from error
    if not known:
        raise Unanswered(f"{where} gave what is neither OTLP nor Jaeger JSON")
    for spans in known:
        into.add(spans)


def lines(found: Iterable[bytes], into: Read) -> None:
    """Read an export a line; a line that is none (the last one may be half written) counts as unreadable."""
    for line in found:
        if into.cut:
            return
        if line.strip():
            try:
                document(line, "a line", into)
            except Unanswered:
                into.unreadable += 1


def _exports(found: Any) -> Iterator[Iterator[Span | None]]:
    """The lists of spans in a document, each still to be read."""
    if isinstance(found, list):
        for one in found:
            yield from _exports(one)
    elif isinstance(found, dict):
        if isinstance(found.get("trace"), dict):
            yield from _exports(found["trace"])
        for key in ("resourceSpans", "batches"):
            if isinstance(found.get(key), list):
                yield _otlp(found[key])
        if isinstance(found.get("data"), list):
            yield _jaeger(found["data"])
        elif isinstance(found.get("spans"), list) and isinstance(found.get("processes"), dict):
            yield _jaeger([found])


def _otlp(exports: list[Any]) -> Iterator[Span | None]:
    for export in exports:
        if not isinstance(export, dict):
            yield None
            continue
        resource = export.get("resource")
        service = _attributes(resource.get("attributes") if isinstance(resource, dict) else ()).get("service.name", "")
        scopes = export.get("scopeSpans") or export.get("instrumentationLibrarySpans") or ()
        for scope in scopes if isinstance(scopes, list) else ():
            for span in _list(scope, "spans"):
                yield _sound(_otlp_span, span, service)


def _otlp_span(span: dict[str, Any], service: str) -> Span:
    attributes = _attributes(span.get("attributes"))
    start, end = (int(span[name]) * 1e-9 for name in ("startTimeUnixNano", "endTimeUnixNano"))
    return Span(
        trace=str(span["traceId"]),
        id=str(span["spanId"]),
        parent=str(span.get("parentSpanId") or ""),
        service=service,
        operation=str(span.get("name") or ""),
        start=start,
        seconds=end - start,
        outgoing=_hashable(span.get("kind")) in OUTGOING,
        peer=str(attributes.get("peer.service", "")),
    )


def _jaeger(traces: list[Any]) -> Iterator[Span | None]:
    for trace in traces:
        processes = trace.get("processes") if isinstance(trace, dict) else None
        if not isinstance(processes, dict):
            yield None
            continue
        for span in _list(trace, "spans"):
            process = processes.get(_hashable(span.get("processID")))
            own = span.get("process")
            known = process if isinstance(process, dict) else own if isinstance(own, dict) else {}
            yield _sound(_jaeger_span, span, known.get("serviceName", ""))


def _jaeger_span(span: dict[str, Any], service: str) -> Span:
    tags = _tags(span.get("tags"))
    parents = [one for one in _list(span, "references") if one.get("refType", "CHILD_OF") == "CHILD_OF"]
    parents = [one for one in parents if one.get("traceID", span["traceID"]) == span["traceID"]]
    return Span(
        trace=str(span["traceID"]),
        id=str(span["spanID"]),
        parent=str(parents[0]["spanID"] if parents else span.get("parentSpanID") or ""),
        service=service,
        operation=str(span.get("operationName") or ""),
        start=float(span["startTime"]) * 1e-6,
        seconds=float(span["duration"]) * 1e-6,
        outgoing=tags.get("span.kind") in OUTGOING,
        peer=str(tags.get("peer.service", "")),
    )


def _sound(read: Any, span: Any, service: Any) -> Span | None:
    """The span with its names cut; None when it makes no sense."""
    try:
        made: Span = read(span, str(service).strip()[:LONGEST_NAME])
    except (TypeError, ValueError, KeyError, AttributeError, OverflowError):
        return None
    sane = math.isfinite(made.start) and 0 <= made.seconds <= LONGEST
    if not (sane and made.service and made.id and len(made.id) <= LONGEST_NAME and len(made.trace) <= LONGEST_NAME):
        return None
    operation, peer = made.operation.strip()[:LONGEST_NAME], made.peer.strip()[:LONGEST_NAME]
    parent = made.parent if made.parent != made.id and len(made.parent) <= LONGEST_NAME else ""
    return Span(made.trace, made.id, parent, made.service, operation, made.start, made.seconds, made.outgoing, peer)


def _attributes(found: Any) -> dict[str, Any]:
    """OTLP's attributes as names and plain values."""
    known = {}
    for one in found if isinstance(found, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, dict) and value:
            known[str(one.get("key"))] = next(iter(value.values()))
    return known


def _tags(found: Any) -> dict[str, str]:
    return {
        str(one.get("key")): str(one.get("value"))
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, dict)
    }


def _list(holder: Any, name: str) -> list[Any]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _hashable(value: Any) -> Any:
    return value if isinstance(value, int | str) else None
