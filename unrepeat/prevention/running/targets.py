"""What a guard runs on, from the words in which people say it.

| words | means |
|---|---|
| `now` | as things are |
| `recording:NAME`, or the name of a recording; on a runner also its folder | a recorded outage, or a healthy stretch |
| `2024-08-12T15:15Z/2024-08-12T18:00Z` | a window of live data |
| `version:2.0` | a version: `{version}` in a command stands for it |
| `ref:COMMIT`, or any other word | a git ref; `unrepeat check` and `unrepeat guard prove` check it out |
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from unrepeat.prevention.kind import Recorded, Target
from unrepeat.support.problems import Invalid


def target_of(words: str, recordings: Mapping[str, Recorded], *, folders: bool = False) -> Target:
    """The target that these words mean; Invalid when they mean none.

    `folders`: they may name a folder of this machine. Only in a terminal: a server opens none that somebody names from afar.
    """
    said = words.strip()
    kind, _, rest = said.partition(":")
    if said in ("", "now"):
        return Target()
    if kind == "recording" or said in recordings:
        return _recording(rest if kind == "recording" else said, recordings)
    if "/" in said and (window := _window(said)):
        return Target("window", said, window=window)
    if kind == "version" and rest:
        return Target("version", rest, ref=rest, variables={"version": rest})
    if folders and (folder := _folder(said)) is not None:
        return Target("recording", folder.name, folder=folder)
    ref = rest if kind == "ref" and rest else said
    if ref.startswith("-") or any(c.isspace() or not c.isprintable() for c in ref):
        raise Invalid(
            f"“{said[:60]}” is nothing a guard can run on.", "It is no window, version, recording or ref.", ""
        )
    return Target("ref", ref, ref=ref)


def _folder(said: str) -> Path | None:
    """The folder of a recording that is named by its path; None when there is none."""
    try:
        return Path(said).resolve() if (Path(said) / "manifest.json").is_file() else None
    except (OSError, ValueError):
        return None  # too long to be a path, and the like


def _recording(name: str, recordings: Mapping[str, Recorded]) -> Target:
    found = recordings.get(name)
    if found is None:
        known = ", ".join(recordings) or "none yet; `unrepeat recording add` takes one in"
        raise Invalid(
            f"There is no recording “{name[:60]}”.", "The server has not been told of it.", f"Known: {known}."
        )
    return Target("recording", found.name, folder=found.folder)


def _window(words: str) -> tuple[datetime, datetime] | None:
    first, _, last = words.partition("/")
    try:
        start, end = datetime.fromisoformat(first.strip()), datetime.fromisoformat(last.strip())
    except ValueError:
        return None
    if start.tzinfo is None or end.tzinfo is None or start >= end:
        raise Invalid(
            "That window cannot be used.",
            "Both ends need a time zone, and the first must be before the second.",
            "Write it as 2024-08-12T15:15Z/2024-08-12T18:00Z.",
        )
    return start, end
