"""Results that wait for the server: written before they are sent, taken away when the server has them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unrepeat.support.http import Unreachable
from unrepeat.support.problems import Problem
from unrepeat.terminal._desk import Desk, Plain

AT_ONCE = 50  # results in one request
KNOWN = "known.json"
MOST = 700_000  # bytes of results in one request; the API takes a mebibyte


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending came to: what became of the results by their key, how many still wait, and why."""

    taken: dict[str, Plain]
    waiting: int
    why: Problem | None = None


class Outbox:
    """A folder of JSON files, one a check."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, service: str, results: list[Plain]) -> None:
        """Keep results until the server has them."""
        if not results:
            return
        _make(self.folder.parent)
        self.folder.mkdir(exist_ok=True)
        for few in _portions(results):
            name = f"{few[0]['at'].replace(':', '')}-{uuid.uuid4().hex[:8]}"
            partial = self.folder / f"{name}.partial"
            partial.write_text(json.dumps({"service": service, "results": few}))
            partial.replace(self.folder / f"{name}.json")

    def waiting(self) -> list[Path]:
        """What waits, oldest first."""
        return sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []

    def send(self, desk: Desk) -> Sent:
        """Send all that waits. What the server cannot read is put aside as `.refused`; the rest waits when it refuses or is away."""
        taken: dict[str, Plain] = {}
        why: Problem | None = None
        for file in self.waiting():
            try:
                service, results = _read(file)
            except FileNotFoundError:
                continue  # another check of this checkout has sent it meanwhile
            if not results:
                file.replace(file.with_suffix(".refused"))
                continue
            try:
                answers = desk.report(service, results)
            except Unreachable as problem:
                why = problem
                break
            except Problem as problem:
                why = problem
                if problem.status in (400, 413, 422):
                    file.replace(file.with_suffix(".refused"))
                continue
            taken |= {sent["key"]: answer for sent, answer in zip(results, answers, strict=False)}
            file.unlink(missing_ok=True)
        return Sent(taken, len(self.waiting()), why)


def keep_known(home: Path, guards: list[Plain]) -> None:
    """Keep what the server knows, for a check that cannot reach it: its guards' texts, and the headlines of their reports."""
    _make(home)
    partial = home / "known.partial"
    partial.write_text(json.dumps(guards))
    partial.replace(home / KNOWN)


def known(home: Path) -> list[Plain]:
    """What the server knew the last time; nothing when there was none."""
    try:
        kept = json.loads((home / KNOWN).read_text())
    except (OSError, ValueError):
        return []
    return [one for one in kept if isinstance(one, dict) and "service" in one] if isinstance(kept, list) else []


def _make(home: Path) -> None:
    """The folder for what a checkout must not contain."""
    home.mkdir(parents=True, exist_ok=True)
    ignored = home / ".gitignore"
    if home.name == ".unrepeat" and not ignored.exists():
        ignored.write_text("*\n")


def _read(file: Path) -> tuple[str, list[dict[str, Any]]]:
    try:
        kept = json.loads(file.read_text())
        return str(kept["service"]), list(kept["results"])
    except (ValueError, KeyError, TypeError):
        return "", []


def _portions(results: list[Plain]) -> Iterator[list[Plain]]:
    """The results in portions that one request may carry."""
    few: list[Plain] = []
    size = 0
    for one in results:
        more = len(json.dumps(one))
        if few and (len(few) == AT_ONCE or size + more > MOST):
            yield few
            few, size = [], 0
        few.append(one)
        size += more
    yield few
