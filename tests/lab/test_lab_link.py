"""The lab and a running Unrepeat: an alert opens an incident, a deploy is seen, people act, the draft is there."""

from __future__ import annotations

import json
import time
from pathlib import Path

import httpx

import lab
from lab.link import ToUnrepeat
from lab.parts.unrepeat import UnrepeatServer
from lab.supervisor import Supervisor

RECORDING = Path(lab.__file__).parent / "recordings" / "2024-08-12-memory-leak"


def recorded(kind: str) -> list[str]:
    lines = [json.loads(line) for line in (RECORDING / "deliveries.jsonl").read_text().splitlines()]
    return [line["body"] for line in lines if line["kind"] == kind]


def soon(ask, seconds: float = 20.0):
    """The first answer that is not empty, or the last one."""
    limit = time.monotonic() + seconds
    while not (found := ask()) and time.monotonic() < limit:
        time.sleep(0.05)
    return found


def test_the_lab_tells_a_running_unrepeat_of_the_outage():
    with Supervisor() as supervisor:
        server = UnrepeatServer(supervisor.folder, "http://127.0.0.1:1", supervisor.folder / "no.log")
        supervisor.start(server)
        link = ToUnrepeat(server)
        link.announce(json.loads(recorded("generic_change")[0]))
        httpx.post(link.webhooks[0], content=recorded("alertmanager")[0], timeout=10).raise_for_status()

        [incident] = soon(link.incidents)
        assert incident["service"] == "sessions"
        link.act("Ben", "acknowledge", {})
        link.act("Ada", "raise_suspect", {"suspect": "database", "kind": "service", "reason": "It was it last time."})
        link.act("Dana", "mitigate", {"how": "Deployed sessions 2.0.1."})
        link.act("Ada", "resolve", {"how": "The shop is back."})

        assert link.incidents()[0]["status"] == "resolved"
        draft = soon(link.draft)
        assert set(draft) == {"postmortem.html", "postmortem.md"}
        assert "sessions 2.0" in draft["postmortem.md"]
        assert [act.act for act in link.journal.acts] == ["acknowledge", "raise_suspect", "mitigate", "resolve"]
