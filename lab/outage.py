"""12 August 2024, one second for a minute: baseline, deploy, alert, what people did, patch, all is well."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab import afterwards
from lab.deploy import Deployed, deploy, retire
from lab.measures import MEASURES
from lab.people import CHANGE, PATCH_AT, RESOLVE_AT, STEPS, Before, Scene
from lab.shop_house import resident_bytes
from lab.stage import Stage
from lab.timemap import stamp

ALERT = "High memory usage"
BASELINE_SECONDS = 45.0
ALERT_WITHIN_SECONDS = 120.0
INCIDENT_WITHIN_SECONDS = 10.0
CAUSES_AT = RESOLVE_AT + 3.0
MEASURES_AT = RESOLVE_AT + 4.0
END_AT = RESOLVE_AT + 20.0


@dataclass(slots=True)
class Course:
    """When things happened in this run (seconds since the epoch), and how much memory the session service held."""

    began: float = 0.0
    leaky: Deployed | None = None
    alert: float = 0.0
    alert_heard: float = 0.0
    incident_seen: float = 0.0
    patch: Deployed | None = None
    resolved: float = 0.0
    ended: float = 0.0
    resident: dict[str, int] = field(default_factory=dict)
    contention: float = 0.0
    incidents: list[dict[str, Any]] = field(default_factory=list)
    firing_at_end: list[str] = field(default_factory=list)


class Outage:
    """One run of the whole story."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._house = stage.house
        self._link = stage.link
        self._readings = stage.readings
        self._say = stage.say
        self.course = Course()

    def run(self) -> Course:
        """Let it happen; about five minutes."""
        course = self.course
        course.began = time.time()
        self._say("healthy: sessions 1.4 under the usual traffic")
        self._stage.until(course.began + BASELINE_SECONDS)
        scene = Scene(self._readings, self._before())
        course.leaky = self._deploy("2.0", "Remember which pages a visitor saw, to recommend from them")
        retire(self._house, course.leaky)
        self._await_alert()
        for offset, step in STEPS:
            self._stage.until(course.alert + offset)
            self._tell(list(step(scene)))
        self._patch()
        self._resolve()
        self._stage.until(course.alert + END_AT)
        course.firing_at_end = self._readings.firing()
        course.incidents = self._link.incidents()
        course.ended = time.time()
        return course

    def _before(self) -> Before:
        now = self._readings
        return Before(now.database(), now.load_balancer(), now.sessions())

    def _deploy(self, version: str, summary: str) -> Deployed:
        deployed = deploy(self._house, version)
        self._link.announce(change_body(deployed, summary))
        self._say(f"deployed sessions {version}: {deployed.sessions} live sessions handed over")
        self._memory(f"deployed {version}")
        return deployed

    def _await_alert(self) -> None:
        course = self.course
        nothing = f"the alert {ALERT!r} did not fire within {ALERT_WITHIN_SECONDS:.0f} s of the deploy"
        recorder = self._stage.recorder
        heard, alert = self._stage.wait_for(lambda: recorder.first(ALERT), time.time() + ALERT_WITHIN_SECONDS, nothing)
        course.alert = datetime.fromisoformat(alert["startsAt"]).timestamp()
        course.alert_heard = heard.at
        if self._link.webhooks:
            nothing = f"no incident was opened within {INCIDENT_WITHIN_SECONDS:.0f} s of the alert"
            self._stage.wait_for(self._link.incidents, time.time() + INCIDENT_WITHIN_SECONDS, nothing)
            course.incident_seen = time.time()
        self._memory("alert")
        self._say(f"the alert {ALERT!r} has fired by itself: {alert['annotations']['description']}")

    def _patch(self) -> None:
        course = self.course
        self._stage.until(course.alert + PATCH_AT - 0.5)
        self._memory("before the patch")
        course.contention = self._readings.contention()
        self._stage.until(course.alert + PATCH_AT)
        course.patch = self._deploy("2.0.1", "Let go of all visits when a session ends")
        before, after = (self.course.resident[name] / 1e6 for name in ("before the patch", "deployed 2.0.1"))
        how = (
            f"Deployed sessions 2.0.1, which lets go of all of a session's visits: {course.patch.sessions} live sessions "
            f"were handed over. The service holds {after:.0f} MB, {before:.0f} MB before the patch."
        )
        self._tell([("Dana", "mitigate", {"how": how})])
        retire(self._house, course.patch)
        self._memory("after the patch")

    def _resolve(self) -> None:
        course = self.course
        self._stage.until(course.alert + RESOLVE_AT - 0.2)
        shop, sessions, firing = self._readings.shop(), self._readings.sessions(), self._readings.firing()
        how = (
            f"One shop request in a hundred takes {shop.p99_seconds:.2f} s or more, {shop.error_percent:.1f} % of "
            f"answers are errors, the session service holds {sessions.megabytes:.0f} MB, and "
            f"{'no alert fires' if not firing else 'still firing: ' + ', '.join(firing)}. The shop is back."
        )
        self._stage.until(course.alert + RESOLVE_AT)
        self._tell([("Ada", "resolve", {"how": how})])
        course.resolved = time.time()
        self._stage.until(course.alert + CAUSES_AT)
        self._tell(afterwards.causes())
        self._stage.until(course.alert + MEASURES_AT)
        today = datetime.now(UTC).date()
        self._tell([("Ada", "propose_measure", measure.args(today)) for measure in MEASURES])

    def _tell(self, acts: list[tuple[str, str, dict[str, Any]]]) -> None:
        for by, act, args in acts:
            self._stage.tell(by, act, args, since=self.course.alert)

    def _memory(self, name: str) -> None:
        house = self._house
        self.course.resident[name] = resident_bytes(house.supervisor.pid(house.sessions))


def change_body(deployed: Deployed, summary: str) -> dict[str, Any]:
    """What the pipeline says of a deployment."""
    name = CHANGE.split()[0]
    number = 4179 + (deployed.version != "2.0")
    return {
        "id": f"pipeline-{number}",
        "service": name,
        "kind": "deploy",
        "version": deployed.version,
        "previous": deployed.previous,
        "environment": "production",
        "status": "succeeded",
        "summary": summary,
        "author": "Dana",
        "url": f"https://pipelines.shop.example/{name}/{number}",
        "at": stamp(deployed.switched),
    }
