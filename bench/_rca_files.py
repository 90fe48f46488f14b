"""Reads the data files of a case: numbers, spans, calls, logs, changes. What is absent, empty or makes no sense is left out, never guessed."""

from __future__ import annotations

import calendar
import csv
import gzip
import json
import math
import time
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from unrepeat.investigation.lenses import Bools, Calls, Change, Floats, LogCounts, LogLine, Spans

TIME_NAMES = frozenset({"time", "timestamp", "ts", "datetime", "date", "time_s", "unix_time"})
DAY = 86_400.0
MILLISECONDS = 1e11  # no moment of ours is as many seconds
Rows = list[dict[str, str]]


def number(text: Any) -> float:
    """A finite number, or NaN for whatever else stands there."""
    try:
        value = float(text)
    except (TypeError, ValueError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def moment(said: Any) -> float:
    """Unix seconds of a number (seconds, or more exact) or of an ISO 8601 text, UTC where it names no zone; NaN for anything else."""
    value = number(said)
    if math.isnan(value):
        try:
            at = datetime.fromisoformat(str(said).strip())
        except ValueError:
            return math.nan
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    while abs(value) > MILLISECONDS:
        value /= 1000
    return value


def read_metrics(folder: Path) -> tuple[list[str], Floats, Floats]:
    """Names of the columns, unix seconds, and values (NaN where there is none), in order of time."""
    rows = [row for row in csv.reader(_lines(folder / "metrics.csv")) if row]
    if not rows:
        return [], np.empty(0), np.empty((0, 0))
    head, *body = rows
    place = next((i for i, name in enumerate(head) if name.strip().lower() in TIME_NAMES), 0)
    table = np.full((len(body), len(head)), np.nan)
    for row, cells in enumerate(body):
        for column, cell in enumerate(cells[: len(head)]):
            table[row, column] = moment(cell) if column == place else number(cell)
    table = table[np.isfinite(table[:, place])]
    table = table[np.argsort(table[:, place], kind="stable")]
    kept = [column for column in range(len(head)) if column != place]
    return [head[column] for column in kept], table[:, place], table[:, kept]


def read_edges(folder: Path) -> list[tuple[str, str]]:
    """Caller and callee: `{"edges": [[caller, callee], ...]}`, or the list alone."""
    found = _json(folder / "edges.json")
    pairs = found.get("edges") if isinstance(found, dict) else found
    known = (_pair(one) for one in _list(pairs))
    return [(caller, callee) for caller, callee in known if caller and callee]


def read_parents(folder: Path) -> list[tuple[str, str]]:
    """Caller and callee from spans and their parents."""
    spans = [span for span in _dicts(_json(folder / "traces_raw.json")) if span.get("service")]
    owner = {(span.get("trace_id"), span.get("span_id")): str(span["service"]) for span in spans}
    found = [(owner.get((span.get("trace_id"), span.get("parent_id"))), str(span["service"])) for span in spans]
    return sorted({(caller, callee) for caller, callee in found if caller and caller != callee})


def read_spans(folder: Path, alert: float) -> Spans | None:
    """Span statistics, a row an operation and minute."""
    rows, at = _timed(folder / "traces.csv", alert, ("service", "OperationName", "n"))
    if not rows:
        return None
    return Spans(
        tuple(row["service"] for row in rows),
        tuple(row["OperationName"] for row in rows),
        at,
        _column(rows, "n"),
        _column(rows, "mean_ms", 1e-3),
        _column(rows, "self_mean_ms", 1e-3),
        _quiet(rows),
    )


def read_calls(folder: Path, alert: float) -> Calls | None:
    """Calls, a row a pair and minute."""
    rows, at = _timed(folder / "calls.csv", alert, ("caller", "callee", "n"))
    if not rows:
        return None
    outer, inner = _column(rows, "parent_ms", 1e-3), _column(rows, "child_ms", 1e-3)
    callers, callees = tuple(row["caller"] for row in rows), tuple(row["callee"] for row in rows)
    return Calls(callers, callees, at, _column(rows, "n"), outer - inner, _quiet(rows))


def read_log_counts(folder: Path, alert: float) -> LogCounts | None:
    """Lines and error-like lines, a row a service and minute."""
    rows, at = _timed(folder / "logs.csv", alert, ("service", "lines", "error_like"))
    if not rows:
        return None
    lines, errors = (np.nan_to_num(_column(rows, name), nan=0.0) for name in ("lines", "error_like"))
    return LogCounts(tuple(row["service"] for row in rows), at, lines, errors)


def read_log_lines(folder: Path) -> list[LogLine]:
    """Lines of logs, and failed spans as what their service said."""
    lines = [_line(row) for text in _lines(folder / "logs.ndjson") for row in _dicts([_parsed(text)])]
    spans = [_failed(span) for span in _dicts(_json(folder / "traces_raw.json")) if span.get("status") == "ERROR"]
    return [line for line in (*lines, *spans) if math.isfinite(line.at) and line.service]


def read_changes(folder: Path) -> tuple[Change, ...]:
    """Releases, commits with the deploys that carry them, other deploys, flags; those without a name or a time are left out."""
    found = _json(folder / "changes.json")
    if not isinstance(found, dict):
        return ()
    releases = [_release(row) for row in _dicts(found.get("changes"))]
    deploys = {str(row.get("commit_sha")): row for row in _dicts(found.get("deploys")) if row.get("commit_sha")}
    commits = [_commit(row, deploys.get(str(row.get("sha")))) for row in _dicts(found.get("commits"))]
    known = {change.key for change in commits}
    bare = [_deploy(row) for sha, row in deploys.items() if sha not in known]
    flags = [_flag(row) for row in _dicts(found.get("flags"))]
    return tuple(one for one in (*releases, *commits, *bare, *flags) if one.key and math.isfinite(one.at))


# --- files ----------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    """A file, packed or plain; empty when it is absent. ValueError when it is cut to pieces."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        body = (
            gzip.decompress(packed.read_bytes()) if packed.is_file() else path.read_bytes() if path.is_file() else b""
        )
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{packed.name} cannot be read ({type(error).__name__})") from error
    return body.decode("utf-8", errors="replace").replace("\0", "")


