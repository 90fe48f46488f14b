"""`unrepeat replay`: a recorded outage goes through the real intake and the real worker, on a simulated clock."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from unrepeat.support.problems import Problem

app = App(name="replay", help="Send a recorded outage through the real intake and worker, on a simulated clock.")


@app.default
def replay(
    folder: Path,
    *,
    out: Annotated[Path | None, Parameter(help="Folder for the reports that come out, as HTML and Markdown.")] = None,
    fresh: Annotated[
        Path | None, Parameter(help="A new SQLite database for this replay; one that is there is replaced.")
    ] = None,
) -> None:
    """Replay FOLDER into the configured database, or into a FRESH one, and write the reports that come of it."""
    os.environ["UNREPEAT_MAIL_URL"] = ""  # nobody is mailed about what happened in a recording
    if fresh is not None:
        _use_fresh_database(fresh)
    from unrepeat.support import clock
    from unrepeat.support.config import config
    from unrepeat.terminal import _replaying as replaying

    config.cache_clear()
    console = Console()
    recording = replaying.Recording.open(folder)
    began = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(recording.title, total=len(recording.happenings))
        outcome = replaying.run(
            recording,
            each=lambda said: progress.update(task, advance=1, description=said),
            keep_in=(fresh.parent if fresh is not None else config().data_dir) / "recordings",
        )
    if not outcome.incidents:
        raise Problem(
            "The replay opened no incident.",
            "None of the recorded alerts asks for one.",
            "Look at `unrepeat delivery list --unreadable`, and at the severity labels of the recorded alerts.",
        )
    console.print(f"Replayed {len(recording.happenings)} happenings in {time.monotonic() - began:.1f} s.")
    with clock.using(
        clock.SimulatedClock(outcome.ended or clock.now())
    ):  # what is told is as of the end of the recording
        for number in outcome.incidents:
            replaying.tell(console, number, out)
    if fresh is not None:
        console.print("\nTo look at the pages, type:")
        console.print(
            f"  DATABASE_URL=sqlite:///{fresh} UNREPEAT_OPEN_READING=true .venv/bin/unrepeat serve", soft_wrap=True
        )


def _use_fresh_database(path: Path) -> None:
    """Point this process at a new SQLite file; called before anything has connected."""
    from django.core.management import call_command
    from django.db import connections

    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal", "-shm", ".lock"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.environ["DATABASE_URL"] = f"sqlite:///{path}"
    connections.close_all()
    settings = connections["default"].settings_dict
    if settings["ENGINE"] != "unrepeat.support.sqlite":
        raise Problem(
            "A fresh database for the replay is SQLite only.",
            "DATABASE_URL names another kind of database.",
            "Leave --fresh out to replay into the configured database, or unset DATABASE_URL.",
        )
    settings["NAME"] = str(path)
    call_command("migrate", verbosity=0)
