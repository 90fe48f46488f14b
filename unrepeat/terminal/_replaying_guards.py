"""The guards of a recording in a replay: declared from its `guards.toml`, tied to the measures of its incident, and really run on it.

`declare_guard`, `prove_guard` and `run_guard` are acts that only a replay knows; all else goes the way that people's requests go.
In `guards.toml`, PM-1 is the report of the recording's own incident, whatever number it gets here.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from unrepeat.incidents import queries as incidents
from unrepeat.incidents.fold import fold
from unrepeat.postmortems import prevention_facts
from unrepeat.postmortems import prevention_words as said
from unrepeat.postmortems.prevented import GuardFact
from unrepeat.prevention import commands, declared, recordings, store
from unrepeat.prevention.backtest.recorded import check_whole, open_folder
from unrepeat.prevention.kind import kind_of
from unrepeat.prevention.running import asked, reporting
from unrepeat.support import clock, words
from unrepeat.support.problems import Problem
from unrepeat.web.api.guard_shapes import TrialSent

ACTS = ("declare_guard", "prove_guard", "run_guard")
FILE = "guards.toml"
KEPT = "Kept from when this was recorded, not run anew: it runs the releases of the service itself."
SHORT = 60  # characters of a measure's text on the screen
MARKS = {"verified": "✓", "failed": "■", "done": "◐", "open": "·", "dropped": "·"}


class Guards:
    """What a recording's folder says of guards. `keep_in`: the folder for the healthy stretch that is cut out of it."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any], keep_in: Path) -> None:
        self._folder, self._manifest, self._keep_in = folder.resolve(), manifest, keep_in.resolve()
        self._known = False

    def act(self, name: str, args: Mapping[str, Any], incident: int, *, by: str) -> None:
        """Do one of ACTS; runs are planned, and made by the worker."""
        if name == "declare_guard":
            self.take_in(incident, by=by)
            self._declare(str(args["guard"]), incident, by=by)
            return
        guard = store.guard_named(str(args["guard"]))
        if guard is None:
            raise Problem(f"There is no guard {args['guard']} yet.", f"{by} runs it before it was declared.", "")
        if name == "prove_guard":
            asked.plan_proof(guard.pk, str(args["failure"]), str(args["fix"]), by=by)
        else:
            asked.plan_run(guard.pk, by=by)

    def report(self, line: Mapping[str, Any]) -> None:
        """A trial that a runner made when the recording was, as it was sent: the body of `POST /guards/NAME/proofs`."""
        guard = store.guard_named(str(line["guard"]))
        if guard is None:
            raise Problem(f"There is no guard {line['guard']} yet.", "A runner reports it before it was declared.", "")
        sent = TrialSent.model_validate(line["body"])
        sides = [_kept(side.ran()) for side in (sent.failure, sent.fix)]
        reporting.prove(guard.name, guard.service, sent.digest, *sides, by=str(line["by"]))

    def _declare(self, name: str, incident: int, *, by: str) -> None:
        block = next((one for one in declared.parse(self._text()) if one.name == name), None)
        if block is None:
            raise Problem(f"{by} declares the guard {name}.", f"It is not in {FILE}.", "Mend the recording.")
        guard = commands.declare(
            commands.Declared(  # nothing live is watched in a replay, so the server runs none by itself
                block.name, block.kind, block.spec, block.service, 0, "repository", f"{FILE}:{block.line}"
            ),
            by=by,
        )
        for ref in block.measures:
            commands.tie(guard.pk, incident, int(ref.rpartition("/")[2]), by=by)

    def _text(self) -> str:
        try:
            return (self._folder / FILE).read_text()
        except OSError as error:
            raise Problem(
                f"The recording has no {FILE}.", f"Somebody declares a guard in it: {error}.", "Fetch it again."
            ) from error

    def take_in(self, incident: int, *, by: str) -> None:
        """Make the recording known by its name, and its healthy stretch by its own, once."""
        if self._known:
            return
        self._known = True
        recordings.add(self._folder, by=by, incident=incident)
        healthy = self._manifest.get("healthy")
        if isinstance(healthy, Mapping):
            recordings.add(self._healthy_stretch(healthy), by=by)

    def _healthy_stretch(self, healthy: Mapping[str, Any]) -> Path:
        """The stretch as a recording of its own; one that an earlier replay cut out of the same recording is taken again."""
        source = open_folder(self._folder, str(self._manifest.get("name") or self._folder.name))
        name = str(healthy["name"])
        folder, digest = self._keep_in / name, check_whole(source)
        if folder.is_dir():
            before = open_folder(folder).manifest.get("cut_from") or {}
            if before.get("manifest") == digest:
                return folder
            if before.get("name") == source.name:
                shutil.rmtree(folder)
        window = [datetime.fromisoformat(healthy[end]) for end in ("from", "to")]
        return recordings.cut(source, name, *window, healthy=True, into=self._keep_in)


def _kept(ran: commands.Ran) -> commands.Ran:
    """A run that was not made here, which it says wherever it is told: in the log, on the guard's page, in the report."""
    return replace(ran, outcome=replace(ran.outcome, said=f"{ran.outcome.said} {KEPT}"))


def tell(console: Console, number: int) -> None:
    """Print the measures of an incident with their states, and its guards with what proves them or what is lacking."""
    log = incidents.log_of(number)
    now = prevention_facts.today(fold(log), log, clock.now())
    zone = incidents.state_of(number).time_zone
    if not now.standing:
        return
    console.print(f"\nmeasures: {said.tally(now, zone)}")
    for m in now.standing:
        owner = ", ".join(part for part in (m.owner, f"due {words.dated(m.due)}" if m.due else "") if part)
        text = m.text if len(m.text) <= SHORT else f"{m.text[:SHORT].rsplit(' ', 1)[0]} …"
        line = f"  {MARKS[m.state]} M{m.number} {said.STATES[m.state]:<19} {text}{f' ({owner})' if owner else ''}"
        console.print(escape(line), soft_wrap=True)
    if now.guards:
        console.print("\nguards:")
    for guard in now.guards:
        for line in _guard(guard, zone):
            console.print(escape(line), soft_wrap=True)


def _guard(guard: GuardFact, zone: str) -> list[str]:
    """A guard in a few lines: what proves it, or why nothing does, and the remedy."""
    lines = [f"  {guard.name} ({said.kind(guard)}). {said.guard(guard, zone)}"]
    if guard.proven:
        return [*lines, f"      red: {guard.red_said}", f"    green: {guard.green_said}"]
    row = store.guard(guard.number)
    trial = store.newest_proof(row)
    if trial is not None:
        remedy = trial.failure.remedy or trial.fix.remedy
        return [*lines, f"    {remedy}"] if remedy else lines
    if not kind_of(guard.kind).SAFE:
        lines.append(
            "    Declared, and not proven here: it runs the service itself, which only a runner of your own may do. There, type:"
        )
        lines.append(f"    {asked.command_line(row)}")
    return lines
