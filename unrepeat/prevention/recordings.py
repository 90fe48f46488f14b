"""The recordings that the server knows: taken in when they are whole, and cut into healthy stretches that guards are proven on."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from unrepeat.incidents import checks
from unrepeat.incidents import queries as incidents
from unrepeat.prevention import store
from unrepeat.prevention.backtest.recorded import (
    MANIFEST,
    METRICS,
    Folder,
    Unreadable,
    check_file,
    check_whole,
    moment,
    open_folder,
)
from unrepeat.prevention.coverage import night
from unrepeat.prevention.models import Recording
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, Invalid, NotFound

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}"
TABLES = (METRICS, "requests.parquet")
LINES = ("deliveries.jsonl", "acts.jsonl")


def add(
    folder: Path,
    *,
    by: str,
    name: str = "",
    incident: int | None = None,
    healthy: bool | None = None,
    service: str = "",
) -> Recording:
    """Take a recording in, or bring what is known of it up to date; every file is checked against the manifest's digest.

    `healthy`: whether guards must be green in it; as its manifest says when None. `incident`: of which it is the recording.
    """
    by = checks.text("author", by, checks.NAME)
    found = open_folder(folder.expanduser().resolve())
    digest = check_whole(found)
    name = _name(name or str(found.manifest.get("name") or found.path.name))
    if incident is not None:
        incidents.state_of(incident)  # NotFound when there is none
    calm = found.healthy if healthy is None else healthy
    if calm and incident is not None:
        raise Invalid(
            "A healthy recording belongs to no incident.",
            "Nothing was wrong in it.",
            "Leave out the incident, or --healthy.",
        )
    with transaction.atomic():
        before = store.recording(name)
        if before is not None and before.digest != digest and Path(before.folder) != found.path:
            raise Conflict(
                f"There is another recording of the name {name}.",
                f"It lies in {before.folder} and holds something else.",
                "Give this one another name with --name.",
            )
        night.stand()
        return store.keep_recording(
            name,
            folder=str(found.path),
            digest=digest,
            healthy=calm,
            incident_id=incident if incident is not None or before is None else before.incident_id,
            service=checks.optional("service", service, checks.NAME) or (before.service if before else ""),
            added_by=by,
            added_at=clock.now(),
        )


def known(name: str) -> Recording:
    """A recording by its name; NotFound."""
    found = store.recording(name)
    if found is None:
        raise NotFound(
            f"There is no recording “{name[:60]}”.", remedy="`unrepeat recording list` shows the ones there are."
        )
    return found


def folder_of(name: str) -> Folder:
    """The folder of a recording that is known by name, its manifest read."""
    return open_folder(Path(known(name).folder), name)


def cut(source: Folder, name: str, first: datetime, last: datetime, *, healthy: bool, into: Path | None = None) -> Path:
    """Make a recording of a stretch of another one, in a folder of its own below `into`; the folder.

    Its manifest says where it was cut from. A healthy stretch keeps the numbers, and nothing of what people or alerts did.
    """
    check_whole(source)
    start, end = source.window
    if not start <= first < last <= end + timedelta(minutes=1):
        raise Invalid(
            f"That is no stretch of {source.name}.",
            f"It was recorded from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC.",
            "Give a beginning and an end inside it.",
        )
    folder = (into or config().data_dir / "recordings").resolve() / _name(name)
    if folder.exists():
        raise Conflict(f"{folder} is there already.", "Nothing is overwritten.", "Choose another name, or remove it.")
    making = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    try:
        _fill(source, making, first, last, healthy=healthy)
        files = {one.name: _digest(one) for one in sorted(making.iterdir())}
        manifest = _manifest(source, name, first, last, files, healthy=healthy)
        (making / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def moment_in(source: Folder, words: str) -> datetime:
    """A moment as people give it: with date, time and zone, or the name of one of the recording's moments."""
    at = moment((source.manifest.get("moments") or {}).get(words)) or moment(words)
    if at is None:
        names = ", ".join(source.manifest.get("moments") or {}) or "none"
        raise Invalid(
            f"“{words[:40]}” is no moment of {source.name}.",
            f"Its named moments are: {names}.",
            "Name one of them, or write it as 2024-08-12T13:46Z.",
        )
    return at


def _fill(source: Folder, folder: Path, first: datetime, last: datetime, *, healthy: bool) -> None:
    for table in TABLES:
        if table in source.manifest["files"]:
            _cut_table(check_file(source, table), folder / table, first, last)
    if (source.path / "catalogue.toml").is_file() and "catalogue.toml" in source.manifest["files"]:
        shutil.copyfile(source.path / "catalogue.toml", folder / "catalogue.toml")
    for lines in LINES if not healthy else ():
        if lines in source.manifest["files"]:
            kept = _cut_lines((source.path / lines).read_text(encoding="utf-8").splitlines(), first, last)
            (folder / lines).write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _cut_table(table: Path, into: Path, first: datetime, last: datetime) -> None:
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("set enable_progress_bar = false")
        rows = f'select * from read_parquet({_quoted(table)}) where epoch("at") between {first.timestamp()!r} and {last.timestamp()!r}'  # noqa: S608
        try:
            connection.execute(f"copy ({rows}) to {_quoted(into)} (format parquet, compression zstd)")
        except duckdb.Error as error:
            raise Unreadable(f"{table.name} cannot be cut.", f"{type(error).__name__}: {str(error)[:200]}") from error


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _cut_lines(lines: Iterable[str], first: datetime, last: datetime) -> list[str]:
    told = [(line, moment(json.loads(line).get("at"))) for line in lines if line.strip()]
    return [line for line, at in told if at is not None and first <= at <= last]


def _manifest(
    source: Folder, name: str, first: datetime, last: datetime, files: dict[str, str], *, healthy: bool
) -> dict[str, Any]:
    told = source.manifest
    kept = {key: told[key] for key in ("format", "time_zone", "stretch", "versions", "units") if key in told}
    known_moments = {
        key: at for key, at in (told.get("moments") or {}).items() if (when := moment(at)) and first <= when <= last
    }
    return {
        **kept,
        "name": name,
        "title": f"{told.get('title', source.name)}: {'a healthy stretch' if healthy else 'a stretch'}",
        "made_at": clock.now().isoformat(),
        "healthy": healthy,
        "cut_from": {"name": source.name, "manifest": _digest(source.path / MANIFEST)},
        "window": {"from": first.isoformat(), "to": last.isoformat()},
        "moments": {} if healthy else known_moments,
        "files": files,
    }


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        raise Invalid(
            f"“{checks.shortened(name, 40)}” is no name of a recording.",
            "Guards and people call it by its name.",
            "Use letters, digits, dots and dashes, for example 2024-08-12-healthy.",
        )
    return name
