"""What follows 12 August: the report is published, guards are declared and proven, 2.0 comes again, and is recognised.

Everything is done as people and pipelines do it: through the API, and with `unrepeat` in a checkout of the service's repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.afterwards import BACKTEST, HEALTHY, LIVE, LOAD, RECORDING
from lab.deploy import deploy, retire
from lab.link import ToUnrepeat
from lab.outage import Course, change_body
from lab.repository import Repository
from lab.stage import Stage
from lab.timemap import stamp

GUARDS = (BACKTEST, LOAD, LIVE)
GUARDED = (1, 2, 3, 5)  # measures of the report that the three guards watch over
WATCHED = 5  # the one whose guard runs on the live shop
PROOF_WITHIN = 90.0  # seconds
GREEN_WITHIN = 30.0
ALERT_WITHIN = 120.0
RED_WITHIN = 60.0
NAMED_WITHIN = 30.0
POSTMORTEM = 1
FIRST, SECOND = 1, 2  # incidents


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was tried, what came of it, and whether it was as it has to be."""

    what: str
    came: str
    good: bool


@dataclass(slots=True)
class Second:
    """What the second half measured. Seconds count from the first alert's webhook of the second outage; None: it never was."""

    proven: int = 0
    minutes_earlier: float | None = None
    check_red: bool = False
    named: bool = False
    named_s: float | None = None
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, came: str, good: bool) -> None:
        """One more line."""
        self.rows.append(Row(what, came, good))


