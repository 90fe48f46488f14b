"""12 August 2024: release 2.0 leaks, people look at the wrong parts first, 2.0.1 patches it. The story that can be recorded."""

from __future__ import annotations

from lab.link import CATALOGUE
from lab.outage import BASELINE_SECONDS, END_AT, Outage
from lab.record import Run, record
from lab.report import Report, report
from lab.stage import Stage
from lab.visits import read

TITLE = "the outage of 12 August 2024, in about five minutes"
ABOUT_SECONDS = BASELINE_SECONDS + 60 + END_AT


def play(stage: Stage) -> Report:
    """The whole outage, with what Unrepeat and the load generator counted."""
    house = stage.house
    course = Outage(stage).run()
    house.supervisor.stop(house.users)
    draft, entries = stage.keep_draft(), stage.link.log()
    made = report(course, read(house.users.visits), house.calibration, house.budget_bytes, draft=draft, log=entries)
    if stage.recording:
        url, log = house.prometheus_url, house.nginx.access_log
        record(Run(course, stage.link.journal, stage.recorder.heard, made, url, log, CATALOGUE), stage.recording)
        stage.say(f"recorded in {stage.recording}")
    return made
