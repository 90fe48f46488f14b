"""Loads a folder of labelled failure cases. The ranking never sees a label: `Case.tables` is built from the data files and the alert time alone."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import _rca_files as files
from unrepeat.investigation.lenses import Tables, describe

UNKNOWN = "unknown"  # the dataset of a label that names none


@dataclass(frozen=True, slots=True)
class Truth:
    """What the label says is guilty; for scoring only. Empty: nobody says, so that it is not asked."""

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


def load(folder: Path, name: str = "") -> Case:
    """One case. Raises OSError or ValueError for a folder that is none."""
    label = json.loads((folder / "label.json").read_text(encoding="utf-8"))
    if not isinstance(label, dict):
        raise ValueError("its label.json is no label")  # noqa: TRY004 (it is the file that is wrong)
    return Case(name or folder.name, read_tables(folder, alert_time(label)), _truth(label))


def load_all(root: Path) -> tuple[list[Case], dict[str, str]]:
    """All cases below `root` that can be read, by name, and why the others cannot."""
    cases, odd = [], {}
    for folder in case_folders(root):
        name = folder.relative_to(root).as_posix()
        try:
            cases.append(load(folder, name))
        except Exception as error:  # noqa: BLE001 - whatever is odd about one case, the others are ranked
            odd[name] = f"{type(error).__name__}: {error}"[:200]
    return cases, odd


def case_folders(root: Path) -> list[Path]:
    """Folders below `root`, at any depth, that hold a case, by name."""
    return sorted(path.parent for path in root.rglob("label.json") if path.parent != root)


def alert_time(label: dict[str, Any]) -> float:
    """The alert's time where there was an alert, otherwise the injection's: the only field of a label that the ranking gets."""
    known = (files.moment(label.get(name)) for name in ("alert_time", "inject_time"))
    found = next((at for at in known if math.isfinite(at)), None)
    if found is None:
        raise ValueError("its label has neither an alert_time nor an inject_time")
    return found


def read_tables(folder: Path, alert: float) -> Tables:
    """All that the data files of a case say. Files that are absent are absent."""
    columns, times, values = files.read_metrics(folder)
    edges = (*files.read_edges(folder), *files.read_parents(folder))
    known = {name for edge in edges for name in edge}
    return Tables(
        alert=alert,
        times=times,
        values=values,
        series=describe([_named(column, known) for column in columns], values),
        edges=edges,
        spans=files.read_spans(folder, alert),
        calls=files.read_calls(folder, alert),
        log_counts=files.read_log_counts(folder, alert),
        log_lines=tuple(files.read_log_lines(folder)),
        changes=files.read_changes(folder),
    )


def _truth(label: dict[str, Any]) -> Truth:
    return Truth(
        _said(label.get("dataset")) or UNKNOWN,
        _said(label.get("fault")),
        _said(label.get("root_cause_service")),
        _said(label.get("root_cause_metric")),
        _said(label.get("root_cause_commit")) or _said(label.get("root_cause_change")),
        tuple(_said(one) for one in label.get("decoy_commits") or ()),
    )


def _said(value: Any) -> str:
    """The text of a field; of a list the first, nothing for nothing."""
    if isinstance(value, list):
        value = value[0] if value else None
    return "" if value is None else str(value)


_POD = re.compile(r"^(?P<service>.+?)(?:-(?:v\d+|[0-9a-f]{8,10}))+-[a-z0-9]{5}$")


def _named(column: str, known: Iterable[str] = ()) -> tuple[str, str, str]:
    """(column, service, indicator): `service|indicator`, `pod|indicator@caller->callee` or `service_indicator`, the service as the call graph has it."""
    owner, bar, indicator = column.partition("|")
    if not bar:
        owner = max((name for name in known if column.startswith(f"{name}_")), key=len, default="")
        owner = owner or column.partition("_")[0]
        return column, owner, column[len(owner) + 1 :]
    pod = _POD.match(owner)
    return column, pod["service"] if pod else owner, indicator
