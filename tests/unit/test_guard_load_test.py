"""A service under load as a guard: red, or broken with a remedy, whatever the service does, and nothing left running."""

from __future__ import annotations

import pytest

from tests.support.on_runners import PYTHON, left_behind, run
from unrepeat.prevention.kind import checked
from unrepeat.support.problems import Problem

SERVICE = (
    "import sys\nfrom http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n"
    "class S(BaseHTTPRequestHandler):\n    protocol_version = 'HTTP/1.1'\n    def do_GET(self):\n"
    "        self.send_response({status} if self.path == '/visit' else 200)\n        self.send_header('Content-Length', '0')\n        self.end_headers()\n"
    "    def log_message(self, *a): pass\n"
    "ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), S).serve_forever()\n"
)
GOOD = SERVICE.replace("{status}", "200")
VISITORS = "from locust import FastHttpUser, constant, task\nclass V(FastHttpUser):\n    wait_time = constant(0.02)\n    @task\n    def v(self):\n        self.client.get('/visit')\n"


def load(checkout, *, start=None, service=None, visitors=VISITORS, lasting=3, ready=5, **limits):
    (checkout / "service.py").write_text(service or GOOD)
    (checkout / "visitors.py").write_text(visitors)
    spec = {
        "locustfile": "visitors.py",
        "users": 2,
        "spawn_rate": 2,
        "seconds": lasting,
        "warm_up": 0.5,
        "ready_seconds": ready,
    }
    start = start or [PYTHON, "service.py", "{port}"]
    return run("load_test", checkout, start=start, limits=limits or {"failure_share": 0.1}, **spec)


def test_a_service_that_fails_under_load_is_red_and_nothing_is_left(tmp_path):
    outcome = load(tmp_path, service=SERVICE.replace("{status}", "503"))
    assert outcome.colour == "red", outcome.said
    assert outcome.figures["failure_share"] == 1.0
    assert left_behind(str(tmp_path)) == []


def test_when_all_requests_fail_other_limits_say_nothing(tmp_path):
    outcome = load(tmp_path, service=SERVICE.replace("{status}", "503"), p95_ms=5000)
    assert outcome.colour == "broken"


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (["no-such-service"], "could not be started"),
        ([PYTHON, "-c", "raise SystemExit(4)"], "ended with status 4 before it served"),
        ([PYTHON, "-c", "import time; time.sleep(99)", "{port}"], "did not answer 2xx"),
    ],
)
def test_a_service_that_does_not_start_is_broken(tmp_path, start, said):
    outcome = load(tmp_path, start=start, ready=2)
    assert outcome.colour == "broken"
    assert said in outcome.said
    assert outcome.remedy


def test_a_locustfile_that_cannot_be_used_is_broken(tmp_path):
    assert load(tmp_path, visitors="import no_such_module\n").colour == "broken"
    outcome = run("load_test", tmp_path, start="x", locustfile="gone.py", limits={"p95_ms": 1})
    assert "has no gone.py" in outcome.said


def test_a_service_that_prints_a_gigabyte_is_read_to_its_end_and_kept_short(tmp_path):
    noisy = GOOD.replace(
        "ThreadingHTTPServer((", "import threading\nthreading.Thread(target=lambda: [sys.stdout.write('x' * 2**20) for _ in range(1024)], daemon=True).start()\nThreadingHTTPServer(("
    )  # fmt: skip
    outcome = load(tmp_path, service=noisy, lasting=8)
    assert outcome.colour == "green", outcome.said
    assert len(outcome.output) <= 64 * 1024


def test_a_load_test_without_limits_is_refused():
    with pytest.raises(Problem):
        checked("load_test", {"start": "x", "locustfile": "a.py", "limits": {}})


def test_memory_is_not_shared_out_over_a_handful_of_requests(tmp_path):
    slow = VISITORS.replace("constant(0.02)", "constant(1)")
    outcome = load(tmp_path, visitors=slow, memory_kb_per_request=1000.0)
    assert outcome.colour == "broken"
    assert "too few" in outcome.said
