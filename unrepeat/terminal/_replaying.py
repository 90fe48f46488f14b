"""How a recording is replayed: its happenings in order, each through the same door as in life."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec
import structlog
from rich.console import Console
from rich.markup import escape

from unrepeat.arrivals import commands as arrivals
from unrepeat.arrivals import queries as arrivals_queries
from unrepeat.arrivals.intake import Intake
from unrepeat.arrivals.writer import Writer
from unrepeat.duty import commands as duty
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import queries as incidents_queries
from unrepeat.incidents.acts import ACTS, Act
from unrepeat.investigation import telemetry
from unrepeat.investigation.telemetry import request_source, trace_source
from unrepeat.investigation.telemetry.recording import RecordedMetrics
from unrepeat.postmortems import commands as postmortems
from unrepeat.postmortems import queries as postmortems_queries
from unrepeat.postmortems.formats import folder as report_folder
from unrepeat.support import clock, wakeups, words
from unrepeat.support.problems import Problem
from unrepeat.terminal import _replaying_guards as guards
from unrepeat.worker import Worker

log = structlog.get_logger(__name__)
LINGER = timedelta(days=1)
"""How long the clock runs on after the last happening, so that what was planned comes about (auto-resolve, draft)."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a recording: a delivery that arrived, an act of a person, or what a runner reported."""

    at: datetime
    said: str
    delivery: dict[str, Any] | None = None
    act: dict[str, Any] | None = None
    result: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """A folder that holds all that an outage showed."""

    folder: Path
    title: str
    manifest: dict[str, Any]
    happenings: tuple[Happening, ...]
    catalogue: str

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read a recording and check its digests; a Problem names the file that is missing, cut short or changed."""
        try:
            manifest = json.loads((folder / "manifest.json").read_text())
        except (OSError, ValueError) as error:
            raise Problem(
                f"{folder} is not a recording.",
                f"Its manifest.json cannot be read: {error}.",
                "Name a folder that `unrepeat` or the lab recorded.",
            ) from error
        for name, digest in manifest.get("files", {}).items():
            file = folder / name
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                raise Problem(
                    f"The recording {folder.name} is not whole.",
                    f"Its file {name} is missing, cut short or changed: its SHA-256 is not the one in the manifest.",
                    "Fetch the recording again.",
                )
        deliveries = [
            Happening(datetime.fromisoformat(line["at"]), f"{line['source']} delivers", delivery=line)
            for line in _lines(folder / "deliveries.jsonl")
        ]
        acts = [
            Happening(datetime.fromisoformat(line["at"]), f"{line['by']}: {line['act']}", act=line)
            for line in _lines(folder / "acts.jsonl")
        ]
        results = [
            Happening(datetime.fromisoformat(line["at"]), f"a runner reports {line['guard']}", result=line)
            for line in _lines(folder / "results.jsonl")
        ]
        catalogue = folder / "catalogue.toml"
        return cls(
            folder,
            manifest.get("title", folder.name),
            manifest,
            tuple(sorted([*deliveries, *acts, *results], key=lambda happening: happening.at)),
            catalogue.read_text() if catalogue.exists() else "",
        )


@dataclass(slots=True)
class Outcome:
    """What a replay brought about: the numbers of the incidents that it opened, and when its clock stood still (UTC)."""

    incidents: list[int] = field(default_factory=list)
    ended: datetime | None = None


def run(recording: Recording, *, each: Callable[[str], None], keep_in: Path) -> Outcome:
    """Replay a recording into the present database; `each` is told after every happening.

    `keep_in`: the folder for what is cut out of it, which its guards go on needing.
    """
    return asyncio.run(_Replay(recording, each, keep_in).run())


class _Replay:
    """One replay under way."""

    def __init__(self, recording: Recording, each: Callable[[str], None], keep_in: Path) -> None:
        self.recording = recording
        self.guards = guards.Guards(recording.folder, recording.manifest, keep_in)
        self.each = each
        self.clock = clock.SimulatedClock(recording.happenings[0].at if recording.happenings else clock.now())
        self.worker = Worker()
        self.paths: dict[str, str] = {}
        self.outcome = Outcome()
        self.before: set[int] = set()

    async def run(self) -> Outcome:
        """All happenings in order, and then what was planned for later."""
        metrics = RecordedMetrics(self.recording.folder)
        requests = [self.recording.folder / "requests.parquet"]
        traces = trace_source.recorded(self.recording.folder)
        with (
            clock.using(self.clock),
            telemetry.using(metrics),
            request_source.using(requests),
            trace_source.using(traces),
        ):
            await asyncio.to_thread(self._prepare)
            writer = Writer()
            await writer.start()
            try:
                transport = httpx.ASGITransport(app=Intake(writer))
                async with httpx.AsyncClient(transport=transport, base_url="http://replay") as client:
                    for happening in self.recording.happenings:
                        await asyncio.to_thread(self._let_time_pass, happening.at)
                        if happening.delivery is not None:
                            await self._deliver(client, happening.delivery)
                        elif happening.act is not None:
                            await asyncio.to_thread(self._act, happening.act)
                        elif happening.result is not None:
                            await asyncio.to_thread(self.guards.report, happening.result)
                        await asyncio.to_thread(self.worker.run_until_idle)
                        self.each(happening.said)
                await asyncio.to_thread(self._let_time_pass, self.clock() + LINGER)
            finally:
                await writer.stop()
            return await asyncio.to_thread(self._finish)

    def _prepare(self) -> None:
        self.before = _numbers()
        if self.recording.catalogue:
            duty.load_catalogue(self.recording.catalogue)
        known = {source.name for source in arrivals_queries.sources()}
        for happening in self.recording.happenings:
            line = happening.delivery
            if line is None or line["source"] in self.paths:
                continue
            name = line["source"]
            token = (
                arrivals.rotate(name, timedelta(days=1)) if name in known else arrivals.add_source(name, line["kind"])
            )
            self.paths[name] = f"/in/{name}/{token}"

    async def _deliver(self, client: httpx.AsyncClient, line: dict[str, Any]) -> None:
        answer = await client.post(
            self.paths[line["source"]], content=line["body"].encode(), headers=line.get("headers", {})
        )
        if not answer.is_success:
            raise Problem(
                f"The intake refused a delivery of {line['source']}.",
                f"It answered {answer.status_code}: {answer.text[:300]}",
                "Look at the source's kind and size limit.",
            )

    def _act(self, line: dict[str, Any]) -> None:
        number = self._newest()
        if number is None:
            raise Problem(
                f"{line['by']} acts ({line['act']}), but there is no incident yet.",
                "The recording's alert has not opened one.",
                "Look at the severity labels of the recorded alerts.",
            )
        name, by, args = line["act"], line["by"], line.get("args", {})
        if name == "write_section":
            postmortems.write(self._report(number), args["section"], args["text"], by=by)
        elif name == "publish":
            postmortems.publish(self._report(number), by=by)
        elif name in guards.ACTS:
            self.guards.act(name, args, number, by=by)
        else:
            incidents.perform(number, _act(name, args), by=by)

    def _let_time_pass(self, until: datetime) -> None:
        """Move the clock to `until`, stopping at every wakeup that falls due on the way."""
        while (due := wakeups.next_due()) is not None and due <= until:
            self.clock.move_to(due)
            self.worker.run_until_idle()
            if wakeups.next_due() == due:
                break  # held by nobody and not done: its handler is missing, and the worker has said so
        self.clock.move_to(until)
        self.worker.run_until_idle()

    def _newest(self) -> int | None:
        return max(_numbers() - self.before, default=None)

    def _report(self, number: int) -> int:
        report = postmortems_queries.of_incident(number)
        if report is None:
            raise Problem(
                f"Incident {number} has no postmortem yet.",
                "It has not resolved at this moment of the recording.",
                "Let somebody resolve it earlier in acts.jsonl.",
            )
        return report

    def _finish(self) -> Outcome:
        self.outcome.incidents = sorted(_numbers() - self.before)
        self.outcome.ended = self.clock()
        if self.outcome.incidents and self.recording.manifest.get("files"):
            self._make_known(self.outcome.incidents[0])
        return self.outcome

    def _make_known(self, incident: int) -> None:
        """Take the recording in, so that guards are asked about it every night; a replay does not fail where that cannot be."""
        try:
            self.guards.take_in(incident, by="unrepeat")
        except Problem as problem:
            log.warning(
                "the recording was replayed, and not taken in", recording=self.recording.folder.name, why=str(problem)
            )


def tell(console: Console, number: int, out: Path | None) -> None:
    """Print what came of one incident, and write its report below `out`."""
    state = incidents_queries.state_of(number)
    zone = state.time_zone
    console.print(f"\n[bold]{escape(state.title)}[/bold]")
    if state.started_at and state.resolved_at:
        console.print(
            f"{words.span(state.duration)}, {words.clock_time(state.started_at, zone)}–{words.clock_time(state.resolved_at, zone)} "
            f"{words.zone_name(state.started_at, zone)}, {words.day(state.started_at, zone)}"
        )
    for verdict in ("guilty", "cleared"):
        names = [suspect.name for suspect in state.suspects.values() if suspect.verdict == verdict]
        if names:
            console.print(f"{verdict}: {escape(', '.join(names))}")
    guards.tell(console, number)
    console.print()
    report = postmortems_queries.of_incident(number)
    if report is None:
        console.print("It has not resolved, so there is no postmortem yet.")
    elif out is not None:
        for path in report_folder.save(postmortems_queries.current(report), out):
            console.print(f"wrote {path}", soft_wrap=True)


def _numbers() -> set[int]:
    return {row.pk for row in incidents_queries.incidents(size=1_000_000).rows}


def _act(name: str, args: dict[str, Any]) -> Act:
    try:
        return msgspec.convert(args, ACTS[name], strict=False)
    except (KeyError, msgspec.ValidationError) as error:
        raise Problem(
            f"The recorded act “{name}” cannot be read.", str(error), f"Acts are: {', '.join(ACTS)}."
        ) from error


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
