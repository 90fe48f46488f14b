"""A recording's folder as a guard reads it: whole or not, its moments, its series. Times are UTC.

What cannot be read raises Unreadable, which becomes a run that is `broken`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from unrepeat.support.problems import Problem

METRICS = "metrics.parquet"
MANIFEST = "manifest.json"
MOST_SAMPLES = 1_000_000  # of the series that a rule asks for: what promtool takes in reasonable time and memory
AGAIN = "Fetch or record it again, then `unrepeat recording add` it."


class Unreadable(Problem):
    """A recording cannot be used: it has gone, was cut short or changed. Fetch or record it again."""

    def __init__(self, what: str, why: str, remedy: str = AGAIN) -> None:
        super().__init__(what, why, remedy, status=409)


@dataclass(frozen=True, slots=True)
class Moments:
    """What happened when in a recorded outage; None where the recording does not tell. A healthy stretch has none of them."""

    harm: datetime | None = None  # the first users are hurt
    detected: datetime | None = None  # people know
    alert: datetime | None = None  # the first alert of then fires


@dataclass(frozen=True, slots=True)
class Folder:
    """A recording whose manifest could be read."""

    name: str
    path: Path
    manifest: Mapping[str, Any] = field(repr=False)

    @property
    def healthy(self) -> bool:
        """Whether its manifest says that nothing was wrong in it."""
        return self.manifest.get("healthy") is True

    @property
    def stretch(self) -> float:
        """How many seconds of its clock one real second is; 1 for most."""
        factor = (self.manifest.get("stretch") or {}).get("factor", 1)
        return float(factor) if isinstance(factor, int | float) and factor > 0 else 1.0

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From when to when it was recorded; Unreadable when its manifest does not tell."""
        window = self.manifest.get("window") or {}
        first, last = moment(window.get("from")), moment(window.get("to"))
        if first is None or last is None or first >= last:
            raise Unreadable(
                f"The recording {self.name} does not say from when to when it is.", "Its manifest has no window."
            )
        return first, last


@dataclass(frozen=True, slots=True)
class Sampled:
    """Series with their samples (Unix seconds, value), in order of time, and the seconds between two samples."""

    series: Mapping[tuple[str, str], Sequence[tuple[float, float]]]  # by metric name and labels (JSON text)
    spacing: float
    first: float
    last: float

    def slot(self, at: float) -> int:
        """Which slot of `spacing` seconds a moment falls into; the first is 0."""
        return round((at - self.first) / self.spacing)


def open_folder(path: Path, name: str = "") -> Folder:
    """Read a recording's manifest."""
    name = name or path.name
    if not path.is_dir():
        raise Unreadable(
            f"The recording {name} has gone.",
            "Its folder is not on this machine any more.",
            "Bring the folder back, or `unrepeat recording add` it from where it is now.",
        )
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Unreadable(f"{name} is no recording.", f"Its {MANIFEST} cannot be read: {error}.") from error
    if not isinstance(manifest, dict):
        raise Unreadable(f"{name} is no recording.", f"Its {MANIFEST} is no table of names and values.")
    return Folder(name, path, manifest)


def check_file(recording: Folder, file: str) -> Path:
    """The path of one of its files, once its digest is found to be the manifest's."""
    told = (recording.manifest.get("files") or {}).get(file)
    path = recording.path / file
    if told is None or not path.is_file():
        raise Unreadable(
            f"The recording {recording.name} has no {file}.", "It is not in its folder, or not in its manifest."
        )
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != told:
        raise Unreadable(
            f"The recording {recording.name} is not whole.",
            f"Its {file} was cut short or changed: its SHA-256 is not the one in the manifest.",
        )
    return path


def check_whole(recording: Folder) -> str:
    """Check every file of the manifest against its digest; the manifest's own digest."""
    files = recording.manifest.get("files")
    if not isinstance(files, dict) or not files:
        raise Unreadable(f"The recording {recording.name} lists no files.", f"Its {MANIFEST} has no digests to check.")
    for file in files:
        if Path(file).name != file:
            raise Unreadable(
                f"The recording {recording.name} is not well made.", f"It names a file outside itself: {file}."
            )
        check_file(recording, file)
    return hashlib.sha256((recording.path / MANIFEST).read_bytes()).hexdigest()


def moments(recording: Folder) -> Moments:
    """What its manifest and its deliveries tell of the outage."""
    told = recording.manifest.get("moments") or {}
    if recording.healthy or not isinstance(told, dict):
        return Moments()
    alert = moment(told.get("alert"))
    return Moments(moment(told.get("harm")), moment(told.get("detected")) or alert, alert)


def samples(recording: Folder, names: frozenset[str] | None) -> Sampled:
    """Its series of these metric names, all when None; never the alerts of then, which are not what a rule may look at."""
    import duckdb

    path = str(check_file(recording, METRICS))
    wanted = sorted(names) if names is not None else None
    asked = [path, wanted, wanted]
    among = "read_parquet(?) where name not in ('ALERTS', 'ALERTS_FOR_STATE') and (? is null or list_contains(?, name))"
    order = 'order by "at"'
    each = f'select name, labels, list(epoch("at") {order}), list(value {order}) from {among} group by all order by all'  # noqa: S608
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            connection.execute("set enable_progress_bar = false")
            spacing, first, last = _axis(connection, path)
            (number,) = connection.execute(f"select count(*) from {among}", asked).fetchone() or (0,)  # noqa: S608
            _needs_bound(recording, number)
            rows = connection.execute(each, asked).fetchall()
    except duckdb.Error as error:
        raise Unreadable(
            f"The metrics of the recording {recording.name} cannot be read.",
            f"{type(error).__name__}: {str(error)[:200]}",
        ) from error
    series = {(name, labels): list(zip(times, values, strict=True)) for name, labels, times, values in rows}
    return Sampled(series, spacing, first, last)


def clock_of(recording: Folder) -> tuple[float, float, float]:
    """The usual seconds between two samples of one of its series, and the Unix seconds of its first and last sample."""
    path = check_file(recording, METRICS)
    return _axis_of(str(path), recording.manifest["files"][METRICS])


@lru_cache(maxsize=256)
def _axis_of(path: str, digest: str) -> tuple[float, float, float]:
    import duckdb

    del digest  # with it, a recording that was made again is looked at again
    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            return _axis(connection, path)
    except duckdb.Error as error:
        raise Unreadable(
            f"The metrics of the recording {Path(path).parent.name} cannot be read.",
            f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def _needs_bound(recording: Folder, number: int) -> None:
    if number > MOST_SAMPLES:
        raise Unreadable(
            f"The recording {recording.name} has too many samples for this rule.",
            f"It asks for {number:,}; promtool is given at most {MOST_SAMPLES:,}.",
            "Let the rule name its metrics, or cut a shorter recording.",
        )


def _axis(connection: Any, path: str) -> tuple[float, float, float]:
    """The usual seconds between two samples of one series (at least 1), and the first and last moment."""
    query = """
        with series as (
            select count(*) as samples, min(epoch("at")) as first, max(epoch("at")) as last
            from read_parquet(?) group by name, labels
        )
        select median((last - first) / (samples - 1)) filter (samples > 1 and last > first), min(first), max(last) from series
    """
    spacing, first, last = connection.execute(query, [path]).fetchone()
    if first is None:
        raise Unreadable(f"{Path(path).parent.name} is empty.", "Its metrics have no sample.")
    return max(1.0, float(round(spacing or 60))), float(first), float(last)


def moment(text: object) -> datetime | None:
    """A moment as a manifest writes it; None when it is none. Without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
