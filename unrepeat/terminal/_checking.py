"""Which guards a check runs, and running them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from unrepeat.prevention import declared
from unrepeat.prevention.kind import Outcome, Place, Recorded, Target, Tools, broken, checked, kind_of
from unrepeat.prevention.running.patrol import run_safely
from unrepeat.support import clock
from unrepeat.support.problems import Problem
from unrepeat.terminal._desk import Plain

SECONDS = 7200.0  # the longest that one guard may take on a runner; its own text says less


@dataclass(frozen=True, slots=True)
class Planned:
    """A guard that a check is about: its text here, and what the server knows of it (None: nothing, or no server)."""

    name: str
    kind: str
    service: str
    spec: Mapping[str, Any]
    digest: str
    block: declared.Block | None
    known: Plain | None

    @property
    def measures(self) -> list[Plain]:
        """The measures that it watches over: as the server knows them, else as the file names them."""
        if self.known is not None and self.known["measures"]:
            return list(self.known["measures"])
        refs = self.block.measures if self.block else ()
        return [{"ref": ref, "postmortem": 0, "headline": ""} for ref in refs]

    @property
    def proven(self) -> bool:
        """Whether the server has a proof of the text that is here."""
        return self.known is not None and self.known["proven"] and self.known["digest"] == self.digest


@dataclass(frozen=True, slots=True)
class Checked:
    """A guard that was run, or left to the server."""

    guard: Planned
    outcome: Outcome | None  # None: the server runs it
    result: Plain = field(default_factory=dict)  # as it is sent
    flaky: bool = False
    trouble: str = ""  # why the server did not take it
    inside: str = ""  # the checkout's folder in its repository

    @property
    def colour(self) -> str:
        """Its colour here; empty when the server runs it."""
        return self.outcome.colour if self.outcome else ""

    @property
    def place(self) -> Place:
        """Where an annotation belongs, from the repository's root: the line that failed, or the guard's own declaration."""
        found = self.outcome.place if self.outcome else None
        place = found or Place(declared.FILE, self.guard.block.line if self.guard.block else 1)
        return Place((PurePosixPath(self.inside) / place.path).as_posix(), place.line)

    @property
    def repeats(self) -> list[str]:
        """What would come back, one sentence a report or incident."""
        said = {}
        for one in self.guard.measures if self.colour == "red" else ():
            ref = str(one["ref"]).partition("/")[0]
            said[ref] = f"would repeat {ref}: {one['headline']}" if one["headline"] else f"would repeat {ref}"
        return list(said.values())


def plan(blocks: list[declared.Block], known: list[Plain]) -> list[Planned]:
    """The guards of the file and those of the server, by name. Where both have one, the file's text counts: it is what was changed."""
    by_name = {one["name"]: one for one in known}
    planned = [
        Planned(one.name, one.kind, one.service, one.spec, one.digest, one, by_name.get(one.name)) for one in blocks
    ]
    here = {one.name for one in blocks}
    planned += [
        Planned(one["name"], one["kind"], one["service"], one["spec"], one["digest"], None, one)
        for one in known
        if one["name"] not in here
    ]
    return sorted(planned, key=lambda one: one.name)


def runs_here(guard: Planned, recordings: Mapping[str, Recorded]) -> bool:
    """Whether a check runs it: what the server may not run, and backtests whose tool and recordings are here."""
    if not kind_of(guard.kind).SAFE:
        return True
    if guard.kind != "alert_backtest" or shutil.which("promtool") is None:
        return False
    needed = {guard.spec.get("recording"), *guard.spec.get("healthy", ())}
    return needed <= recordings.keys()


def run(guard: Planned, target: Target, recordings: Mapping[str, Recorded], seconds: float = SECONDS) -> Checked:
    """Run a guard on the checkout."""
    at = clock.now()
    try:
        spec = checked(guard.kind, guard.spec)
    except Problem as problem:
        outcome, took = broken(f"{problem.what} {problem.why}", problem.remedy), 0.0
    else:
        outcome, took = run_safely(guard.kind, spec, target, Tools(seconds, recordings))
    result = sent(outcome, target, at.isoformat(), took) | {"guard": guard.name, "digest": guard.digest}
    return Checked(guard, outcome, result)


def run_all(
    guards: list[Planned], target: Target, recordings: Mapping[str, Recorded], told: Callable[[str], None]
) -> list[Checked]:
    """Run those that are run here, one after the other, so that they do not disturb each other's figures."""
    done = []
    for guard in guards:
        if runs_here(guard, recordings):
            told(guard.name)
            done.append(run(guard, target, recordings))
        else:
            done.append(Checked(guard, None))
    return done


def answered(done: list[Checked], taken: Mapping[str, Plain]) -> list[Checked]:
    """The same with what the server said of them."""
    told = []
    for one in done:
        answer = taken.get(one.result.get("key", ""))
        if answer is not None:
            problem = answer.get("problem") or {}
            one = replace(one, flaky=bool(answer["flaky"]), trouble=str(problem.get("what", "")))  # noqa: PLW2901
        told.append(one)
    return told


def sent(outcome: Outcome, target: Target, at: str, seconds: float) -> Plain:
    """A run as the API takes it, under a key of its own."""
    return {
        "key": uuid.uuid4().hex,
        "colour": outcome.colour,
        "said": outcome.said[:1000],
        "remedy": outcome.remedy[:1000],
        "output": _plain(outcome.output)[-64 * 1024 :],
        "figures": {name: float(value) for name, value in outcome.figures.items() if isfinite(value)},
        "environment": {name: _plain(value)[:2000] for name, value in outcome.environment.items()},
        "at": at,
        "seconds": round(seconds, 3),
        "kind": target.kind,
        "target": target.words[:300],
        "ref": target.ref[:120],
    }


def recordings_in(folders: list[Path]) -> dict[str, Recorded]:
    """The recordings in these folders, by name."""
    found = {}
    for folder in folders:
        for manifest in sorted([*folder.glob("manifest.json"), *folder.glob("*/manifest.json")]):
            home = manifest.parent.resolve()
            found[home.name] = Recorded(home.name, home)
    return found


def _plain(text: str) -> str:
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()
