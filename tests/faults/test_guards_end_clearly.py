"""Whatever a guard's world does, its run ends as a clear state with a remedy, proves nothing, and the worker goes on.

promtool, web servers and Prometheus that hang or print without end are made up; promtool's own complaints are real.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import unrepeat.prevention
from tests.support.postgres import free_port
from unrepeat.prevention import commands, store
from unrepeat.prevention.commands import Declared, Ran
from unrepeat.prevention.guards import promql
from unrepeat.prevention.kind import Outcome, Recorded, Target, Tools, checked
from unrepeat.prevention.running import patrol
from unrepeat.support import http
from unrepeat.support.config import Config
from unrepeat.worker import Worker

SAMPLES = Path(unrepeat.prevention.__path__[0]) / "samples" / "alert_backtest"
RULE = {"alert": "Visits", "expr": "sessions_tracked_visits / sessions_live > 12", "for": "5m"}
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")


@pytest.fixture
def leak(tmp_path: Path) -> Path:
    """A copy of a small recording of the leak."""
    return Path(shutil.copytree(SAMPLES / "red", tmp_path / "leak"))


@pytest.fixture
def promtool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a made-up promtool, a Python script, before all others in PATH."""

    def put(script: str) -> None:
        program = tmp_path / "bin" / "promtool"
        program.parent.mkdir()
        program.write_text(f"#!/usr/bin/env python3\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return put


@pytest.fixture
def listening() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Start servers that do with a connection what they are told; each gives its port."""
    opened: list[socket.socket] = []

    def listen(do: Callable[[socket.socket], None]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        opened.append(server)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    opened.append(connection)
                    threading.Thread(target=_quietly, args=(do, connection), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        return int(server.getsockname()[1])

    yield listen
    for one in opened:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()


def _quietly(do: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with suppress(OSError):
        do(connection)


def never_answers(connection: socket.socket) -> None:
    connection.recv(65536)


def drips_its_head(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def says_a_gigabyte(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(1024):
        connection.sendall(b"x" * 2**20)


def says_nonsense(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\x00not JSON")
    connection.close()


def is_no_server(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.shop.example ESMTP\r\n")
    connection.close()


@pytest.fixture
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The door is open for this machine."""
    monkeypatch.setattr(http, "config", lambda: Config(private_addresses=["127.0.0.0/8"]))


def backtest(folder: Path, seconds: float = 20.0, **changed: Any) -> Outcome:
    """A rule over a recording, both as a regular run."""
    spec = checked("alert_backtest", {"rule": RULE, "recording": "leak", **changed})
    tools = Tools(seconds, {"leak": Recorded("leak", folder)})
    outcome, took = patrol.run_safely("alert_backtest", spec, Target(), tools)
    assert took < seconds + 10
    return outcome


def says(outcome: Outcome, *words: str) -> None:
    """It is broken, says why, and what to do."""
    assert outcome.colour == "broken", outcome
    assert outcome.remedy
    for word in words:
        assert word in f"{outcome.said} {outcome.remedy}", outcome


def test_promtool_is_missing(leak, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    says(backtest(leak), "promtool is not installed", "apt install prometheus")
    spec = checked("promql", {"expr": "sessions_live", "op": ">", "threshold": 1})
    says(promql.run(spec, Target("recording", "leak", folder=leak), Tools()), "promtool is not installed")


@needs_promtool
@pytest.mark.parametrize("expr", ["sessions_live > > 12", "sum by (sessions_live", "nonsense(sessions_live)", '"text"'])
def test_a_rule_has_a_syntax_error(leak, expr):
    outcome = backtest(leak, rule={**RULE, "expr": expr})
    says(outcome, "promtool refuses this rule", "Mend the rule")
    assert "parse" in outcome.said or "expression" in outcome.said or "vector" in outcome.said


@needs_promtool
def test_a_rule_whose_template_is_wrong_is_not_taken_for_silence(leak):
    says(backtest(leak, rule={**RULE, "annotations": {"summary": "{{ $labels.service "}}), "promtool refuses this rule")


@needs_promtool
def test_a_recording_was_cut_short(leak):
    metrics = leak / "metrics.parquet"
    metrics.write_bytes(metrics.read_bytes()[:-200])
    says(backtest(leak), "not whole", "metrics.parquet", "record it again")


@needs_promtool
@pytest.mark.parametrize("contents", [b"", b"PAR1", b"PAR1" + b"\0" * 500 + b"PAR1"])
def test_a_recording_s_metrics_are_no_parquet_although_the_manifest_agrees(leak, contents):
    (leak / "metrics.parquet").write_bytes(contents)
    manifest = json.loads((leak / "manifest.json").read_text())
    manifest["files"]["metrics.parquet"] = hashlib.sha256(contents).hexdigest()
    (leak / "manifest.json").write_text(json.dumps(manifest))
    says(backtest(leak), "cannot be read")


@needs_promtool
def test_a_recording_has_gone(leak):
    shutil.rmtree(leak)
    says(backtest(leak), "has gone", "recording add")
    says(backtest(leak, recording="another"), "no recording “another”", "recording add")


def test_promtool_hangs_and_nothing_of_it_is_left(leak, promtool, tmp_path):
    promtool(f"import os, time\nopen('{tmp_path}/pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    says(backtest(leak, seconds=2.0), "had not ended after 2 s", "shorter recording")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_promtool_prints_a_gigabyte(leak, promtool):
    promtool("import sys\nfor _ in range(1024):\n    sys.stdout.write('x' * 2**20)")
    outcome = backtest(leak)
    says(outcome, "printed more than", "Prometheus' own")
    assert len(outcome.output.encode()) <= 64 * 1024


def test_promtool_fails_without_a_word(leak, promtool):
    promtool("raise SystemExit(3)")
    says(backtest(leak), "status 3")


@pytest.mark.parametrize("status", [0, 1])
def test_promtool_speaks_in_words_that_are_not_known(leak, promtool, status):
    promtool(f"print('FAILED: expected nothing at 1h and got {{}} => 5400')\nraise SystemExit({status})")
    outcome = backtest(leak)
    says(outcome)
    assert "not understood" in outcome.said or "refuses" in outcome.said


@pytest.mark.parametrize(
    ("server", "word"),
    [
        (never_answers, "not complete"),
        (drips_its_head, "not complete"),
        (says_a_gigabyte, "longer than"),
        (is_no_server, "could not be asked"),
    ],
)
def test_an_address_does_not_answer_as_it_should(server, word, listening, allowed):
    spec = checked("http_check", {"url": f"http://127.0.0.1:{listening(server)}/health"})
    outcome, took = patrol.run_safely("http_check", spec, Target(), Tools(4.0))
    says(outcome, word, "Check the address")
    assert took < 6


def test_an_address_has_gone(allowed):
    spec = {"url": f"http://127.0.0.1:{free_port()}/health"}
    says(patrol.run_safely("http_check", checked("http_check", spec), Target(), Tools(4.0))[0], "unreachable")
    red, _ = patrol.run_safely(
        "http_check", checked("http_check", {**spec, "unreachable": "red"}), Target(), Tools(4.0)
    )
    assert red.colour == "red"


@pytest.mark.parametrize("server", [never_answers, drips_its_head, says_a_gigabyte, says_nonsense, is_no_server, None])
def test_prometheus_is_down_slow_or_talks_nonsense(server, listening, monkeypatch):
    port = listening(server) if server else free_port()
    monkeypatch.setattr(promql, "config", lambda: Config(prometheus_url=f"http://127.0.0.1:{port}"))
    spec = checked("promql", {"expr": "up", "op": "<", "threshold": 1})
    outcome, took = patrol.run_safely("promql", spec, Target(), Tools(15.0))
    says(outcome, f"127.0.0.1:{port}", "See that Prometheus runs")
    assert took < 10


@pytest.mark.django_db
@pytest.mark.parametrize("colour", ["green", "red", "broken"])
def test_a_guard_that_always_says_the_same_is_never_proven(colour):
    text = {"expr": "vector(1)", "op": ">", "threshold": 0}
    number = commands.declare(Declared("always", "promql", text), by="Ada").pk
    same = Ran(Outcome(colour, "It says what it always says.", "Look at it." if colour == "broken" else ""))
    proof = commands.record_proof(number, same, same, by="Ada")
    assert not proof.proven
    assert store.guard(number).proven_digest == ""


@needs_promtool
@pytest.mark.parametrize(("threshold", "colour"), [(-1, "red"), (10**9, "green")])
def test_an_expression_that_always_or_never_holds_is_red_or_green_on_both(leak, threshold, colour):
    spec = checked("promql", {"expr": "sessions_live", "op": ">", "threshold": threshold})
    for folder in (leak, SAMPLES / "green"):
        assert promql.run(spec, Target("recording", folder.name, folder=folder), Tools()).colour == colour


@pytest.mark.django_db
def test_none_of_them_takes_the_worker_with_it(leak, listening, allowed, monkeypatch, promtool):
    promtool("import time\ntime.sleep(600)")
    monkeypatch.setattr(patrol, "PATIENCE", 3.0)
    monkeypatch.setattr(promql, "config", lambda: Config(prometheus_url=f"http://127.0.0.1:{listening(never_answers)}"))
    store.keep_recording(
        "leak",
        folder=str(leak),
        digest="0" * 64,
        healthy=False,
        incident_id=None,
        added_by="Ada",
        added_at="2024-08-12T18:00Z",
    )
    well = listening(lambda c: (c.recv(65536), c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), c.close()))
    texts = {
        "hangs": ("alert_backtest", {"rule": RULE, "recording": "leak"}),
        "gone": ("alert_backtest", {"rule": RULE, "recording": "another"}),
        "drips": ("http_check", {"url": f"http://127.0.0.1:{listening(drips_its_head)}/"}),
        "endless": ("http_check", {"url": f"http://127.0.0.1:{listening(says_a_gigabyte)}/"}),
        "silent": ("promql", {"expr": "up", "op": "<", "threshold": 1}),
        "well": ("http_check", {"url": f"http://127.0.0.1:{well}/"}),
    }
    numbers = {
        name: commands.declare(Declared(name, kind, text, every=3600), by="Ada").pk
        for name, (kind, text) in texts.items()
    }
    began = time.monotonic()
    Worker().run_until_idle()
    assert time.monotonic() - began < 25
    colours = {name: store.guard(number).colour for name, number in numbers.items()}
    assert colours == {**dict.fromkeys(texts, "broken"), "well": "green"}
    for name, number in numbers.items():
        (run,) = store.runs(number)
        assert run.said and (run.remedy or name == "well")
        assert store.guard(number).proven_digest == ""
