"""`unrepeat recording`: recorded outages and healthy stretches that guards are proven on."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from unrepeat.terminal._console import console

if TYPE_CHECKING:
    from unrepeat.prevention.models import Recording

app = App(name="recording", help="Recorded outages and healthy stretches that guards are proven on.")
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
Incident = Annotated[int | None, Parameter(help="The incident that it is the recording of.")]
Service = Annotated[str, Parameter(help="The service that it is about.")]
By = Annotated[str, Parameter(help="Who does it; default: the name you are signed in with on this machine.")]


@app.command
def add(
    folder: Path,
    *,
    name: Annotated[str, Parameter(help="How guards and people call it; default: as its manifest says.")] = "",
    incident: Incident = None,
    healthy: Annotated[bool, Parameter(negative="", help="Nothing was wrong in it: guards must be green.")] = False,
    service: Service = "",
    by: By = "",
) -> None:
    """Take the recording in FOLDER in. Every file is checked against the digest in its manifest."""
    from unrepeat.prevention import recordings

    kept = recordings.add(
        folder, by=by or getpass.getuser(), name=name, incident=incident, healthy=healthy or None, service=service
    )
    print(f"The recording {kept.name} is known now: {_what(kept)}.")


@app.command(name="list")
def list_recordings(*, as_json: AsJson = False) -> None:
    """List the recordings that the server knows."""
    from unrepeat.prevention import store

    rows = store.recordings()
    if as_json:
        print(json.dumps([_row(row) for row in rows], ensure_ascii=False, default=str))
        return
    if not rows:
        print("No recording yet: `unrepeat recording add FOLDER` takes one in.")
        return
    table = Table("name", "what", "service", "folder", "taken in (UTC)")
    for row in rows:
        table.add_row(row.name, _what(row), row.service, row.folder, f"{row.added_at:%Y-%m-%d %H:%M}")
    console().print(table)


@app.command
def show(name: str, *, as_json: AsJson = False) -> None:
    """Show what a recording holds, and whether it is still whole."""
    from unrepeat.prevention import recordings
    from unrepeat.prevention.backtest.harmed import moments
    from unrepeat.prevention.backtest.recorded import check_whole

    row, found = recordings.known(name), recordings.folder_of(name)
    changed = check_whole(found) != row.digest
    known = moments(found)
    told = {"harm": known.harm, "detected": known.detected, "alert": known.alert}
    first, last = found.window
    if as_json:
        more = {"window": [first, last], "moments": told, "manifest_changed": changed, "stretch": found.stretch}
        print(json.dumps({**_row(row), **more}, ensure_ascii=False, default=str))
        return
    print(f"{name}: {found.manifest.get('title', name)} ({_what(row)})")
    print(f"in {row.folder}, SHA-256 of its manifest {row.digest}")
    print(f"from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC")
    for words, at in (
        ("first users hurt", known.harm),
        ("people knew", known.detected),
        ("alert of then", known.alert),
    ):
        print(f"{words}: {f'{at:%H:%M} UTC' if at else 'not told'}")
    if found.stretch != 1:
        print(f"Its clock is stretched {found.stretch:g}-fold: {(found.manifest['stretch'] or {}).get('says', '')}")
    print("Its manifest has changed since it was taken in: add it again." if changed else "All its files are whole.")


@app.command
def cut(
    name: str,
    *,
    first: Annotated[str, Parameter(name="--from", help="Its beginning: 2024-08-12T13:46Z, or a moment's name.")],
    last: Annotated[str, Parameter(name="--to", help="Its end, likewise.")],
    new: Annotated[str, Parameter(name="--as", help="The new recording's name.")],
    failure: Annotated[
        bool, Parameter(negative="", help="The stretch is of a failure; otherwise it is healthy.")
    ] = False,
    into: Annotated[
        Path | None, Parameter(help="The folder to make it in; default: recordings in the data folder.")
    ] = None,
    by: By = "",
) -> None:
    """Make a recording of a stretch of another one, and take it in. The moments' names are those of its manifest."""
    from unrepeat.prevention import recordings

    source, row = recordings.folder_of(name), recordings.known(name)
    begins, ends = recordings.moment_in(source, first), recordings.moment_in(source, last)
    folder = recordings.cut(source, new, begins, ends, healthy=not failure, into=into)
    kept = recordings.add(folder, by=by or getpass.getuser(), service=row.service)
    print(f"The recording {kept.name} is known now: {_what(kept)}, in {kept.folder}.")


def _what(row: Recording) -> str:
    if row.healthy:
        return "healthy"
    return f"incident {row.incident_id}" if row.incident_id else "a failure"


def _row(row: Recording) -> dict[str, Any]:
    return {
        "name": row.name,
        "folder": row.folder,
        "digest": row.digest,
        "healthy": row.healthy,
        "incident": row.incident_id,
        "service": row.service,
        "added_by": row.added_by,
        "added_at": row.added_at,
    }
