"""A flash sale on the healthy release 1.4: eight times the visitors within a minute. What follows the load is no leak.

Nothing is deployed. Who is on call sees the numbers climb and opens an incident, unless an alert has done so. Whatever Unrepeat says
then of the rush, it must not take it for a leak.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console

from lab.parts.users import Users
from lab.shop_house import resident_bytes
from lab.stage import Stage
from lab.told import Raised, raised
from lab.users_rates import PER_SECOND
from lab.visits import read, shares

TITLE = "eight times the visitors on the healthy release 1.4, in about four minutes"
NAME = "flash_sale"
TIMES = 8.0
BASELINE_SECONDS = 45.0
GROWING_SECONDS = 60.0
NOTICED_AT = 40.0  # seconds into the sale, while it still grows: the worst moment for telling load from leak
SALE_SECONDS = 175.0
LOOKED_SECONDS = 125.0  # after the opening Unrepeat has looked four times
ABOUT_SECONDS = BASELINE_SECONDS + SALE_SECONDS


@dataclass(slots=True)
class Rush:
    """What the sale did. Memory in megabytes, p99 in seconds; `raised` is all that Unrepeat raised by itself (None: nobody listened)."""

    name: str = NAME
    release: str = "1.4"
    wanted: float = TIMES
    visitors: int = 0
    usual_per_second: float = 0.0
    sale_per_second: float = 0.0
    memory_mb: tuple[float, float] = (0.0, 0.0)
    p99_seconds: float = 0.0
    opened_by: str = ""
    incidents: list[dict[str, Any]] = field(default_factory=list)
    raised: list[Raised] | None = None
    complaints: list[str] = field(default_factory=list)

    @property
    def leaks_named(self) -> list[Raised]:
        """What was taken for a leak."""
        return [one for one in self.raised or [] if one.says_leak]

    @property
    def times(self) -> float:
        """How many times the usual number of visitors came."""
        return self.sale_per_second / self.usual_per_second if self.usual_per_second else 0.0

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def figures(self) -> list[str]:
        """The FIGURE lines."""
        lines = [f"FIGURE lab_{self.name}_times={self.times:.2f} unit=of-usual-visitors against={self.wanted:.0f}"]
        if self.raised is not None:
            lines.append(f"FIGURE lab_{self.name}_incidents={len(self.incidents)} unit=incidents against=1")
            lines.append(f"FIGURE lab_{self.name}_leak_named={len(self.leaks_named)} unit=suspects against=0")
        return lines

    def show(self, console: Console) -> None:
        """The same for people."""
        before, after = self.memory_mb
        console.print(
            f"{self.visitors} visitors; {self.sale_per_second:.1f} a second in the sale, {self.usual_per_second:.1f} before it."
        )
        console.print(
            f"Memory of the session service {self.release}: {before:.1f} MB before the sale, {after:.1f} MB in it."
        )
        console.print(f"One shop request in a hundred took {self.p99_seconds:.2f} s or more at the end of the sale.")
        for one in self.incidents:
            console.print(f"Incident {one['number']}: {one['title']} ({one['status']}, opened by {self.opened_by}).")
        for suspect in self.raised or []:
            console.print(f"Unrepeat raised {suspect.kind} {suspect.name}: {suspect.reason}")
        if self.raised == []:
            console.print("Unrepeat raised nobody.")


def play(stage: Stage) -> Rush:
    """The sale, on the release that runs."""
    stage.say("healthy: sessions 1.4 under the usual traffic")
    return sell(stage, Rush())


def sell(stage: Stage, made: Rush) -> Rush:
    """A quiet while, then `made.wanted` times the visitors, and what Unrepeat says of it."""
    house = stage.house
    stage.began = time.time()
    stage.until(stage.began + BASELINE_SECONDS)
    before = _memory(stage)
    sale = time.time()
    more = Users(house.folder, house.nginx, PER_SECOND * (made.wanted - 1), growing=GROWING_SECONDS, label="sale-users")
    house.supervisor.start(more)
    stage.say(f"the flash sale has begun: {made.wanted:.0f} times the visitors within {GROWING_SECONDS:.0f} s")
    stage.until(sale + NOTICED_AT)
    made.opened_by = _open(stage)
    stage.until(max(sale + SALE_SECONDS, time.time() + LOOKED_SECONDS))
    made.memory_mb = before, _memory(stage)
    made.p99_seconds = stage.readings.shop().p99_seconds
    ended = time.time()
    made.incidents = stage.link.incidents()
    logs = [stage.link.log(one["number"]) or [] for one in made.incidents]
    made.raised = [one for log in logs for one in raised(log)] if stage.link.webhooks else None
    house.supervisor.stop(more)
    house.supervisor.stop(house.users)
    _count(made, stage, more, sale, ended)
    made.complaints = complaints(made)
    return made


def complaints(made: Rush) -> list[str]:
    """What was not as it has to be, in words."""
    found = [f"{one.kind} {one.name} was taken for a leak: {one.reason}" for one in made.leaks_named]
    if made.times < made.wanted / 2:
        found.append(f"the sale brought only {made.times:.1f} times the visitors, expected {made.wanted:.0f}")
    if made.raised is not None and not made.incidents:
        found.append("no incident was opened, so that nothing was looked at")
    return found


def _open(stage: Stage) -> str:
    """Who opened the incident: an alert has, or Ben does now."""
    if not stage.link.webhooks:
        return "nobody"
    if stage.link.incidents():
        return "an alert"
    number = stage.link.open_incident("Ben", "The flash sale: is the session service well?", "sessions")
    stage.say(f"Ben opened incident {number}; the session service holds {_memory(stage):.1f} MB now")
    return "Ben"


def _memory(stage: Stage) -> float:
    return resident_bytes(stage.house.supervisor.pid(stage.house.sessions)) / 1e6


def _count(made: Rush, stage: Stage, more: Users, sale: float, ended: float) -> None:
    """Visitors a second before the sale, and in it once all had come."""
    usual, rush = read(stage.house.users.visits), read(more.visits)
    full = sale + GROWING_SECONDS
    made.usual_per_second = shares(usual, stage.began, sale).visitors / (sale - stage.began)
    made.sale_per_second = shares([*usual, *rush], full, ended).visitors / (ended - full)
    made.visitors = len(usual) + len(rush)
