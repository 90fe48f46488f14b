"""Runs a guard on the failure and on the fix, here or by the server."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from unrepeat.prevention.kind import Recorded, Target, Tools, checked, kind_of
from unrepeat.prevention.running.patrol import known_recordings, run_safely
from unrepeat.prevention.running.targets import target_of
from unrepeat.support import clock
from unrepeat.support.problems import Invalid, NotFound, Problem
from unrepeat.terminal import _checking as checking
from unrepeat.terminal import _git as git
from unrepeat.terminal._desk import Desk, Local, Plain, Remote
from unrepeat.terminal.check import read_blocks

THERE = 900.0  # seconds for which a run by the server is waited for
LOOK_EVERY = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Trial:
    """What is asked: the two sides in words, the checkout, files to bring into both, and what placeholders stand for."""

    failure: str
    fix: str
    repo: Path
    bring: tuple[Path, ...]
    variables: Mapping[str, str]


def planned(asked: Desk, name: str, repo: Path) -> checking.Planned:
    """The guard: its text in the checkout's unrepeat.toml, else the one that the server (or database) has; NotFound."""
    blocks = [block for block in read_blocks(repo) if block.name == name] if repo.is_dir() else []
    try:
        known = [asked.guard(name)]
    except Problem as problem:
        if problem.status != 404 or not blocks:
            raise
        known = []
    return checking.plan(blocks, known)[0]


def prove(asked: Desk, name: str, trial: Trial, folders: list[Path] | None) -> Plain:
    """Try the guard on both sides and keep the trial; the proof, as the API has it."""
    guard = planned(asked, name, trial.repo)
    if guard.known is None:
        raise NotFound(
            f"{asked.where} knows no guard {name}.",
            "A proof is kept with its guard.",
            "Declare it first: `unrepeat guard declare --file unrepeat.toml`.",
        )
    if guard.known["digest"] != guard.digest:
        raise Invalid(
            f"The text of {name} is another here than on the server.",
            "A proof is about one text.",
            "Declare the text of this checkout first: `unrepeat guard declare --file unrepeat.toml`.",
        )
    found = recordings_for(asked, folders, trial.repo)
    if kind_of(guard.kind).SAFE and isinstance(asked, Remote) and not _all_here(trial, found):
        return _prove_there(asked, name, trial)
    sides = [_side(guard, words, trial, found) for words in (trial.failure, trial.fix)]
    return asked.prove(name, {"digest": guard.digest, "failure": sides[0], "fix": sides[1]})


def recordings_for(asked: Desk, folders: list[Path] | None, repo: Path) -> dict[str, Recorded]:
    """The recordings that may be named: those of the folders, and those that this machine's database knows."""
    chosen = folders if folders is not None else [repo / "recordings"]
    found = checking.recordings_in([folder for folder in chosen if folder.is_dir()])
    return {**(known_recordings() if isinstance(asked, Local) else {}), **found}


def run_there(asked: Desk, name: str) -> Plain:
    """Let the server run a guard, and wait for the result."""
    before = _newest(asked.runs(name))
    asked.act(name, "run", {})
    return _awaited(lambda: asked.runs(name), before, name)


def promtool_file(asked: Desk, name: str, repo: Path, folders: list[Path] | None, *, rules: bool) -> str:
    """The file for `promtool test rules` of a backtest, or the rule file that it tests."""
    guard = planned(asked, name, repo)
    if guard.kind != "alert_backtest":
        raise Invalid(f"{name} has no promtool file.", f"It is a {guard.kind} guard.", "Only alert_backtest guards do.")
    from unrepeat.prevention.guards import alert_backtest

    spec = cast("alert_backtest.Spec", checked(guard.kind, guard.spec))
    if rules:
        return alert_backtest.rules_file(spec)
    return alert_backtest.promtool_file(spec, Tools(THERE, recordings_for(asked, folders, repo)))


