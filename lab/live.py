"""`python -m lab run`: the whole outage, live, with what it measured at the end."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lab.link import CATALOGUE, Link, OnlyJournal, ToUnrepeat
from lab.measure import Readings
from lab.outage import ALERT_WITHIN_SECONDS, BASELINE_SECONDS, END_AT, Outage
from lab.parts.unrepeat import UnrepeatServer
from lab.progress import Progress
from lab.record import Run, record
from lab.report import Report, report, show
from lab.shop_house import ShopHouse, measured_here
from lab.supervisor import Supervisor
from lab.visits import read
from lab.webhook_recorder import WebhookRecorder

ABOUT_SECONDS = 20 + BASELINE_SECONDS + 60 + END_AT
AT_MOST_SECONDS = 30 + BASELINE_SECONDS + ALERT_WITHIN_SECONDS + END_AT


@dataclass(frozen=True, slots=True)
class Options:
    """How to run."""

    with_unrepeat: bool = True
    json_file: Path | None = None
    recording: Path | None = None
    out: Path = Path("out/lab")


def run(options: Options, console: Console) -> int:
    """Run the outage; 0 when all was as it has to be."""
    made = _run(options, console)
    show(made, console)
    for line in made.figures():
        print(line)
    return 1 if made.complaints else 0


def _run(options: Options, console: Console) -> Report:
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console, ABOUT_SECONDS))
        supervisor = stack.enter_context(Supervisor(lambda part: progress.say(f"ready: {part}")))
        stack.callback(_keep_logs, supervisor.folder, options.out / "logs")
        recorder = WebhookRecorder()
        stack.callback(recorder.close)
        calibration = measured_here()
        progress.say(f"this machine's pages show {calibration.page_size} products")
        house = ShopHouse(supervisor, calibration)
        link = _link(house, options)
        house.open([*link.webhooks, recorder.url])
        readings = Readings(house.prometheus_url, house.postgres.dsn)
        stack.callback(readings.close)
        course = Outage(house, link, recorder, readings, progress.say).run()
        supervisor.stop(house.users)
        draft, entries = link.draft(), link.log()
        for name, text in (draft or {}).items():
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / name).write_text(text)
            progress.say(f"wrote {options.out / name}")
        made = report(
            course, read(house.users.visits), calibration, house.budget_bytes, draft=draft is not None, log=entries
        )
        if options.json_file:
            options.json_file.write_text(json.dumps(made.as_json(), indent=2) + "\n")
        if options.recording:
            url, log = house.prometheus_url, house.nginx.access_log
            record(Run(course, link.journal, recorder.heard, made, url, log, CATALOGUE), options.recording)
            progress.say(f"recorded in {options.recording}")
        return made


def _keep_logs(folder: Path, kept: Path) -> None:
    """What every part has said outlives the lab, also one that failed."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    for log in folder.glob("*.log"):
        shutil.copy(log, kept)


def _link(house: ShopHouse, options: Options) -> Link:
    """A running Unrepeat with its sources and people, or only the journal."""
    if not options.with_unrepeat:
        return OnlyJournal()
    server = UnrepeatServer(house.folder, house.prometheus_url, house.nginx.access_log)
    house.supervisor.start(server)
    return ToUnrepeat(server)
