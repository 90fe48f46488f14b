"""12 August 2024 and what keeps it from coming back: the outage, its report, three proven guards, and release 2.0 once more."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from lab import afterwards, recorded_trials
from lab.link import CATALOGUE, ToUnrepeat
from lab.outage import BASELINE_SECONDS, END_AT, Outage
from lab.parts.users import Users
from lab.prevented import GUARDS, NeverTwice, Second
from lab.record import NAME, Run, record
from lab.report import Report, report
from lab.stage import NothingHappened, Stage
from lab.users_rates import PER_SECOND
from lab.visits import read

TITLE = "the outage of 12 August 2024, its guards, and the same release once more, in about eight minutes"
ABOUT_SECONDS = BASELINE_SECONDS + 60 + END_AT + 190
SOONEST = 5.0  # seconds within which the report has to be named


@dataclass(slots=True)
class Both:
    """The outage as measured, and what came of the second time."""

    first: Report
    second: Second

    @property
    def complaints(self) -> list[str]:
        """What was not as it has to be, in words."""
        found = [*self.first.complaints, *(f"{row.what}: {row.came}" for row in self.second.rows if not row.good)]
        if self.second.named_s is not None and self.second.named_s > SOONEST:
            found.append(
                f"the report was named {self.second.named_s:.1f} s after the first alert, expected {SOONEST:.0f}"
            )
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {"first": self.first.as_json(), "second": asdict(self.second), "complaints": self.complaints}

    def figures(self) -> list[str]:
        """The FIGURE lines."""
        second = self.second
        lines = [
            *self.first.figures(),
            f"FIGURE lab_guards_proven={second.proven} unit=guards against={len(GUARDS)}",
            f"FIGURE lab_check_red_on_repeat={int(second.check_red)} unit=yes-or-no against=1",
            f"FIGURE lab_repeat_named={int(second.named)} unit=yes-or-no against=1",
        ]
        if second.minutes_earlier is not None:
            early = f"{second.minutes_earlier:.0f}"
            lines.insert(
                -3, f"FIGURE lab_backtest_minutes_early={early} unit=min-before-harm-on-the-report's-clock against=10"
            )
        if second.named_s is not None:
            lines.append(
                f"FIGURE lab_repeat_named_s={second.named_s:.2f} unit=s-after-the-webhook against={SOONEST:.0f}"
            )
        return lines

    def show(self, console: Console) -> None:
        """The same for people."""
        self.first.show(console)
        table = Table(title="Never twice, as it went", title_justify="left", show_lines=True)
        table.add_column("what")
        table.add_column("came of it", overflow="fold")
        table.add_column("")
        for row in self.second.rows:
            table.add_row(row.what, row.came, "as it has to be" if row.good else "[bold red]not so[/]")
        console.print(table)


def play(stage: Stage) -> Both:
    """The outage, then everything that follows from it."""
    if not isinstance(stage.link, ToUnrepeat):
        raise NothingHappened("this story needs a running Unrepeat; leave out --without-unrepeat")
    house, link = stage.house, stage.link
    course = Outage(stage).run()
    more = Users(house.folder, house.nginx, PER_SECOND, label="users-again")
    house.supervisor.start(more)
    house.supervisor.stop(house.users)
    stage.keep_draft()
    first = report(course, read(house.users.visits), house.calibration, house.budget_bytes, draft=True, log=link.log())
    folder = (stage.recording or stage.out / NAME).resolve()
    url, log = house.prometheus_url, house.nginx.access_log
    record(Run(course, link.journal, stage.recorder.heard, first, url, log, CATALOGUE), folder)
    second = NeverTwice(stage, link, course, folder).run()
    recorded_trials.keep(folder, afterwards.LOAD, lambda path: link.ask("Ada", "GET", path))
    house.supervisor.stop(more)
    return Both(first, second)
