"""Numbers from a recording's `metrics.parquet`: columns at (UTC), name, labels (JSON text), value. Bounded at the present of the
clock, so that a replay cannot see its future.

It answers plain selectors, `name{label="value", other!="x", third=~"a|b"}`, also without the name, and nothing that computes.
"""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from unrepeat.investigation.telemetry import Point, Series, Unanswered
from unrepeat.support import clock

Matchers = list[tuple[str, str, str]]
"""Label, how it is compared, value."""

LOOK_BACK = 90.0  # seconds for which a sample stands, at least
_SELECTOR = re.compile(r"\s*(?:([a-zA-Z_:][\w:]*)\s*)?(?:\{(.*)\})?\s*", re.DOTALL)
_MATCHER = re.compile(r'\s*([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_TEST: dict[str, Callable[[str, str], bool]] = {
    "=": lambda has, wanted: has == wanted,
    "!=": lambda has, wanted: has != wanted,
    "=~": lambda has, wanted: re.fullmatch(wanted, has) is not None,
    "!~": lambda has, wanted: re.fullmatch(wanted, has) is None,
}


class RecordedMetrics:
    """The metrics of a recording, by its folder."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "metrics.parquet"
        self._name = folder.name
        self._note = _note(folder / "manifest.json")

    @property
    def source(self) -> str:
        """The recording's name, and what its manifest says about its time axis."""
        return f"Recording {self._name}{f' ({self._note})' if self._note else ''}"

    def query_range(self, query: str, start: datetime, end: datetime, step: float) -> list[Series]:
        """See `Telemetry`. Nothing later than the clock's present is given."""
        name, matchers = parsed(query)
        end = min(end, clock.now())
        look_back = max(step, LOOK_BACK)
        first, last = start.timestamp(), end.timestamp()
        chosen = []
        with self._connected() as connection:
            labels = self._matching(connection, name, matchers)
            found: dict[tuple[str, str], list[Point]] = {}
            for metric, text, at, value in self._rows(connection, labels, first - look_back, last):
                found.setdefault((metric, text), []).append((at, value))
        for key, samples in sorted(found.items()):
            points = _stepped(samples, first, last, step, look_back)
            if points:
                chosen.append(Series(labels[key], points))
        return chosen

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        import duckdb

        if not self._file.is_file():
            raise Unanswered(f"the recording {self._name} has no metrics")
        try:
            with duckdb.connect(config={"threads": 1}) as connection:
                yield connection
        except duckdb.Error as error:
            raise Unanswered(
                f"the metrics of the recording {self._name} cannot be read ({type(error).__name__})"
            ) from error

    def _matching(self, connection: Any, name: str, matchers: Matchers) -> dict[tuple[str, str], dict[str, str]]:
        """The labels of the series that a selector means, by name and label text."""
        query = "select distinct name, labels from read_parquet(?) where name = ? or ? = ''"
        rows = connection.execute(query, [str(self._file), name, name]).fetchall()
        known = {(metric, text): {**_labels(text), "__name__": metric} for metric, text in rows}
        return {
            key: labels
            for key, labels in known.items()
            if all(_TEST[how](labels.get(label, ""), wanted) for label, how, wanted in matchers)
        }

    def _rows(
        self, connection: Any, wanted: dict[tuple[str, str], dict[str, str]], first: float, last: float
    ) -> list[tuple[str, str, float, float]]:
        if not wanted:
            return []
        names, texts = (list({key[place] for key in wanted}) for place in (0, 1))
        query = (
            'select name, labels, epoch("at") as t, value from read_parquet(?) where list_contains(?, name) '
            "and list_contains(?, labels) and t between ? and ? and isfinite(value) order by name, labels, t"
        )
        rows = connection.execute(query, [str(self._file), names, texts, first, last]).fetchall()
        return [row for row in rows if (row[0], row[1]) in wanted]


def parsed(query: str) -> tuple[str, Matchers]:
    """A selector as its name (may be empty) and its matchers (label, how, value); raises Unanswered for anything else."""
    whole = _SELECTOR.fullmatch(query)
    if whole is None or not (whole[1] or whole[2]):
        raise Unanswered(f"a recording answers plain selectors only, not {query[:100]!r}")
    matchers, text, place = [], whole[2] or "", 0
    while place < len(text):
        found = _MATCHER.match(text, place)
        if found is None:
            raise Unanswered(f"a recording answers plain selectors only, not {query[:100]!r}")
        matchers.append((found[1], found[2], re.sub(r"\\(.)", r"\1", found[3])))
        place = found.end()
    return whole[1] or "", matchers


def _stepped(samples: list[Point], first: float, last: float, step: float, look_back: float) -> tuple[Point, ...]:
    """At each step the newest sample, when it is not older than `look_back`."""
    times = [at for at, _ in samples]
    points = []
    for i in range(int((last - first) // step + 1e-9) + 1):
        at = first + i * step
        place = bisect.bisect_right(times, at) - 1
        if place >= 0 and at - times[place] < look_back:
            points.append((at, samples[place][1]))
    return tuple(points)


def _labels(text: str) -> dict[str, str]:
    try:
        labels = json.loads(text)
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {}


def _note(manifest: Path) -> str:
    """What a manifest says about how its time axis was stretched (`stretch.says`, else `note`); empty when it says nothing."""
    try:
        told: Any = json.loads(manifest.read_text())
        stretch = told.get("stretch") or {}
        factor = stretch.get("factor")
        axis = f"time axis stretched {factor:g}-fold. " if isinstance(factor, int | float) and factor != 1 else ""
        said = stretch.get("says") or told.get("note") or ""
    except (OSError, ValueError, AttributeError):
        return ""
    return f"{axis}{said}".strip().rstrip(".")
