"""What a run measured: for people as a table, for machines as JSON and FIGURE lines, and whether it was good."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from lab.calibrate import Calibration
from lab.outage import Course
from lab.told import Told, told
from lab.visits import Shares, Visit, shares, slow_of_those_there

SLOW_BAND = (0.70, 0.95)
FAILED_BAND = (0.10, 0.30)
BUSY = 1.6
"""How many times its CPU time a checkpoint takes when other work begins to be felt in the shares."""


@dataclass(slots=True)
class Report:
    """All figures of one run, as measured. Shares are the load generator's own count, by arrival but for `slow_of_those_there`."""

    slow_share: float | None
    failed_share: float | None
    slow_of_those_there: float | None
    leak_to_alert_s: float
    alert_to_webhook_s: float
    alert_to_incident_s: float | None
    alert_to_resolve_s: float
    patch_took_s: float
    incidents: int | None
    draft: bool | None
    resident_mb: dict[str, float]
    windows: dict[str, dict[str, Any]]
    calibration: dict[str, float]
    budget_mb: float
    contention: float
    opened: list[dict[str, Any]]
    firing_at_end: list[str]
    told: Told | None = None
    complaints: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    def figures(self) -> list[str]:
        """The FIGURE lines; what was not measured has none."""
        rows = [
            ("lab_incidents", self.incidents, "incidents", "1"),
            ("lab_slow_share", self.slow_share, "of-visitors", "0.70-0.95"),
            ("lab_failed_share", self.failed_share, "of-buyers", "0.10-0.30"),
            ("lab_alert_to_incident_s", self.alert_to_incident_s, "s", "1.0"),
            ("lab_suspects_named_s", self.told.named_s if self.told else None, "s-after-the-webhook", "10"),
            ("lab_innocent_raised", len(self.told.wronged) if self.told else None, "services", "0"),
            (
                "lab_impact_slow_gap",
                self._gap("slow_share", "slow_of_those_there"),
                "share",
                "0.02-of-the-load-generator",
            ),
            ("lab_impact_lost_gap", self._gap("lost_share", "failed_share"), "share", "0.02-of-the-load-generator"),
        ]
        return [
            f"FIGURE {name}={value:.3f} unit={unit} against={against}"
            if isinstance(value, float)
            else f"FIGURE {name}={value} unit={unit} against={against}"
            for name, value, unit, against in rows
            if value is not None
        ]

    def show(self, console: Console) -> None:
        """The table for people."""
        table = Table(title="The outage, as measured", title_justify="left")
        table.add_column("window")
        for head in ("visitors", "slow", "buyers", "lost"):
            table.add_column(head, justify="right")
        for name, counted in self.windows.items():
            slow, lost = _percent(counted["slow_share"]), _percent(counted["failed_share"])
            table.add_row(name, str(counted["visitors"]), slow, str(counted["buyers"]), lost)
        console.print(table)
        console.print(f"Leak to alert: {self.leak_to_alert_s} s. Alert to webhook: {self.alert_to_webhook_s} s.")
        if self.alert_to_incident_s is not None:
            draft = "a draft of the postmortem is there" if self.draft else "no draft"
            console.print(f"Alert to incident: {self.alert_to_incident_s} s; {self.incidents} opened; {draft}.")
        console.print(
            f"Alert to patch: it took {self.patch_took_s} s to deploy; alert to resolved: {self.alert_to_resolve_s} s."
        )
        if self.told is not None:
            named = f"{self.told.named_s} s after the webhook" if self.told.named_s is not None else "never"
            console.print(
                f"Unrepeat by itself named sessions and sessions 2.0 {named}, cleared {', '.join(self.told.cleared) or 'nobody'}, "
                f"and measured {_percent(self.told.slow_share)} of users slowed, {_percent(self.told.lost_share)} of checkouts lost."
            )
        memory = ", ".join(f"{name} {value:.0f}" for name, value in self.resident_mb.items())
        console.print(f"Memory of the session service, MB: {memory} (budget {self.budget_mb:.0f}, not enforced).")
        console.print(
            f"Checkpoints took {self.contention} times their CPU time (1: the machine had nothing else to do)."
        )
        for one in self.opened:
            span = f"{one['detected_at']} to {one['resolved_at']}"
            console.print(
                f"Incident {one['number']}: {one['title']} ({one['status']}, {span}; guilty: {', '.join(one['guilty'])})."
            )

    def _gap(self, measured: str, counted: str) -> float | None:
        """How far Unrepeat's share is from the load generator's own count; None when either is missing."""
        theirs, ours = getattr(self.told, measured, None), getattr(self, counted)
        return None if theirs is None or ours is None else abs(theirs - ours)


def report(
    course: Course,
    visits: list[Visit],
    calibration: Calibration,
    budget_bytes: float,
    *,
    draft: bool,
    log: list[dict[str, Any]] | None = None,
) -> Report:
    """Put together what the run measured, and complain of what was not as it has to be."""
    assert course.leaky is not None
    assert course.patch is not None
    windows = {
        "before the deploy": shares(visits, course.began, course.leaky.began),
        "deploy to alert": shares(visits, course.leaky.switched, course.alert),
        "outage": shares(visits, course.alert, course.patch.switched),
        "after the patch": shares(visits, course.patch.switched, course.ended - 10),
    }
    seen = course.incident_seen
    made = Report(
        slow_share=windows["outage"].slow_share,
        failed_share=windows["outage"].failed_share,
        slow_of_those_there=slow_of_those_there(visits, course.alert, course.patch.switched),
        leak_to_alert_s=round(course.alert - course.leaky.switched, 2),
        alert_to_webhook_s=round(course.alert_heard - course.alert, 3),
        alert_to_incident_s=round(seen - course.alert, 3) if seen else None,
        alert_to_resolve_s=round(course.resolved - course.alert, 2),
        patch_took_s=round(course.patch.switched - course.patch.began, 2),
        incidents=len(course.incidents) if seen else None,
        draft=draft if seen else None,
        resident_mb={name: round(value / 1e6, 1) for name, value in course.resident.items()},
        windows={name: _window(counted) for name, counted in windows.items()},
        calibration=asdict(calibration),
        budget_mb=round(budget_bytes / 1e6, 1),
        opened=course.incidents,
        contention=round(course.contention, 2),
        firing_at_end=course.firing_at_end,
        told=told(log, course.alert_heard) if log is not None else None,
    )
    made.complaints = complaints(made)
    return made


def complaints(made: Report) -> list[str]:
    """What was not as it has to be, in words; none when all was well."""
    found = []
    for what, value, (low, high) in (
        ("slow visitors", made.slow_share, SLOW_BAND),
        ("lost buyers", made.failed_share, FAILED_BAND),
    ):
        if value is None or not low <= value <= high:
            found.append(f"{what}: {_percent(value)}, expected {low:.0%} to {high:.0%}")
    if found and made.contention > BUSY:
        found.append(
            f"the machine was busy with other work (checkpoints took {made.contention} times their CPU time): "
            "run the lab as root, so that it may go first, or with less beside it"
        )
    if made.incidents is not None and made.incidents != 1:
        found.append(f"{made.incidents} incidents were opened, expected one")
    if made.draft is False:
        found.append("no postmortem draft exists at the end")
    if made.firing_at_end:
        found.append(f"still firing at the end: {', '.join(made.firing_at_end)}")
    return found


def _window(counted: Shares) -> dict[str, Any]:
    return {**asdict(counted), "slow_share": counted.slow_share, "failed_share": counted.failed_share}


def _percent(share: float | None) -> str:
    return "nobody" if share is None else f"{share:.1%}"