class NeverTwice:
    """One run of the second half, on a stage where 12 August has just been."""

    def __init__(self, stage: Stage, link: ToUnrepeat, course: Course, recording: Path) -> None:
        self._stage, self._link, self._course, self._recording = stage, link, course, recording
        self._repository = Repository(stage.house.folder)
        self.made = Second()

    def run(self) -> Second:
        """Publish, prove, verify, check, ship 2.0 again."""
        self._publish()
        self._declare()
        self._prove()
        self._verify()
        self._check("2.0.1", expected=0)
        self._check("2.0", expected=1)
        self._again()
        return self.made

    # -- the report, its measures, its guards ------------------------------------------------------

    def _publish(self) -> None:
        self._link.ask("Ada", "POST", f"/postmortems/{POSTMORTEM}/publish")
        headline = self._link.ask("Ada", "GET", f"/postmortems/{POSTMORTEM}")["headline"]
        self._say(f"PM-{POSTMORTEM} is published: {headline}")
        server = self._link.server
        server.terminal("recording", "add", str(self._recording), "--incident", str(FIRST), "--service", "sessions")
        start, end = _healthy_again(self._recording)
        server.terminal("recording", "cut", RECORDING, "--from", start, "--to", end, "--as", HEALTHY)

    def _declare(self) -> None:
        """The guards come from the repository, as they do when the pipeline of the reviewed branch runs."""
        self._repository.release("2.0")
        self._repository.release("2.0.1")
        done = self._unrepeat("check", "--path", ".", "--service", "sessions")
        known = {one["name"] for one in self._link.ask("Ada", "GET", "/guards")["items"]}
        self.made.add(
            "guards declared from unrepeat.toml",
            ", ".join(sorted(known)) or done.stdout[-300:],
            set(GUARDS) <= known,
        )

    def _prove(self) -> None:
        """Each guard on the failure and on the fix: recordings, live windows, and two commits."""
        course = self._course
        assert course.leaky is not None
        assert course.patch is not None
        leaking = _window(course.alert, course.patch.switched)
        mended = _window(course.patch.switched + 15, time.time())
        with ThreadPoolExecutor(1) as beside:
            loaded = beside.submit(
                self._unrepeat, "guard", "prove", LOAD, "--failure", "v2.0", "--fix", "v2.0.1", "--repo", "."
            )
            for guard, failure, fix in (
                (BACKTEST, f"recording:{RECORDING}", f"recording:{HEALTHY}"),
                (LIVE, leaking, mended),
            ):
                self._link.ask("Dana", "POST", f"/guards/{guard}/prove", {"failure": failure, "fix": fix})
            loaded.result()
        for guard in GUARDS:
            proof = self._proof(guard)
            self.made.proven += proof["proven"]
            sides = f"On {proof['failure']['target']}: {proof['failure']['said']} On {proof['fix']['target']}: {proof['fix']['said']}"
            self.made.add(f"proof of {guard}", f"{proof['said']} {sides}", proof["proven"])
            if guard == BACKTEST:
                self.made.minutes_earlier = proof["failure"].get("figures", {}).get("minutes_before")

    def _proof(self, guard: str) -> dict[str, Any]:
        """The newest trial of a guard, once there is one."""

        def trials() -> list[dict[str, Any]]:
            return list(self._link.ask("Ada", "GET", f"/guards/{guard}/proofs")["items"])

        nothing = f"no proof of {guard} within {PROOF_WITHIN:.0f} s"
        found: dict[str, Any] = self._stage.wait_for(trials, time.time() + PROOF_WITHIN, nothing)[0]
        return found

    def _verify(self) -> None:
        """The work is done; with proven, green guards its measures are verified."""
        for measure in GUARDED:
            self._tell("Dana", "finish_measure", {"measure": measure, "how": "Shipped with 2.0.1."}, FIRST)

        def verified() -> bool:
            return set(self._states(GUARDED)) == {"verified"}

        self._wait(verified, GREEN_WITHIN)
        self.made.add("measures of PM-1 with a guard", ", ".join(self._states(GUARDED)), verified())

    def _check(self, version: str, *, expected: int) -> None:
        """What the pipeline of a release says before it is shipped."""
        self._repository.check_out(version)
        done = self._unrepeat("check", "--path", ".", "--service", "sessions")
        lines = [line.strip() for line in done.stdout.splitlines() if "would repeat" in line]
        good = done.returncode == expected and bool(lines) == bool(expected)
        said = lines[0] if lines else f"exit status {done.returncode}"
        self.made.add(f"unrepeat check on sessions {version}", said, good)
        if expected:
            self.made.check_red = good
            failed = self._failed()
            self.made.add("the red check fails the measures", _of_report(failed), set(failed) == {1, 3})
        self._say(f"unrepeat check on {version}: exit status {done.returncode}; {said}")
        if not good:
            self._stage.say(done.stdout[-2000:] + done.stderr[-2000:])

    # -- the second time ---------------------------------------------------------------------------

    def _again(self) -> None:
        """2.0 is shipped all the same. The first alert names the report; the guard that watches turns red."""
        shipped = self._ship("2.0", "Remember which pages a visitor saw (shipped over a red check)")
        heard, _ = self._stage.wait_for(
            lambda: self._stage.recorder.first(after=shipped),
            time.time() + ALERT_WITHIN,
            "no alert fired after 2.0 was shipped again",
        )
        self._say("the alert has fired again")
        seen = self._wait(lambda: self._seen(heard.at), NAMED_WITHIN)
        self.made.named, self.made.named_s = bool(seen), seen["after"] if seen else None
        self.made.add(
            "the incident that opens names the report",
            f"{seen['standing']}, {seen['after']:.2f} s after the first alert: {seen['said']}" if seen else "never",
            bool(seen),
        )
        red = self._wait(lambda: WATCHED in self._failed(), RED_WITHIN)
        self.made.add(f"{LIVE} turns red on the live shop", _of_report(self._failed()), bool(red))
        if seen:
            self._tell("Ada", "confirm_repeat", {"postmortem": POSTMORTEM, "reason": "2.0 again."}, self._second())
        self._ship("2.0.1", "Back to the release that lets go")
        self._tell("Ada", "resolve", {"how": "2.0.1 runs again."}, self._second())
        number = self._link.ask("Ada", "GET", "/repeats")
        self.made.add("repeats this year", str(number.get("this_year")), number.get("this_year") == 1)

    def _ship(self, version: str, summary: str) -> float:
        deployed = deploy(self._stage.house, version)
        self._link.announce(change_body(deployed, summary))
        self._say(f"deployed sessions {version}")
        retire(self._stage.house, deployed)
        return deployed.switched

    def _second(self) -> int:
        return max(int(one["number"]) for one in self._link.incidents())

    def _seen(self, heard: float) -> dict[str, Any] | None:
        """When and how the newest incident's log names the report."""
        number = self._second()
        if number < SECOND:
            return None
        for item in self._link.log(number) or []:
            entry = item["entry"]
            if entry["kind"] == "repeat_suspected" and entry["postmortem"] == POSTMORTEM:
                return {
                    "standing": entry["standing"],
                    "after": _unix(item["recorded_at"]) - heard,
                    "said": "; ".join(entry["reasons"]),
                }
        return None

    def _failed(self) -> list[int]:
        """The measures that were verified and do not hold any more."""
        return [number for number, state in zip(GUARDED, self._states(GUARDED), strict=True) if state == "failed"]

    # -- how it is done ----------------------------------------------------------------------------

    def _states(self, numbers: tuple[int, ...]) -> list[str]:
        measures = self._link.ask("Ada", "GET", f"/incidents/{FIRST}")["state"]["measures"]
        states = {one["number"]: one["state"] for one in measures}
        return [states.get(number, "missing") for number in numbers]

    def _wait(self, ask: Callable[[], Any], seconds: float) -> Any:
        until = time.time() + seconds
        while not (found := ask()) and time.time() < until:
            self._stage.house.supervisor.check()
            time.sleep(0.1)
        return found

    def _tell(self, by: str, act: str, args: dict[str, Any], number: int) -> None:
        self._stage.tell(by, act, args, since=self._course.alert, number=number)

    def _say(self, words: str) -> None:
        self._stage.say(words)

    def _unrepeat(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`unrepeat` in the checkout, as a runner has it: the server's address and a token, no database."""
        return subprocess.run(
            [sys.executable, "-m", "unrepeat", *words],
            cwd=self._repository.folder,
            env=_runner(self._link.server.url, self._link.token("Dana")),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )


def _of_report(measures: list[int]) -> str:
    """Which measures have failed, in words."""
    return f"failed: {', '.join(f'PM-{POSTMORTEM}/{number}' for number in measures)}" if measures else "none has failed"


def _runner(url: str, token: str) -> dict[str, str]:
    """The environment of a runner: where the server is, who it is, and nothing of ours."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("UNREPEAT_", "DATABASE_URL"))}
    return kept | {"PATH": path, "UNREPEAT_URL": url, "UNREPEAT_TOKEN": token, "COLUMNS": "160"}


def _window(start: float, end: float) -> str:
    return f"{stamp(start)}/{stamp(end)}"


def _unix(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _healthy_again(recording: Path) -> tuple[str, str]:
    """Where the recording is healthy again: from a while after the patch until its end."""
    healthy = json.loads((recording / "manifest.json").read_text())["healthy"]
    return healthy["from"], healthy["to"]
