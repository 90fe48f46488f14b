"""Memory is gathered from Prometheus or from a recording, kept under a digest, and nothing that a Prometheus does can hurt an incident."""

from __future__ import annotations

import contextlib
import json
import math
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb
import pytest

from tests.support.outage import at, outage
from unrepeat.duty import commands as duty
from unrepeat.incidents import queries as incidents
from unrepeat.incidents import store as log_store
from unrepeat.incidents.commands import begin
from unrepeat.incidents.entries import EvidenceGathered, EvidenceMissing, Happened
from unrepeat.investigation import jobs, queries
from unrepeat.investigation.models import Result
from unrepeat.investigation.telemetry import Unanswered, prometheus, telemetry, using
from unrepeat.investigation.telemetry.prometheus import Prometheus
from unrepeat.investigation.telemetry.recording import RecordedMetrics
from unrepeat.support import clock
from unrepeat.support.models import Wakeup
from unrepeat.support.wakeups import Claim
from unrepeat.worker import Worker

REAL = Path(__file__).parents[2] / "lab" / "recordings" / "2024-08-12-memory-leak"
WINDOW = (at("14:15"), at("18:15"), 60)


@contextlib.contextmanager
def answering(body: bytes, status: int = 200, *, slowly: float = 0.0, forever: bool = False):
    """An HTTP server that answers like a broken Prometheus; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.end_headers()
            with contextlib.suppress(OSError):
                while forever:
                    self.wfile.write(b" " * 65536)
                time.sleep(slowly)
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def a_recording(
    home: Path, rows: list[tuple[datetime, str, dict, float]], manifest: dict | None = None
) -> RecordedMetrics:
    home.mkdir(exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute('create table m ("at" timestamp, name varchar, labels varchar, value double)')
        connection.executemany(
            "insert into m values (?, ?, ?, ?)",
            [(when.replace(tzinfo=None), name, json.dumps(labels), value) for when, name, labels, value in rows],
        )
        connection.execute(f"copy m to '{home}/metrics.parquet' (format parquet)")
    if manifest is not None:
        (home / "manifest.json").write_text(json.dumps(manifest))
    return RecordedMetrics(home)


def leak(first: str = "14:00", minutes: int = 300) -> list[tuple[datetime, str, dict, float]]:
    return [
        (at(first) + timedelta(minutes=i), "process_resident_memory_bytes", {"job": "sessions"}, 1e6 * (50 + i))
        for i in range(minutes)
    ]


def an_outage(*, until: int | None = None) -> int:
    story = [Happened(entry, when, by) for when, by, entry in outage() if not isinstance(entry, EvidenceGathered)][
        :until
    ]
    number = begin(story[:1], by="unrepeat", at=at("15:15"))
    log_store.append(number, story[1:], by="unrepeat", at=at("18:15"))
    return number


def claim(number: int, key: str = "gather:1:19") -> Claim:
    return Claim(1, "investigation", "gather", {"incident": number}, key, at("18:00"), 1, 1, at("18:01"))


def gather(number: int, key: str = "gather:1:19") -> str:
    made = claim(number, key)
    from django.db import transaction

    answers = jobs.PREPARATIONS["gather"](made)
    with transaction.atomic():
        return jobs.HANDLERS["gather"](made, answers)


def evidence(number: int) -> list:
    """What is known of memory, or is not; impact is another matter."""
    found = [one.entry for one in incidents.log_of(number)]
    return [e for e in found if isinstance(e, EvidenceGathered | EvidenceMissing) and e.title.startswith("Memory")]


@pytest.mark.django_db
def test_the_memory_of_the_guilty_service_becomes_evidence(tmp_path):
    number = an_outage()
    with using(a_recording(tmp_path / "leak", leak())), clock.using(clock.SimulatedClock(at("19:00"))):
        gather(number)
    (found,) = evidence(number)
    assert (found.title, found.service, found.unit) == ("Memory of sessions", "sessions", "bytes")
    assert found.query == 'process_resident_memory_bytes{job="sessions"}'
    assert (found.window_from, found.window_to) == (at("14:15"), at("18:15"))
    kept = queries.result(found.digest)
    assert len(kept.data["series"][0]["points"]) == 241
    assert queries.is_intact(found.digest)
    Result.objects.filter(pk=kept.pk).update(query="another")
    assert not queries.is_intact(found.digest)


@pytest.mark.django_db
def test_gathered_twice_is_written_once(tmp_path):
    number = an_outage()
    with using(a_recording(tmp_path / "leak", leak())), clock.using(clock.SimulatedClock(at("19:00"))):
        gather(number)
        gather(number)
        gather(number, "gather:1:after:99")
    assert len(evidence(number)) == 1
    assert Result.objects.count() == 1


@pytest.mark.django_db
def test_the_catalogues_labels_say_how_a_service_is_called(tmp_path):
    duty.load_catalogue('[services.sessions]\nlabels = { job = "sess", env = "prod" }\n')
    number = an_outage()
    rows = [
        (when, name, {"job": "sess", "env": env}, value) for env in ("prod", "test") for when, name, _, value in leak()
    ]
    with using(a_recording(tmp_path / "leak", rows)), clock.using(clock.SimulatedClock(at("19:00"))):
        gather(number)
    (found,) = evidence(number)
    assert found.query == 'process_resident_memory_bytes{env="prod",job="sess"}'
    assert len(queries.result(found.digest).data["series"]) == 1


@pytest.mark.django_db
def test_after_the_resolve_it_is_looked_at_once_more(tmp_path):
    with using(a_recording(tmp_path / "leak", leak())), clock.using(clock.SimulatedClock(at("18:10"))) as _:
        number = an_outage()
        gather(number)
        waiting = Wakeup.objects.get(key__contains=":after:")
        assert waiting.due_at == at("18:15")
    with using(a_recording(tmp_path / "leak", leak())), clock.using(clock.SimulatedClock(at("18:15"))):
        Worker().run_until_idle()
    windows = [found.window_to for found in evidence(number) if isinstance(found, EvidenceGathered)]
    assert windows == [at("18:10"), at("18:15")]
    assert not Wakeup.objects.filter(key__contains=":after:", done_at=None).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        (b"<html>nginx</html>", 200, "no range of numbers"),
        (b"", 200, "no range of numbers"),
        (b"[]", 200, "no range of numbers"),
        (b'{"status": "success", "data": null}', 200, "no range of numbers"),
        (
            b'{"status": "success", "data": {"result": [{"metric": {}, "values": [["x", "y"]]}]}}',
            200,
            "no range of numbers",
        ),
        (b'{"status": "success", "data": {"result": 7}}', 200, "no range of numbers"),
        (b"[" * 100_000, 200, "no range of numbers"),
        (b'{"status": "error", "error": "query timed out"}', 422, "refused the query: query timed out"),
        (b"oh no", 500, "status 500"),
        (b'{"status": "success", "data": {"result": []}}', 200, "no samples"),
    ],
)
def test_nonsense_becomes_a_reason_in_the_log(body, status, why):
    number = an_outage()
    with (
        answering(body, status) as url,
        using(Prometheus(url)),
        clock.using(clock.SimulatedClock(at("19:00"))),
    ):
        gather(number)
        gather(number, "gather:1:20")
    (missing,) = evidence(number)
    assert missing.title == "Memory of sessions"
    assert why in missing.reason
    assert incidents.state_of(number).status == "resolved"


@pytest.mark.django_db
def test_without_any_telemetry_the_log_says_so():
    number = an_outage()
    gather(number)
    (missing,) = evidence(number)
    assert "no metrics are connected" in missing.reason


def test_down_slow_and_endless_end_within_their_bounds(monkeypatch):
    monkeypatch.setattr(prometheus, "SECONDS", 0.5)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{sock.getsockname()[1]}"
    began = time.monotonic()
    with pytest.raises(Unanswered, match=r"could not be asked: .*[^.]$"):  # a piece of a sentence
        Prometheus(closed).query_range("up", *WINDOW)
    with answering(b"{}", slowly=20) as url, pytest.raises(Unanswered, match="could not be asked"):
        Prometheus(url).query_range("up", *WINDOW)
    with answering(b"", forever=True) as url, pytest.raises(Unanswered, match="could not be asked"):
        Prometheus(url).query_range("up", *WINDOW)
    assert time.monotonic() - began < 8


def test_numbers_that_are_none_are_left_out():
    body = json.dumps(
        {
            "status": "success",
            "data": {"result": [{"metric": {"job": "s"}, "values": [[2, "NaN"], [3, "+Inf"], [1, "5.5"], [4, "6"]]}]},
        }
    )
    (series,) = Prometheus("http://x", lambda *_: body.encode()).query_range("up", *WINDOW)
    assert series.points == ((1.0, 5.5), (4.0, 6.0))
    assert all(math.isfinite(value) for _, value in series.points)


def test_a_password_in_the_address_is_never_told():
    source = Prometheus("https://ada:secret@metrics.example:9090/prom")
    assert source.source == "Prometheus at metrics.example:9090"
    with pytest.raises(Unanswered) as refused:
        Prometheus("http://ada:secret@127.0.0.1:1/prom").query_range("up", *WINDOW)
    assert "secret" not in str(refused.value)


def test_a_recording_never_shows_its_future(tmp_path):
    metrics = a_recording(tmp_path / "leak", leak())
    with clock.using(clock.SimulatedClock(at("15:30"))):
        (series,) = metrics.query_range('process_resident_memory_bytes{job="sessions"}', *WINDOW)
    assert max(t for t, _ in series.points) == at("15:30").timestamp()
    assert min(t for t, _ in series.points) == at("14:15").timestamp()


def test_a_recording_answers_as_prometheus_would(tmp_path):
    rows = [(at("14:15") + timedelta(minutes=i, seconds=20), "m", {"job": "a"}, float(i)) for i in range(10)]
    rows += [(at("14:15") + timedelta(minutes=i), "m", {"job": "b"}, math.nan) for i in range(10)]
    metrics = a_recording(tmp_path / "r", rows)
    with clock.using(clock.SimulatedClock(at("19:00"))):
        (series,) = metrics.query_range('m{job=~"a|b",job!="c"}', at("14:15"), at("14:30"), 60)
        assert metrics.query_range("other", at("14:15"), at("14:30"), 60) == []
    assert series.labels == {"__name__": "m", "job": "a"}
    assert series.points[:2] == ((at("14:16").timestamp(), 0.0), (at("14:17").timestamp(), 1.0)), (
        "the newest sample not after each step"
    )
    assert series.points[-1][0] <= at("14:26").timestamp(), "a sample does not stand for ever"


def test_a_recording_without_metrics_or_with_broken_ones_says_so(tmp_path):
    with clock.using(clock.SimulatedClock(at("19:00"))):
        with pytest.raises(Unanswered, match="has no metrics"):
            RecordedMetrics(tmp_path / "none").query_range("up", *WINDOW)
        (tmp_path / "metrics.parquet").write_bytes(b"PAR1 broken")
        with pytest.raises(Unanswered, match="cannot be read"):
            RecordedMetrics(tmp_path).query_range("up", *WINDOW)


def test_the_stretch_of_a_recording_is_part_of_its_source(tmp_path):
    metrics = a_recording(
        tmp_path / "leak", leak(), {"stretch": {"factor": 60, "says": "One second is one minute here."}}
    )
    assert metrics.source == "Recording leak (time axis stretched 60-fold. One second is one minute here)"
    assert RecordedMetrics(tmp_path / "none").source == "Recording none"


def test_what_is_put_in_is_used_and_taken_out_again(tmp_path):
    assert telemetry() is None
    with using(RecordedMetrics(tmp_path)) as _:
        assert isinstance(telemetry(), RecordedMetrics)
    assert telemetry() is None


@pytest.mark.skipif(not REAL.is_dir(), reason="the recording of 12 August is not here")
def test_the_recording_of_12_august_has_the_sessions_memory():
    with clock.using(clock.SimulatedClock(datetime(2024, 8, 12, 18, 15, tzinfo=UTC))):
        series = RecordedMetrics(REAL).query_range('process_resident_memory_bytes{service="sessions"}', *WINDOW)
    peak = max(value for one in series for _, value in one.points)
    first = min(series, key=lambda one: one.points[0][0]).points[0][1]
    assert peak > 3 * first, "the leak is in it"
