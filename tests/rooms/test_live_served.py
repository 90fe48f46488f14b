"""The real server: an act of one person reaches the other's stream, and open streams do not keep the server from stopping."""

import json
import threading
import time

import httpx
import pytest

from tests.support.served import Served, until


@pytest.fixture
def served(tmp_path):
    made = Served(tmp_path, f"sqlite:///{tmp_path}/unrepeat.db")
    made.command("migrate")
    made.token = json.loads(made.command("user", "add", "Ada", "--role", "responder", "--token", "--json"))["token"]
    made.start()
    yield made
    made.kill()


class Reading(threading.Thread):
    """Reads a stream to its end, as curl does."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.address, self.headers = address, headers
        self.text = ""
        self.start()

    def run(self) -> None:
        with httpx.stream("GET", self.address, headers=self.headers, timeout=30, trust_env=False) as answer:
            for piece in answer.iter_text():
                self.text += piece


def test_acts_reach_open_streams_and_the_server_stops_at_once(served):
    api = f"http://127.0.0.1:{served.port}/api/v1"
    headers = {"Authorization": f"Bearer {served.token}"}
    with httpx.Client(headers=headers, trust_env=False, timeout=30) as http:
        number = http.post(f"{api}/incidents", json={"title": "Slow", "severity": "major"}).json()["number"]
        streams = [Reading(f"{api}/incidents/{number}/stream", headers) for _ in range(20)]
        until(lambda: all("retry" in one.text for one in streams), 20, "all streams are open")
        http.post(f"{api}/incidents/{number}/acts/note", json={"text": "memory falls"}).raise_for_status()
        until(lambda: all("memory falls" in one.text for one in streams), 20, "all streams have told the note")
    began = time.monotonic()
    assert served.stop(within=8) == 0
    for one in streams:
        one.join(5)
    assert not any(one.is_alive() for one in streams)
    assert time.monotonic() - began < 8
