"""Loads a folder of labelled failure cases. The ranking never sees a label: `Case.tables` is built from the data files and the alert time alone."""

from __future__ import annotations

import calendar
import csv
import gzip
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from unrepeat.investigation.lenses import Calls, Change, Floats, LogCounts, LogLine, Spans, Tables, describe


@dataclass(frozen=True, slots=True)
class Truth:
    """What the label says is guilty; for scoring only."""

    dataset: str
    fault: str
    service: str
    indicator: str
    change: str  # "none" where no change is guilty, "" where changes are not asked about
    decoys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case's name, what the ranking may see, and what it is scored against."""

    name: str
    tables: Tables
    truth: Truth


def load(folder: Path) -> Case:
    """One case. Raises OSError or ValueError for a folder that is none."""
    label = json.loads((folder / "label.json").read_text(encoding="utf-8"))
    return Case(folder.name, read_tables(folder, alert_time(label)), _truth(label))


def case_folders(root: Path) -> list[Path]:
    """Folders below `root` that hold a case, by name."""
    return sorted(path.parent for path in root.glob("*/label.json"))


def alert_time(label: dict[str, Any]) -> float:
    """The alert's time where there was an alert, otherwise the injection's: the only field of a label that the ranking gets."""
    moment = label.get("alert_time") or label["inject_time"]
    return float(moment)


def read_tables(folder: Path, alert: float) -> Tables:
    """All that the data files of a case say. Files that are absent are absent."""
    columns, times, values = _read_metrics(folder / "metrics.csv.gz")
    day = time.gmtime(alert)
    midnight = float(calendar.timegm((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0)))
    return Tables(
        alert=alert,
        times=times,
        values=values,
        series=describe([_named(column) for column in columns], values),
        edges=(*_read_edges(folder / "edges.json"), *_read_parents(folder / "traces_raw.json")),
        spans=_read_spans(folder / "traces.csv.gz", midnight),
        calls=_read_calls(folder / "calls.csv.gz", midnight),
        log_counts=_read_log_counts(folder / "logs.csv.gz", midnight),
        log_lines=(*_read_lines(folder / "logs.ndjson"), *_read_failed_spans(folder / "traces_raw.json")),
        changes=_read_changes(folder / "changes.json"),
    )


def _truth(label: dict[str, Any]) -> Truth:
    change = label.get("root_cause_commit") or label.get("root_cause_change") or ""
    return Truth(
        str(label["dataset"]),
        str(label.get("fault", "")),
        str(label.get("root_cause_service") or ""),
        str(label.get("root_cause_metric") or ""),
        str(change),
        tuple(label.get("decoy_commits", ())),
    )


_POD = re.compile(r"^(?P<service>.+?)(?:-(?:v\d+|[0-9a-f]{8,10}))+-[a-z0-9]{5}$")


def _named(column: str) -> tuple[str, str, str]:
    """(column, service, indicator): `service|indicator`, `pod|indicator@caller->callee` or `service_indicator`."""
    owner, bar, indicator = column.partition("|")
    if not bar:
        owner, _, indicator = column.partition("_")
        return column, owner, indicator
    pod = _POD.match(owner)
    return column, pod["service"] if pod else owner, indicator


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _read_metrics(path: Path) -> tuple[list[str], Floats, Floats]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    head, *body = rows
    table = np.array([[_number(cell) for cell in row] for row in body], dtype=float).reshape(len(body), len(head))
    return head[1:], table[:, 0], table[:, 1:]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _column(rows: Iterable[dict[str, str]], name: str, scale: float = 1.0) -> Floats:
    return np.array([_number(row[name]) * scale for row in rows], dtype=float)


def _minutes(rows: Iterable[dict[str, str]], midnight: float) -> Floats:
    clocks = (row["minute"].split("_") for row in rows)
    return np.array([midnight + int(hour) * 3600 + int(minute) * 60 for hour, minute in clocks], dtype=float)


def _quiet(rows: Iterable[dict[str, str]]) -> Any:
    return np.array([row["phase"] == "normal" for row in rows], dtype=bool)


def _read_edges(path: Path) -> tuple[tuple[str, str], ...]:
    if not path.exists():
        return ()
    found = json.loads(path.read_text(encoding="utf-8"))
    return tuple((str(caller), str(callee)) for caller, callee in found["edges"])


def _read_spans(path: Path, midnight: float) -> Spans | None:
    rows = _rows(path)
    if not rows:
        return None
    return Spans(
        tuple(row["service"] for row in rows),
        tuple(row["OperationName"] for row in rows),
        _minutes(rows, midnight),
        _column(rows, "n"),
        _column(rows, "mean_ms", 1e-3),
        _column(rows, "self_mean_ms", 1e-3),
        _quiet(rows),
    )


