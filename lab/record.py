"""One real run as a folder: everything that the outage showed, on the report's clock."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from copy import deepcopy
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lab import afterwards
from lab.journal import Delivery, Journal
from lab.link import ALERTMANAGER
from lab.outage import Course
from lab.record_tables import metrics_table, requests_table, series
from lab.report import Report
from lab.timemap import TimeMap, stamp
from lab.versions import versions
from lab.webhook_recorder import Heard

NAME = afterwards.RECORDING
TITLE = "The day the memory leak struck"
LEAD_IN = 40.0
"""Seconds before the deploy with which the recording begins."""
WARM = 8.0
"""Seconds after the patch from which on nothing is wrong any more: the alerts have resolved, the new process has warmed up."""
GUARDS = Path(__file__).parent / "guards" / "unrepeat.toml"

MAPPED = {
    "alertmanager": ["alerts[].startsAt", "alerts[].endsAt"],
    "generic_change": ["at"],
    "acts": ["at", "args.due (a date, moved by whole days)"],
}


@dataclass(frozen=True, slots=True)
class Run:
    """What there is to record."""

    course: Course
    journal: Journal
    alerts: list[Heard]
    report: Report
    prometheus_url: str
    access_log: Path
    catalogue: Path


def record(run: Run, folder: Path) -> None:
    """Write the recording; an older one in `folder` is replaced when the new one is complete."""
    clock = TimeMap(run.course.alert)
    assert run.course.leaky is not None
    start = run.course.alert - round(run.course.alert - run.course.leaky.began + LEAD_IN)
    end = run.course.ended
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        deliveries = [mapped(one, clock) for one in _told(run) if start <= one.at <= end]
        _write_lines(made / "deliveries.jsonl", deliveries)
        _write_lines(made / "acts.jsonl", [*acts(run.journal, clock), *later(clock)])
        shutil.copyfile(run.catalogue, made / "catalogue.toml")
        shutil.copyfile(GUARDS, made / "guards.toml")
        metrics_table(series(run.prometheus_url, start, end), clock, made / "metrics.parquet")
        requests_table(run.access_log, start, end, clock, made / "requests.parquet")
        manifest = _manifest(run, clock, start, end, made)
        (made / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        if folder.exists():
            shutil.rmtree(folder)
        made.rename(folder)
    folder.chmod(0o755)


def mapped(delivery: Delivery, clock: TimeMap) -> dict[str, Any]:
    """A delivery on the report's clock: its own time, and the times inside its body, which is text as it is sent."""
    body = deepcopy(delivery.body)
    for alert in body.get("alerts", []):
        alert["startsAt"] = clock.moved(alert["startsAt"])
        alert["endsAt"] = clock.moved(alert["endsAt"])
    if delivery.kind == "generic_change":
        body["at"] = clock.moved(body["at"])
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return {**asdict(delivery), "at": clock.text(delivery.at), "body": text}


def acts(journal: Journal, clock: TimeMap) -> list[dict[str, Any]]:
    """What people did, on the report's clock."""
    lines = []
    for one in sorted(journal.acts, key=lambda act: act.at):
        args = dict(one.args)
        if "due" in args:
            args["due"] = clock.day(date.fromisoformat(args["due"])).isoformat()
        lines.append({"at": clock.text(one.at), "by": one.by, "act": one.act, "args": args})
    return lines


def later(clock: TimeMap) -> list[dict[str, Any]]:
    """What people did on the days after it, which no run shows."""
    return [one.line(clock.anchor.date()) for one in afterwards.LATER]


def _told(run: Run) -> list[Delivery]:
    """Changes and alerts together, by arrival."""
    kept = ("Content-Type", "User-Agent")
    alerts = [
        Delivery(
            heard.at,
            ALERTMANAGER,
            "alertmanager",
            {name: value for name, value in heard.headers.items() if name in kept},
            heard.body,
        )
        for heard in run.alerts
    ]
    return sorted([*run.journal.deliveries, *alerts], key=lambda one: one.at)


def _manifest(run: Run, clock: TimeMap, start: float, end: float, made: Path) -> dict[str, Any]:
    course, report = run.course, run.report
    assert course.leaky is not None
    assert course.patch is not None
    return {
        "format": 1,
        "name": NAME,
        "title": TITLE,
        "made_at": stamp(course.ended),
        "time_zone": "UTC",
        "stretch": {
            "factor": clock.factor,
            "anchor": {"event": "alert startsAt", "lab": stamp(clock.real), "report": clock.text(clock.real)},
            "says": "One second of the lab run is one minute here. Moments are stretched around the alert's start; "
            "durations and counters are not: a request that took 0.8 s took 0.8 s, and a counter's rate per second "
            "of this clock is a sixtieth of what was measured.",
            "mapped": MAPPED,
        },
        "window": {"from": clock.text(start), "to": clock.text(end)},
        "moments": {
            "deployed": clock.text(course.leaky.switched),
            "alert": clock.text(course.alert),
            "patched": clock.text(course.patch.switched),
            "resolved": clock.text(course.resolved),
        },
        "healthy": {
            "name": afterwards.HEALTHY,
            "from": clock.text(course.patch.switched + WARM),
            "to": clock.text(end),
            "says": "Nothing was wrong from some minutes after the patch on: guards are proven green on this stretch.",
        },
        "afterwards": afterwards.SAYS,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(made.iterdir())},
        "counted_by_the_load_generator": {
            "says": "slow: any request over 0.5 s. Visitors who came, and buyers who first clicked checkout, between "
            "the alert and the patch. lost: never paid, all own repeats included.",
            **report.windows["outage"],
        },
        "measured": report.as_json(),
        "memory_budget": {
            "bytes": round(report.budget_mb * 1e6),
            "says": "A memory request: what the service asked for. Nothing enforces it. The alert speaks at 80 % of it.",
        },
        "versions": versions(),
        "units": {
            "metrics.parquet": "at TIMESTAMP (UTC), name, labels (JSON text), value DOUBLE; Prometheus, one row a second "
            "of the lab",
            "requests.parquet": "at TIMESTAMP (UTC, when the answer was sent), request_time and upstream_time in "
            "unstretched seconds; nginx",
        },
    }


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