def _side(guard: checking.Planned, words: str, trial: Trial, found: Mapping[str, Recorded]) -> Plain:
    """One side, run and as it is sent."""
    target = target_of(words, found, folders=True)
    if target.kind not in kind_of(guard.kind).TARGETS or target.kind == "now":
        raise Invalid(
            f"A {guard.kind} guard cannot be proven on “{words}”.",
            f"That is a {target.kind}.",
            f"It can be proven on: {', '.join(kind for kind in kind_of(guard.kind).TARGETS if kind != 'now')}.",
        )
    with _prepared(target, trial, guard) as ready:
        at = clock.now()
        spec = checked(guard.kind, guard.spec)
        outcome, seconds = run_safely(guard.kind, spec, ready, Tools(checking.SECONDS, found))
    return checking.sent(outcome, ready, at.isoformat(), seconds)


@contextmanager
def _prepared(target: Target, trial: Trial, guard: checking.Planned) -> Iterator[Target]:
    """The target with its folder: a commit is checked out for as long as it is needed."""
    if target.kind != "ref":
        folder = target.folder or (trial.repo if target.kind == "version" else None)
        yield replace(target, folder=folder, variables={**trial.variables, **target.variables})
        return
    root = git.root_of(trial.repo)
    inside = trial.repo.relative_to(root)
    with git.checked_out(root, target.ref) as (tree, commit):
        for file in trial.bring:
            _bring(file, trial.repo, tree / inside)
        _needs_files(guard, trial.repo, tree / inside, target.words)
        known = {**trial.variables, "ref": commit}
        yield replace(
            target, words=f"{target.words} ({commit[:12]})", ref=commit, folder=tree / inside, variables=known
        )


def _bring(file: Path, repo: Path, to: Path) -> None:
    source = (repo / file).resolve()
    if not source.is_relative_to(repo) or not source.exists():
        raise Invalid(f"{file} cannot be brought along.", f"It is not in {repo}.", "Name a file of the checkout.")
    place = to / source.relative_to(repo)
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, dirs_exist_ok=True)
    else:
        shutil.copy2(source, place)


def _needs_files(guard: checking.Planned, repo: Path, tree: Path, words: str) -> None:
    """Invalid when a commit lacks a file of this checkout that the guard's text names: it would be red for that alone."""
    named = {word.partition("::")[0] for text in _texts(guard.spec) for word in text.split()}
    missing = sorted(
        name
        for name in named
        if name and not Path(name).is_absolute() and (repo / name).exists() and not (tree / name).exists()
    )
    if missing:
        raise Invalid(
            f"“{words}” does not have {missing[0]}, which the guard {guard.name} names.",
            "The guard would be red there because of that, and not because of the failure.",
            "Bring it along: " + " ".join(f"--bring {name}" for name in missing),
        )


def _texts(value: object) -> list[str]:
    """All texts in a guard's text."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return [text for one in inner for text in _texts(one)]


def _all_here(trial: Trial, found: Mapping[str, Recorded]) -> bool:
    """Whether both sides are recordings of this machine."""
    try:
        sides = [target_of(words, found, folders=True) for words in (trial.failure, trial.fix)]
    except Problem:
        return False
    return all(side.folder is not None for side in sides)


def _prove_there(asked: Desk, name: str, trial: Trial) -> Plain:
    before = _newest(asked.proofs(name))
    asked.act(name, "prove", {"failure": trial.failure, "fix": trial.fix})
    return _awaited(lambda: asked.proofs(name), before, name)


def _newest(rows: list[Plain]) -> int:
    return max((int(row["number"]) for row in rows), default=0)


def _awaited(look: Callable[[], list[Plain]], before: int, name: str) -> Plain:
    until = time.monotonic() + THERE
    while time.monotonic() < until:
        newer = [row for row in look() if row["number"] > before]
        if newer:
            return newer[0]
        time.sleep(LOOK_EVERY)
    raise Invalid(
        f"The server has not run {name} within {THERE:g} s.",
        "Its worker is busy or does not run.",
        "Look at the guard's page later; what was asked for is kept.",
    )
