"""Guards that only runners run: each ends as a clear state with a remedy, whatever its command does, and leaves nothing running."""

from __future__ import annotations

import os
import sys
import time

import psutil
import pytest

from unrepeat.prevention.kind import Target, Tools, checked, kind_of
from unrepeat.prevention.runner.checkout import place_in
from unrepeat.prevention.runner.compare import holds
from unrepeat.support.problems import Invalid, Problem

PYTHON = sys.executable


def script(folder, text, name="it.py"):
    (folder / name).write_text(text)
    return [PYTHON, name]


def run(kind, checkout, /, *, target=None, **spec):
    target = target or Target("now", folder=checkout)
    return kind_of(kind).run(checked(kind, spec), target, Tools(seconds=120))


def left_behind(marker):
    """Processes of ours whose command line has this word."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.pid != os.getpid() and marker in " ".join(process.info["cmdline"] or [])
    ]


# --- command


def test_a_command_that_always_passes_and_one_that_always_fails(tmp_path):
    assert run("command", tmp_path, command="true").colour == "green"
    failed = run("command", tmp_path, command="false")
    assert (failed.colour, failed.said) == ("red", "It ended with status 1; status 0 was expected.")
    assert run("command", tmp_path, command="false", expected=1).colour == "green"


def test_a_command_may_say_which_statuses_are_red(tmp_path):
    assert run("command", tmp_path, command="sh -c 'exit 3'", red=[3]).colour == "red"
    assert run("command", tmp_path, command="sh -c 'exit 2'", red=[3]).colour == "broken"
    assert run("command", tmp_path, command="sh -c 'kill -9 $$'").said.startswith("It ended by signal 9")


def test_a_command_that_hangs_is_ended_and_broken(tmp_path):
    began = time.monotonic()
    outcome = run(
        "command",
        tmp_path,
        command=script(tmp_path, "import time; print('at it', flush=True); time.sleep(600)"),
        seconds=1,
    )
    assert time.monotonic() - began < 20
    assert (outcome.colour, outcome.output) == ("broken", "at it\n")
    assert "had not ended after 1 s" in outcome.said
    assert "seconds" in outcome.remedy


def test_hanging_may_be_the_failure_itself(tmp_path):
    words = script(tmp_path, "import time; time.sleep(600)")
    assert run("command", tmp_path, command=words, seconds=1, when_late="red").colour == "red"


def test_a_command_that_prints_a_gigabyte_is_ended_and_broken(tmp_path):
    words = script(tmp_path, "import sys\nblock = 'x' * 2**20\nfor _ in range(1024): sys.stdout.write(block)\n")
    before = psutil.Process().memory_info().rss
    outcome = run("command", tmp_path, command=words)
    assert outcome.colour == "broken"
    assert "printed more than 64 MiB" in outcome.said
    assert len(outcome.output) <= 64 * 1024
    assert psutil.Process().memory_info().rss - before < 64 * 2**20


def test_a_command_that_is_not_there_is_broken(tmp_path):
    outcome = run("command", tmp_path, command="no-such-command --at all")
    assert outcome.colour == "broken"
    assert "could not be started" in outcome.said
    assert outcome.remedy
    inner = run("command", tmp_path, command="sh -c 'no-such-command'")
    assert inner.colour == "broken"


def test_a_checkout_or_folder_that_is_gone_is_broken(tmp_path):
    gone = run("command", tmp_path / "gone", command="true")
    assert (gone.colour, gone.said.partition(".")[0]) == ("broken", "The checkout is gone")
    assert run("command", tmp_path, command="true", folder="gone").colour == "broken"


def test_a_folder_that_leads_out_of_the_checkout_is_refused(tmp_path):
    (tmp_path / "out").symlink_to("/")
    assert run("command", tmp_path, command="true", folder="out").colour == "broken"
    for folder in ("..", "/tmp", "a/../../b"):
        with pytest.raises(Problem):
            checked("command", {"command": "true", "folder": folder})


@pytest.mark.parametrize("how", ["a child", "a child that left its group"])
def test_nothing_that_a_command_starts_is_left_running(tmp_path, how):
    marker = f"left-by-{os.getpid()}-{how.replace(' ', '-')}"
    apart = how == "a child that left its group"
    words = script(
        tmp_path,
        f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', {marker!r}],"
        f" start_new_session={apart})\n",
    )
    assert run("command", tmp_path, command=words).colour == "green"
    assert left_behind(marker) == []


def test_what_runs_sees_neither_our_token_nor_our_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("UNREPEAT_TOKEN", "uct_secret")
    outcome = run("command", tmp_path, command=script(tmp_path, "import os; print(sorted(os.environ))"))
    assert "UNREPEAT_TOKEN" not in outcome.output


def test_placeholders_stay_one_word_and_a_missing_one_is_broken(tmp_path):
    words = [PYTHON, "-c", "import sys; print(sys.argv[1:])", "{version}", "of {ref}"]
    target = Target("version", "2.0", folder=tmp_path, ref="2.0", variables={"version": "2.0; rm -rf x"})
    assert run("command", tmp_path, target=target, command=words).output == "['2.0; rm -rf x', 'of 2.0']\n"
    missing = run("command", tmp_path, command="echo {version}")
    assert missing.colour == "broken"
    assert "--set version" in missing.remedy
    with pytest.raises(Problem, match="placeholder"):
        checked("command", {"command": "echo {secret}"})


def test_a_red_command_names_the_line_that_its_output_names(tmp_path):
    (tmp_path / "src").mkdir()
    words = script(tmp_path, "raise SystemExit('gone.py:3: no such file\\nsrc/shop.py:7: visits are kept for ever')")
    (tmp_path / "src" / "shop.py").write_text("\n" * 9)
    place = run("command", tmp_path, command=words).place
    assert (place.path, place.line) == ("src/shop.py", 7)


def test_a_place_is_always_inside_the_checkout(tmp_path):
    outside = tmp_path / "outside.py"
    outside.write_text("x")
    inside = tmp_path / "checkout"
    (inside / "venv" / "site-packages").mkdir(parents=True)
    (inside / "venv" / "site-packages" / "lib.py").write_text("x")
    assert place_in(f"{outside}:3: x\n../outside.py:3\nvenv/site-packages/lib.py:4", inside) is None


# --- junit

HEAD = '<?xml version="1.0"?>'
PASSED = HEAD + '<testsuite><testcase classname="t" name="one"/><testcase classname="t" name="two"/></testsuite>'
FAILED = PASSED.replace('name="one"/>', 'name="one"><failure message="no">it.py:2: AssertionError</failure></testcase>')
ERRED = FAILED.replace("failure", "error")
SKIPPED = PASSED.replace('name="one"/>', 'name="one"><skipped/></testcase>')


def results(folder, text, **spec):
    (folder / "out.xml").write_text(text)
    return run("junit", folder, results="out.xml", **spec)


@pytest.mark.parametrize(
    ("text", "tests", "colour"),
    [
        (PASSED, [], "green"),
        (PASSED, ["one"], "green"),
        (FAILED, [], "red"),
        (ERRED, [], "broken"),
        (ERRED, ["one"], "broken"),
        (ERRED, ["two"], "green"),
        (FAILED, ["t.one"], "red"),
        (FAILED, ["t::one"], "red"),
        (FAILED, ["t.*"], "red"),
        (FAILED, ["two"], "green"),
        (FAILED, ["three"], "broken"),
        (FAILED, ["two", "three"], "broken"),
        (SKIPPED, ["one"], "broken"),
        (SKIPPED, [], "green"),
        (PASSED.replace("/>", "><skipped/></testcase>"), [], "broken"),
        (HEAD + "<testsuite/>", [], "broken"),
        (PASSED.replace("testsuite", "other"), [], "broken"),
        (PASSED[:60], [], "broken"),
        ("", [], "broken"),
        (PASSED.replace("testcase", "s:testcase").replace("<testsuite", "<testsuite xmlns:s='urn:x'"), [], "green"),
    ],
)
def test_what_results_say(tmp_path, text, tests, colour):
    outcome = results(tmp_path, text, tests=tests)
    assert outcome.colour == colour, outcome.said
    assert outcome.remedy or colour == "green"


def test_an_error_is_red_where_the_test_runner_tells_exceptions_so(tmp_path):
    assert results(tmp_path, ERRED, errors="red").colour == "red"
    assert "could not run" in results(tmp_path, ERRED).said


def test_a_failing_test_is_placed_on_its_line(tmp_path):
    (tmp_path / "it.py").write_text("\n\n")
    place = results(tmp_path, FAILED).place
    assert (place.path, place.line) == ("it.py", 2)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
HOSTILE = {
    "a billion laughs": f"<!DOCTYPE t [{LAUGHS}]><testsuite><testcase name='&l11;'/></testsuite>",
    "a file of ours": "<!DOCTYPE t [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><testsuite><testcase name='&x;'/></testsuite>",
    "no UTF-8": b"<?xml version='1.0' encoding='utf-8'?><testsuite>\xff\xfe</testsuite>",
    "an unknown encoding": b"<?xml version='1.0' encoding='ebcdic-99'?><testsuite/>",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_results_are_broken_and_cost_nothing(tmp_path, name):
    text = HOSTILE[name]
    (tmp_path / "out.xml").write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.monotonic()
    outcome = run("junit", tmp_path, results="out.xml")
    assert outcome.colour == "broken"
    assert "root:" not in outcome.said + outcome.output
    assert time.monotonic() - began < 5


def test_deeply_nested_results_are_no_crash(tmp_path):
    assert results(tmp_path, "<testsuite>" * 50_000 + "</testsuite>" * 50_000).colour == "broken"


def test_results_of_an_earlier_run_do_not_count(tmp_path):
    (tmp_path / "out.xml").write_text(PASSED)
    stale = run("junit", tmp_path, results="out.xml", command="true")
    assert stale.colour == "broken"
    assert "anew" in stale.said
    words = script(tmp_path, f"open('out.xml', 'w').write({FAILED!r})")
    assert run("junit", tmp_path, results="out.xml", command=words).colour == "red"


def test_a_runner_that_fails_though_no_test_does_is_broken(tmp_path):
    words = script(tmp_path, f"open('out.xml', 'w').write({PASSED!r}); raise SystemExit(3)")
    assert run("junit", tmp_path, results="out.xml", command=words).colour == "broken"
    assert run("junit", tmp_path, results="out.xml", command=words, tests=["one"]).colour == "green"


def test_test_runners_that_are_not_there_or_hang_are_broken(tmp_path):
    assert run("junit", tmp_path, results="out.xml", command="no-such-runner").colour == "broken"
    words = script(tmp_path, "import time; time.sleep(60)")
    assert run("junit", tmp_path, results="out.xml", command=words, seconds=1).colour == "broken"


def test_result_files_outside_the_checkout_are_not_read(tmp_path):
    (tmp_path / "secret.xml").write_text(PASSED)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "out.xml").symlink_to(tmp_path / "secret.xml")
    assert run("junit", checkout, results="*.xml").colour == "broken"


# --- config

FILES = {
    "pool.toml": "# the pool\n[pool]\nsize = 5\nname = 'sessions'\n\n[[pool.hosts]]\nname = 'a'\n\n[[pool.hosts]]\nname = 'b'\nwait.seconds = 3\n",
    "deploy.yaml": "kind: Deployment\nspec: &spec\n  limits:\n    memory: 512Mi\n    cpu: !quota 2\n---\nkind: Service\nspec:\n  <<: *spec\n  port: 80\n".replace(
        "&spec", ""
    ).replace("  <<: *spec\n", ""),
    "app.json": '{\n\t"pool": {\n\t\t"size": 5,\n\t\t"retry": null,\n\t\t"on": true\n\t}\n}\n',
    "shop.conf": "events {}\nhttp {\n  include parts/*.conf;\n  server {\n    listen 80;\n    location /api {\n      proxy_read_timeout 60s;\n    }\n    location = /health { return 200; }\n  }\n}\n",
    "parts/limits.conf": "client_max_body_size 1m;\n",
}


@pytest.fixture
def repository(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "path", "operation", "value", "colour", "line"),
    [
        ("pool.toml", "pool.size", "equals", 5, "green", 0),
        ("pool.toml", "pool.size", "at_least", 10, "red", 3),
        ("pool.toml", "pool.name", "matches", "sess*", "green", 0),
        ("pool.toml", "pool.hosts[1].name", "equals", "c", "red", 10),
        ("pool.toml", "pool.hosts[*].name", "not_equals", "b", "red", 10),
        ("pool.toml", "pool.hosts[1].wait.seconds", "at_most", 2, "red", 11),
        ("pool.toml", "pool.timeout", "present", None, "red", 1),
        ("pool.toml", "pool.timeout", "absent", None, "green", 0),
        ("pool.toml", "pool.size", "absent", None, "red", 3),
        ("pool.toml", "pool.name", "at_least", 3, "broken", 0),
        ("deploy.yaml", "spec.limits.memory", "at_most", "1Gi", "green", 0),
        ("deploy.yaml", "spec.limits.memory", "at_least", "1Gi", "red", 4),
        ("deploy.yaml", "spec.limits.memory", "at_least", "5s", "broken", 0),
        ("deploy.yaml", "spec.limits.cpu", "equals", "2", "green", 0),
        ("deploy.yaml", "kind", "equals", "Deployment", "red", 7),
        ("app.json", "pool.size", "at_least", 10, "red", 3),
        ("app.json", "pool.on", "equals", True, "green", 0),
        ("app.json", "pool.on", "equals", "true", "green", 0),
        ("app.json", "pool.retry", "present", None, "green", 0),
        ("shop.conf", "http.server.location[/api].proxy_read_timeout", "at_most", "5s", "red", 7),
        ("shop.conf", "http.server.location[/api].proxy_read_timeout", "at_most", "1m", "green", 0),
        ("shop.conf", "http.server.location[/shop].proxy_read_timeout", "at_most", "5s", "red", 1),
        ("shop.conf", "http.server.location[= /health].return", "equals", "200", "green", 0),
        ("shop.conf", "http.client_max_body_size", "at_most", "512k", "red", 1),
        ("missing.toml", "a", "present", None, "broken", 0),
    ],
)
def test_values_in_files(repository, file, path, operation, value, colour, line):
    outcome = run("config", repository, file=file, path=path, operation=operation, value=value)
    assert outcome.colour == colour, outcome.said
    assert (outcome.place.line if outcome.place else 0) == line
    assert outcome.remedy or colour == "green"


def test_a_value_in_an_included_file_is_placed_there(repository):
    outcome = run(
        "config", repository, file="shop.conf", path="http.client_max_body_size", operation="at_most", value="512k"
    )
    assert outcome.place.path == "parts/limits.conf"


BROKEN = {
    "half.toml": "[pool\n",
    "half.yaml": "a: [1, 2\n",
    "half.json": '{"a": 1,}',
    "half.conf": "http {\n",
    "round.conf": "include round.conf;\nhttp {}\n",
    "deep.json": "[" * 100_000,
    "deep.yaml": "[" * 20_000,
    "binary.toml": b"\xff\xfe\x00",
    "of-no-kind": "a = 1",
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_that_cannot_be_parsed_are_broken_or_hold_nothing(tmp_path, name):
    text = BROKEN[name]
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    outcome = run("config", tmp_path, file=name, path="a.b", operation="present")
    assert outcome.colour == ("red" if name == "round.conf" else "broken"), outcome.said
    assert outcome.remedy


def test_nginx_files_outside_the_checkout_are_not_looked_into(tmp_path):
    (tmp_path / "secret.conf").write_text("password 'hunter2';\n")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "shop.conf").write_text(f"include {tmp_path}/secret.conf;\n")
    outcome = run("config", checkout, file="shop.conf", path="password", operation="absent")
    assert outcome.colour == "green"
    assert "hunter2" not in outcome.output


@pytest.mark.parametrize(
    "spec",
    [
        {"file": "../a.toml", "path": "a", "operation": "present"},
        {"file": "a.toml", "path": "a", "operation": "equals"},
        {"file": "a.toml", "path": "a", "operation": "present", "value": 1},
        {"file": "a.toml", "path": "a[", "operation": "present"},
        {"file": "a.toml", "path": "a", "operation": "is"},
    ],
)
def test_a_text_that_makes_no_sense_is_refused(spec):
    with pytest.raises(Problem):
        checked("config", spec)


@pytest.mark.parametrize(
    ("operation", "value", "wanted", "said"),
    [
        ("at_most", "300s", "5m", True),
        ("at_least", "1500ms", "1s", True),
        ("at_least", "1.5", "1", True),
        ("at_most", "1GB", "1Gi", True),
        ("equals", "on", "on", True),
        ("equals", 1, True, False),
        ("matches", ["a"], "*", False),
    ],
)
def test_comparing(operation, value, wanted, said):
    assert holds(operation, value, wanted) is said


def test_what_cannot_be_compared_says_so():
    with pytest.raises(Invalid):
        holds("at_most", "60", "1m")


# --- load_test

SERVICE = (
    "import sys\nfrom http.server import BaseHTTPRequestHandler, ThreadingHTTPServer\n"
    "class S(BaseHTTPRequestHandler):\n    protocol_version = 'HTTP/1.1'\n    def do_GET(self):\n"
    "        self.send_response({status} if self.path == '/visit' else 200)\n        self.send_header('Content-Length', '0')\n        self.end_headers()\n"
    "    def log_message(self, *a): pass\n"
    "ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), S).serve_forever()\n"
)
GOOD = SERVICE.replace("{status}", "200")
VISITORS = "from locust import FastHttpUser, constant, task\nclass V(FastHttpUser):\n    wait_time = constant(0.02)\n    @task\n    def v(self):\n        self.client.get('/visit')\n"


def load(checkout, *, start=None, service=None, visitors=VISITORS, lasting=3, **limits):
    (checkout / "service.py").write_text(service or GOOD)
    (checkout / "visitors.py").write_text(visitors)
    spec = {
        "locustfile": "visitors.py",
        "users": 2,
        "spawn_rate": 2,
        "seconds": lasting,
        "warm_up": 0.5,
        "ready_seconds": 5,
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
    outcome = load(tmp_path, start=start)
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