def _read_calls(path: Path, midnight: float) -> Calls | None:
    rows = _rows(path)
    if not rows:
        return None
    outer, inner = _column(rows, "parent_ms", 1e-3), _column(rows, "child_ms", 1e-3)
    return Calls(
        tuple(row["caller"] for row in rows),
        tuple(row["callee"] for row in rows),
        _minutes(rows, midnight),
        _column(rows, "n"),
        outer - inner,
        _quiet(rows),
    )


def _read_log_counts(path: Path, midnight: float) -> LogCounts | None:
    rows = _rows(path)
    if not rows:
        return None
    return LogCounts(
        tuple(row["service"] for row in rows),
        _minutes(rows, midnight),
        _column(rows, "lines"),
        _column(rows, "error_like"),
    )


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def _read_lines(path: Path) -> list[LogLine]:
    if not path.exists():
        return []
    return [_line(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _line(row: dict[str, Any]) -> LogLine:
    known = {"timestamp", "service", "severity_text", "msg", "trace_id", "span_id"}
    details = " ".join(f"{name}={value}" for name, value in row.items() if name not in known)
    return LogLine(_moment(row["timestamp"]), row["service"], row.get("severity_text", ""), row.get("msg", ""), details)


def _read_failed_spans(path: Path) -> list[LogLine]:
    if not path.exists():
        return []
    spans = json.loads(path.read_text(encoding="utf-8"))
    return [_failed_span(span) for span in spans if span.get("status") == "ERROR"]


def _read_parents(path: Path) -> list[tuple[str, str]]:
    """Caller and callee from spans and their parents."""
    if not path.exists():
        return []
    spans = json.loads(path.read_text(encoding="utf-8"))
    owner = {(span.get("trace_id"), span.get("span_id")): span["service"] for span in spans}
    found = [(owner.get((span.get("trace_id"), span.get("parent_id"))), span["service"]) for span in spans]
    return sorted({(caller, callee) for caller, callee in found if caller and caller != callee})


def _failed_span(span: dict[str, Any]) -> LogLine:
    known = {"trace_id", "span_id", "parent_id", "service", "start", "duration_ms", "status", "name", "error"}
    details = " ".join(f"{name}={value}" for name, value in span.items() if name not in known)
    return LogLine(
        _moment(span["start"]), span["service"], "ERROR", str(span.get("error", "")), f"{span['name']} {details}"
    )


def _read_changes(path: Path) -> tuple[Change, ...]:
    if not path.exists():
        return ()
    found = json.loads(path.read_text(encoding="utf-8"))
    releases = [_release(row) for row in found.get("changes", ())]
    deploys = {row["commit_sha"]: row for row in found.get("deploys", ())}
    commits = [_commit(row, deploys.get(row["sha"])) for row in found.get("commits", ())]
    known = {row["sha"] for row in found.get("commits", ())}
    bare = [_deploy(row) for sha, row in deploys.items() if sha not in known]
    flags = [_flag(row) for row in found.get("flags", ())]
    return (*releases, *commits, *bare, *flags)


def _release(row: dict[str, Any]) -> Change:
    steps = row.get("steps", ())
    return Change(
        key=row["service"],
        service=row["service"],
        at=float(row["release_time"]),
        kind="release",
        summary=f"{row['service']} released in {len(steps)} steps",
        new_pods=tuple(pod for step in steps for pod in step.get("release_pod", ())),
        old_pods=tuple(pod for step in steps for pod in step.get("delete_pod", ())),
    )


def _commit(row: dict[str, Any], deploy: dict[str, Any] | None) -> Change:
    return Change(
        key=row["sha"],
        service=deploy["service"] if deploy else "",
        at=_moment(deploy["timestamp"] if deploy else row["timestamp"]),
        kind="deploy" if deploy else "commit",
        summary=row.get("message", ""),
        files=tuple(row.get("files_changed", ())),
        diff=row.get("diff") or "",
        deployed=deploy is not None,
    )


def _deploy(row: dict[str, Any]) -> Change:
    return Change(row["commit_sha"], row["service"], _moment(row["timestamp"]), "deploy", row.get("version", ""))


def _flag(row: dict[str, Any]) -> Change:
    return Change(
        f"flag:{row['flag']}",
        row.get("service", ""),
        _moment(row["timestamp"]),
        "flag",
        f"{row['flag']} {row.get('change', '')}",
    )
