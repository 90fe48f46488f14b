"""What a runner found is part of a recording: a trial that needs the releases themselves cannot be made again from metrics.

A line of `results.jsonl` is what the runner sent to the server, with its moments moved to the story's; when it was really made stands
in the environment of both runs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FILE = "results.jsonl"
AT, BY = "2024-08-15T13:10:00.000Z", "Dana"
"""After the guard was declared, and before its measures are finished (`afterwards.py`)."""

SENT = ("colour", "said", "remedy", "output", "figures", "seconds", "target", "ref")


def keep(folder: Path, guard: str, ask: Callable[[str], dict[str, Any]]) -> None:
    """Write a guard's newest trial into a recording, and the file's digest into the manifest; `ask` gets a path of the API."""
    trial = ask(f"/guards/{guard}/proofs")["items"][0]
    runs = {side: ask(f"/guards/{guard}/runs/{trial[side]['number']}") for side in ("failure", "fix")}
    body = {"digest": trial["guard_digest"], **{side: _sent(run, side) for side, run in runs.items()}}
    line = json.dumps({"at": AT, "by": BY, "guard": guard, "body": body}, ensure_ascii=False)
    (folder / FILE).write_text(f"{line}\n")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][FILE] = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def _sent(run: Mapping[str, Any], side: str) -> dict[str, Any]:
    kept = {name: run[name] for name in SENT if run.get(name) not in (None, "")}
    return {
        **kept,
        "key": f"recorded-{side}",
        "kind": "ref",
        "at": AT,
        "environment": {**run.get("environment", {}), "made_at": str(run["at"])},
    }
