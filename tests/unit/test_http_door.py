"""The door to the outside: what it refuses, what it lets through, and that a name cannot change under it."""

from __future__ import annotations

import gzip
import ipaddress
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import unrepeat
from unrepeat.support import http
from unrepeat.support.config import Config
from unrepeat.support.problems import Problem

PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Any:
    def allowed(*entries: str) -> None:
        monkeypatch.setattr(http, "config", lambda: Config(private_addresses=list(entries)))

    allowed()
    return allowed


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names resolve to: a list of answers, one a question, the last for ever."""
    table: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
        answers = table.get(host)
        if answers is None:
            return real(host, port, *args, **options)
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append((self.path, dict(self.headers)))
        path = self.path.partition("?")[0]
        if path == "/slow":
            self._drip(server.closing)
        elif path == "/to":
            self._say(302, b"", Location=server.redirect)
        elif path == "/busy":
            self._say(503 if len(server.asked) < 3 else 200, b"{}")
        elif path == "/big":
            self._say(200, b"x" * 100_000)
        elif path == "/bomb":
            self._say(200, gzip.compress(b"\0" * 50_000_000), Content_Encoding="gzip")
        else:
            self._say(200, json.dumps({"path": self.path}).encode())

    def _drip(self, closing: threading.Event) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"x")
            if closing.wait(0.05):
                return

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        server.asked.append((self.path, dict(self.headers)))
        self._say(503 if self.path == "/busy" else 200, body)

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    running: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.asked, running.redirect, running.closing = [], "", threading.Event()
    running.url = f"http://127.0.0.1:{running.server_port}"
    threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
    yield running
    running.closing.set()
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str, allow: Any) -> None:
    assert not http._may("internal.example", ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_reached(address: str, allow: Any) -> None:
    assert http._may("example.org", ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "written", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_loopback_is_refused_however_it_is_written(written: str, allow: Any, server: Any) -> None:
    with pytest.raises(Problem) as refused:
        http.get(f"http://{written}:{server.server_port}/", tries=1)
    assert refused.value.status in {422, 502} and not server.asked
    assert "UNREPEAT_PRIVATE_ADDRESSES" in refused.value.remedy or refused.value.retry


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "gopher://x", "//x", "http://", "x", "http://[::1"],
)
def test_only_http_addresses_are_asked(url: str, allow: Any) -> None:
    with pytest.raises(http.Refused):
        http.get(url)


def test_an_allowed_network_is_reached(allow: Any, server: Any) -> None:
    allow("127.0.0.0/8")
    answer = http.get(f"{server.url}/here", params={"q": "a b"})
    assert answer.ok and answer.json() == {"path": "/here?q=a+b"}


def test_an_allowed_name_is_reached_and_others_at_its_address_are_not(allow: Any, names: Any, server: Any) -> None:
    allow("prometheus.internal")
    names["prometheus.internal"] = names["other.internal"] = [["127.0.0.1"]]
    assert http.get(f"http://prometheus.internal:{server.server_port}/").ok
    assert server.asked[0][1]["Host"] == f"prometheus.internal:{server.server_port}"
    with pytest.raises(http.Refused):
        http.get(f"http://other.internal:{server.server_port}/")


def test_an_allowed_network_does_not_hand_out_the_cloud_s_credentials(allow: Any) -> None:
    metadata = ipaddress.ip_address("169.254.169.254")
    for entries in (["0.0.0.0/0"], ["169.254.0.0/16"], ["metadata.internal"]):
        allow(*entries)
        assert not http._may("metadata.internal", metadata)
        assert not http._may("metadata.internal", ipaddress.ip_address("::ffff:169.254.169.254"))
    allow("169.254.169.254")
    assert http._may("metadata.internal", metadata)


def test_a_name_that_changes_its_answer_after_the_check_gets_nowhere(allow: Any, names: Any, server: Any) -> None:
    """First a public address, then loopback: the connection goes to the public one, which was checked, or nowhere."""
    names["rebinding.example"] = [["192.0.2.1"], ["127.0.0.1"]]  # a documentation network: nobody answers there
    allow("192.0.2.0/24")
    with pytest.raises(http.Unreachable):
        http.get(f"http://rebinding.example:{server.server_port}/", timeout=0.5, tries=1)
    assert not server.asked
    with pytest.raises(http.Refused):
        http.get(f"http://rebinding.example:{server.server_port}/", timeout=0.5, tries=1)
    assert not server.asked


def test_of_several_addresses_only_those_that_may_be_are_asked(allow: Any, names: Any, server: Any) -> None:
    names["mixed.example"] = [["10.9.9.9", "127.0.0.1"]]
    allow("127.0.0.1")
    assert http.checked("mixed.example", 80) == ["127.0.0.1"]
    assert http.get(f"http://mixed.example:{server.server_port}/").ok


@pytest.mark.parametrize(
    "target",
    ["http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "http://localhost:{port}/x"],
)
def test_redirects_pass_through_the_same_door(target: str, allow: Any, names: Any, server: Any) -> None:
    names["allowed.internal"] = [["127.0.0.1"]]
    allow("allowed.internal")
    server.redirect = target.format(port=server.server_port)
    with pytest.raises(Problem):
        http.get(f"http://allowed.internal:{server.server_port}/to")
    assert [path for path, _ in server.asked] == ["/to"]


def test_a_good_redirect_is_followed_but_not_for_ever(allow: Any, server: Any) -> None:
    allow("127.0.0.1")
    server.redirect = "/there"
    answer = http.get(f"{server.url}/to")
    assert answer.ok and answer.url.endswith("/there")
    server.redirect, server.asked[:] = "/to", []
    with pytest.raises(http.Unreachable, match="redirects"):
        http.get(f"{server.url}/to", tries=1)
    assert len(server.asked) <= 6


def test_secrets_do_not_follow_a_redirect_to_another_host(allow: Any, names: Any, server: Any) -> None:
    names["one.internal"] = names["two.internal"] = [["127.0.0.1"]]
    allow("127.0.0.1")
    server.redirect = f"http://two.internal:{server.server_port}/there"
    http.get(f"http://one.internal:{server.server_port}/to", headers={"Authorization": "Bearer secret"})
    assert "Authorization" in server.asked[0][1] and "Authorization" not in server.asked[1][1]


def test_the_operator_s_own_settings_name_a_host_that_may_be_private_and_no_other(allow: Any, server: Any) -> None:
    assert http.get(f"{server.url}/", from_settings=True).ok
    server.redirect = f"http://localhost:{server.server_port}/"
    with pytest.raises(http.Refused):
        http.get(f"{server.url}/to", from_settings=True)


@pytest.mark.parametrize("path", ["/big", "/bomb"])
def test_an_answer_is_limited_in_size_also_when_it_is_packed(path: str, allow: Any, server: Any) -> None:
    allow("127.0.0.1")
    with pytest.raises(http.Unreachable, match="longer than"):
        http.get(f"{server.url}{path}", max_bytes=50_000, tries=1)


def test_an_answer_is_limited_in_time_however_slowly_it_drips(allow: Any, server: Any) -> None:
    allow("127.0.0.1")
    began = time.monotonic()
    with pytest.raises(http.Unreachable, match="not complete"):
        http.get(f"{server.url}/slow", timeout=0.3, tries=1)
    assert time.monotonic() - began < 2


def test_what_may_pass_is_tried_again_and_a_post_only_when_told_to(allow: Any, server: Any) -> None:
    allow("127.0.0.1")
    assert http.get(f"{server.url}/busy").status == 200
    assert len(server.asked) == 3
    server.asked.clear()
    assert http.post(f"{server.url}/busy", json_body={"a": 1}).status == 503
    assert len(server.asked) == 1 and server.asked[0][1]["content-type"] == "application/json"


def test_nobody_there_is_said_in_three_sentences(allow: Any) -> None:
    allow("127.0.0.1")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(http.Unreachable) as failed:
            http.get(f"http://127.0.0.1:{taken.getsockname()[1]}/", tries=1)
    assert failed.value.retry and all((failed.value.what, failed.value.why, failed.value.remedy))


def test_an_answer_that_is_no_json_is_said_so(allow: Any, server: Any) -> None:
    allow("127.0.0.1")
    with pytest.raises(http.Unreachable, match="not JSON"):
        http.get(f"{server.url}/big").json()


def test_there_is_no_other_door() -> None:
    """Nothing else in the program imports a client. (`replay` speaks to the intake in its own process, over no network.)"""
    clients = re.compile(
        r"^\s*(?:import|from) (?:httpx|requests|aiohttp|http\.client|urllib\.request|urllib3)\b", re.MULTILINE
    )
    home = Path(str(unrepeat.__file__)).parent
    found = {str(path.relative_to(home)) for path in home.rglob("*.py") if clients.search(path.read_text())}
    assert found - {"terminal/_replaying.py"} == {"support/http.py"}
