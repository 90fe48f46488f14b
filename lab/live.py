"""`python -m lab run`: one story, live, with what it measured at the end."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from lab.link import Link, OnlyJournal, ToUnrepeat
from lab.measure import Readings
from lab.parts.unrepeat import UnrepeatServer
from lab.progress import Progress
from lab.shop_house import ShopHouse, measured_here
from lab.stage import Stage
from lab.stories import DEFAULT, Played, story
from lab.supervisor import Supervisor
from lab.webhook_recorder import WebhookRecorder

STARTING_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Options:
    """How to run."""

    with_unrepeat: bool = True
    json_file: Path | None = None
    recording: Path | None = None
    out: Path = Path("out/lab")
    story: str = DEFAULT


def run(options: Options, console: Console) -> int:
    """Play the story; 0 when all was as it has to be."""
    made = _run(options, console)
    made.show(console)
    if options.json_file:
        options.json_file.write_text(json.dumps(made.as_json(), indent=2) + "\n")
    for complaint in made.complaints:
        console.print(f"[bold red]Not as it has to be:[/] {complaint}")
    for line in made.figures():
        print(line)
    return 1 if made.complaints else 0


def _run(options: Options, console: Console) -> Played:
    chosen = story(options.story)
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console, STARTING_SECONDS + chosen.ABOUT_SECONDS))
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
        return chosen.play(Stage(house, link, recorder, readings, progress.say, options.out, options.recording))


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
