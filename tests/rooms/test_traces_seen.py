"""Traces that a Jaeger gives while an incident is looked at: they find, they are evidence, and the page says where the call graph is from."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.support.made_up_traces import Made, jaeger, pages, renamed
from tests.support.monitored_shop import ALERT, monitored
from unrepeat.duty import commands as duty
from unrepeat.incidents import commands, queries
from unrepeat.incidents.entries import AlertFired, Happened, IncidentOpened
from unrepeat.investigation import investigate
from unrepeat.investigation import queries as kept
from unrepeat.investigation.telemetry import trace_source, using
from unrepeat.investigation.telemetry.trace_source import Jaeger
from unrepeat.support import clock
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
NOW = ALERT.timestamp()
CATALOGUE = """
[services.shop]
depends_on = ["sessions", "database"]
[services.sessions]
labels = { service = "sessions", app = "session-management" }
[services.load-balancer]
depends_on = ["shop"]
[services.database]
"""


@pytest.fixture(autouse=True)
def _asked_afresh(monkeypatch):
    monkeypatch.setattr(investigate, "resting", investigate.Resting())


class Served:
    """A Jaeger that knows these spans; `asked` are its queries."""

    def __init__(self, spans: list[Made]) -> None:
        self.spans, self.asked = spans, []
        self.slow, self.body, self.status = 0.0, b"", 200

    def answer(self, query: dict[str, list[str]]) -> bytes:
        self.asked.append(query)
        if self.body:
            return self.body
        start, end = (int(query[name][0]) / 1e6 for name in ("start", "end"))
        wanted = {one.trace for one in self.spans if one.service == query["service"][0] and start <= one.start <= end}
        return json.dumps(jaeger([one for one in self.spans if one.trace in wanted])).encode()


@contextmanager
def serving(spans: list[Made]) -> Iterator[tuple[Served, Jaeger]]:
    """The Jaeger, listening."""
    served = Served(spans)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(served.slow)
            body = served.answer(parse_qs(urlsplit(self.path).query))
            self.send_response(served.status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield served, Jaeger(f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


def looked_at(jaeger_: Jaeger | None, *, service: str = "shop", seconds: int = 30) -> int:
    """An incident of the shop, some seconds after its alert; its metrics are healthy."""
    duty.load_catalogue(CATALOGUE)
    story = [
        IncidentOpened("Shop slow", "critical", service),
        Happened(AlertFired(1, "Shop slow", service), ALERT, "alertmanager"),
    ]
    at = ALERT + timedelta(seconds=seconds)
    with clock.using(clock.SimulatedClock(at)), using(monitored()), trace_source.using(jaeger_):
        number = commands.begin(story, by="unrepeat", at=ALERT)
        Worker().run_until_idle()
    return number


def board(number: int) -> str:
    client = Client(headers={"accept": "text/html"})
    user, _ = User.objects.get_or_create(username="Cleo", defaults={"role": "reader"})
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.get(f"/incidents/{number}/part/suspects").content.decode()


SLOW = [*pages(0, 60, NOW - 1800, every=20), *pages(100, 25, NOW - 20, every=2, sessions=1.5)]


def test_a_service_that_takes_longer_by_itself_is_found_in_traces_alone():
    with serving(renamed(SLOW, "sessions", "session-management")) as (served, source):
        number = looked_at(source)
    raised = queries.state_of(number).suspects["service", "sessions"]
    assert raised.verdict == "suspect"
    assert "Sessions takes longer by itself: POST /touch spends 1.5 s of its own, in quiet 20 ms." in raised.reason
    (digest,) = raised.evidence
    told = queries.state_of(number).evidence[digest]
    assert told.source == source.source
    assert kept.is_intact(digest)
    assert kept.result(digest).data["shown"]["unit"] == "seconds"
    assert {query["service"][0] for query in served.asked} >= {"shop", "sessions", "session-management"}


def test_the_page_says_where_the_call_graph_is_from():
    with serving(SLOW) as (_, source):
        page = board(looked_at(source))
    assert f"The call graph was seen in 85 traces from {source.source}" in page
    assert "what the catalogue says stands for database and load-balancer, which no trace shows" in page


def test_without_traces_it_is_the_catalogues_and_the_page_says_so():
    assert "The call graph is the catalogue&#x27;s: no traces are connected." in board(looked_at(None))


def test_a_jaeger_that_is_down_hinders_nothing_and_is_said():
    page = board(looked_at(Jaeger("http://127.0.0.1:9")))
    assert "Traces could not be seen: Jaeger at 127.0.0.1:9 could not be asked" in page


def test_a_jaeger_that_hangs_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(trace_source, "SECONDS", 0.3)
    with serving(SLOW) as (served, source):
        served.slow = 3.0
        began = time.monotonic()
        number = looked_at(source)
        assert time.monotonic() - began < 3
    assert "Traces could not be seen" in board(number)


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"<html>", 200, "gave what is no JSON"),
        (b"7", 200, "neither OTLP nor Jaeger JSON"),
        (b"gone", 503, "answered with status 503"),
    ],
)
def test_nonsense_hinders_nothing_and_is_said(body, status, why):
    with serving([]) as (served, source):
        served.body, served.status = body, status
        page = board(looked_at(source))
    assert why in page


def test_traces_of_nobody_we_look_at_leave_the_catalogue():
    with serving([]) as (_, source):
        page = board(looked_at(source))
    assert "had no trace of these services" in page