def _lines(path: Path) -> list[str]:
    return _text(path).split("\n")


def _json(path: Path) -> Any:
    return _parsed(_text(path))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [one for one in _list(found) if isinstance(one, dict)]


# --- tables ---------------------------------------------------------------------------------------------------------


def _timed(path: Path, alert: float, needed: tuple[str, ...]) -> tuple[Rows, Floats]:
    """The rows that have what is needed and a time, and their times (unix seconds)."""
    whole = [row for row in csv.DictReader(_lines(path)) if all(row.get(name) for name in needed)]
    at = np.array([_minute(row.get("minute"), alert) for row in whole], dtype=float)
    return [row for row, known in zip(whole, np.isfinite(at), strict=True) if known], at[np.isfinite(at)]


def _minute(said: str | None, alert: float) -> float:
    """`15_04` on the day of the alert, or of its neighbour where that is nearer."""
    hour, _, minute = (said or "").replace(":", "_").partition("_")
    if not (hour.isdigit() and minute.isdigit()):
        return math.nan
    day = time.gmtime(alert)
    at = calendar.timegm((day.tm_year, day.tm_mon, day.tm_mday, int(hour), int(minute), 0))
    return at + DAY * round((alert - at) / DAY)


def _column(rows: Iterable[dict[str, str]], name: str, scale: float = 1.0) -> Floats:
    return np.array([number(row.get(name)) * scale for row in rows], dtype=float)


def _quiet(rows: Iterable[dict[str, str]]) -> Bools:
    return np.array([row.get("phase") == "normal" for row in rows], dtype=bool)


# --- rows -----------------------------------------------------------------------------------------------------------


def _pair(found: Any) -> tuple[str, str]:
    if isinstance(found, dict):
        return str(found.get("caller") or found.get("source") or ""), str(
            found.get("callee") or found.get("target") or ""
        )
    return (str(found[0]), str(found[1])) if isinstance(found, list) and len(found) >= 2 else ("", "")


def _line(row: dict[str, Any]) -> LogLine:
    known = {"timestamp", "service", "severity_text", "msg", "trace_id", "span_id"}
    return LogLine(
        moment(row.get("timestamp")),
        str(row.get("service") or ""),
        str(row.get("severity_text") or ""),
        str(row.get("msg") or ""),
        _details(row, known),
    )


def _failed(span: dict[str, Any]) -> LogLine:
    known = {"trace_id", "span_id", "parent_id", "service", "start", "duration_ms", "status", "name", "error"}
    details = f"{span.get('name', '')} {_details(span, known)}"
    return LogLine(
        moment(span.get("start")), str(span.get("service") or ""), "ERROR", str(span.get("error", "")), details
    )


def _details(row: dict[str, Any], known: set[str]) -> str:
    return " ".join(f"{name}={value}" for name, value in row.items() if name not in known)


def _release(row: dict[str, Any]) -> Change:
    service, steps = str(row.get("service") or ""), _dicts(row.get("steps"))
    return Change(
        key=service,
        service=service,
        at=moment(row.get("release_time")),
        kind="release",
        summary=f"{service} released in {len(steps)} steps",
        new_pods=tuple(str(pod) for step in steps for pod in _list(step.get("release_pod"))),
        old_pods=tuple(str(pod) for step in steps for pod in _list(step.get("delete_pod"))),
    )


def _commit(row: dict[str, Any], deploy: dict[str, Any] | None) -> Change:
    at = moment((deploy or row).get("timestamp"))
    return Change(
        key=str(row.get("sha") or ""),
        service=str(deploy.get("service") or "") if deploy else "",
        at=at if math.isfinite(at) else moment(row.get("timestamp")),
        kind="deploy" if deploy else "commit",
        summary=str(row.get("message") or ""),
        files=tuple(str(name) for name in _list(row.get("files_changed"))),
        diff=str(row.get("diff") or ""),
        deployed=deploy is not None,
    )


def _deploy(row: dict[str, Any]) -> Change:
    service, version = str(row.get("service") or ""), str(row.get("version") or "")
    return Change(str(row["commit_sha"]), service, moment(row.get("timestamp")), "deploy", version)


def _flag(row: dict[str, Any]) -> Change:
    name = str(row.get("flag") or "")
    said = f"{name} {row.get('change') or ''}"
    return Change(
        f"flag:{name}" if name else "", str(row.get("service") or ""), moment(row.get("timestamp")), "flag", said
    )
