"""An address that must answer: what it complains of, and where it does not go (private and metadata addresses)."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from unrepeat.prevention.kind import Outcome, Target, Tools, checked, kind_of
from unrepeat.support import http
from unrepeat.support.config import Config
from unrepeat.support.http import Refused
from unrepeat.support.http_certificate import certificate

ELSEWHERE = [
    "http://127.0.0.1:8000/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://10.0.0.1/admin",
    "http://192.168.0.1/",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://localhost/",
]


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Allow private addresses; none at first."""

    def allowed(*entries: str) -> None:
        monkeypatch.setattr(http, "config", lambda: Config(private_addresses=list(entries)))

    allowed()
    return allowed


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names resolve to: one address a question, the last for ever."""
    table: dict[str, list[str]] = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *args: Any, **options: Any) -> Any:
        if host not in table:
            return real(host, port, *args, **options)
        address = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


class Shop(BaseHTTPRequestHandler):
    """The shop's web server: it is well, redirects, or is not found."""

    def do_GET(self) -> None:
        server: Any = self.server
        server.asked.append(self.path)
        if self.path == "/to":
            self._say(302, b"", Location=server.redirect)
        elif self.path == "/health":
            self._say(200, b"sessions: ok", Strict_Transport_Security="max-age=31536000")
        else:
            self._say(404, b"nothing here")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _serving(context: ssl.SSLContext | None = None) -> Any:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.asked, server.redirect = [], ""
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


@pytest.fixture
def shop() -> Iterator[Any]:
    server = _serving()
    yield server
    server.shutdown()
    server.server_close()


def looked(url: str, target: Target | None = None, **text: Any) -> Outcome:
    """The outcome of a check of an address."""
    return kind_of("http_check").run(checked("http_check", {"url": url, **text}), target or Target(), Tools(8.0))


@pytest.mark.parametrize("url", ELSEWHERE)
def test_private_and_metadata_addresses_are_not_asked(url, allow):
    outcome = looked(url)
    assert outcome.colour == "broken"
    assert "may not be reached" in outcome.said
    assert "UNREPEAT_PRIVATE_ADDRESSES" in outcome.remedy


def test_nor_for_their_certificate(allow, shop):
    outcome = looked(shop.url.replace("http:", "https:"), certificate_days=10)
    assert outcome.colour == "broken"
    assert "may not be reached" in outcome.said
    with pytest.raises(Refused):
        certificate("169.254.169.254")


def test_nor_by_the_version_that_somebody_tries(allow, shop):
    inside = Target("version", "x", ref="x", variables={"version": "169.254.169.254"})
    assert "may not be reached" in looked("http://{version}/", inside).said


def test_nor_by_a_redirect(allow, shop):
    allow("127.0.0.0/8")
    for inside in ("http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "file:///etc/passwd"):
        shop.redirect = inside
        outcome = looked(f"{shop.url}/to")
        assert outcome.colour == "broken", outcome
        assert "may not be reached" in outcome.said


def test_nor_by_a_name_that_changes_its_address_after_it_was_checked(allow, shop, names):
    names["shop.example"] = ["192.0.2.1", "127.0.0.1"]  # of a network that leads nowhere, then this machine
    allow("192.0.2.0/24")
    assert looked(f"http://shop.example:{shop.server_port}/health", within=1).colour == "broken"
    names["shop.example"] = ["192.0.2.1", "127.0.0.1"]
    secured = looked(f"https://shop.example:{shop.server_port}/health", certificate_days=1)
    assert secured.colour == "broken"
    assert shop.asked == []


def test_an_allowed_network_gives_out_no_credentials(allow):
    allow("169.254.0.0/16", "10.0.0.0/8")
    assert "may not be reached" in looked("http://169.254.169.254/latest/meta-data/").said


def test_all_that_is_named_is_looked_at(allow, shop):
    allow("127.0.0.0/8")
    good = {
        "contains": ["sessions: ok"],
        "lacks": ["out of memory"],
        "headers": {"Strict-Transport-Security": "max-age"},
        "within": 5,
    }
    well = looked(f"{shop.url}/health", **good)
    assert well.colour == "green", well
    assert well.figures["status"] == 200
    for changed, said in (
        ({"status": [204]}, "it answered 200; good is 204"),
        ({"contains": ["billing: ok"]}, "its body lacks “billing: ok”"),
        ({"lacks": ["sessions"]}, "its body holds “sessions”"),
        ({"headers": {"X-Frame-Options": "DENY"}}, "its header X-Frame-Options is missing"),
        ({"headers": {"Strict-Transport-Security": "preload"}}, "is “max-age=31536000”, not “preload”"),
        ({"within": 0.000001}, "it took"),
    ):
        outcome = looked(f"{shop.url}/health", **{**good, **changed})
        assert outcome.colour == "red"
        assert said in outcome.said


def test_where_it_redirects_is_looked_at_and_not_followed(allow, shop):
    allow("127.0.0.0/8")
    shop.redirect = "https://shop.example/welcome"
    assert looked(f"{shop.url}/to", redirects_to="https://shop.example/").colour == "green"
    assert looked(f"{shop.url}/to", status=[302]).colour == "green"
    wrong = looked(f"{shop.url}/to", redirects_to="https://pay.example/")
    assert wrong.colour == "red"
    assert "it redirects to https://shop.example/welcome" in wrong.said
    assert "it redirects nowhere" in looked(f"{shop.url}/health", redirects_to="https://pay.example/").said
    assert shop.asked == ["/to", "/to", "/to", "/health"]


@pytest.mark.parametrize(
    "url", ["ftp://shop.example/", "file:///etc/passwd", "//shop", "http://ada:secret@shop.example/"]
)
def test_what_is_no_address_is_no_text(url):
    with pytest.raises(http.Problem) as refused:
        checked("http_check", {"url": url})
    assert "url" in refused.value.why


# --- certificates


@pytest.fixture
def secured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allow: Any) -> Iterator[Callable[..., Any]]:
    """A shop in TLS whose certificate is good for so many days, trusted by this machine unless told otherwise."""
    running = []
    allow("127.0.0.0/8")

    def serve(days: float, *, trusted: bool = True) -> Any:
        chain = tmp_path / "shop.pem"
        chain.write_bytes(_certificate(days))
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(chain))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        running.append(_serving(context))
        return running[-1]

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def _certificate(days: float) -> bytes:
    """A certificate of this machine that signs itself, with its key (PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM) + private


def test_a_certificate_that_is_good_for_long_is_well(secured):
    outcome = looked(f"{secured(60).url}/health", certificate_days=21)
    assert outcome.colour == "green", outcome
    assert 59 < outcome.figures["certificate_days"] <= 60


@pytest.mark.parametrize(("days", "said"), [(10, "at least 21 are good"), (-3, "in -3.0 days")])
def test_one_that_ends_soon_or_has_ended_is_red_before_anything_else_is_asked(days, said, secured):
    server = secured(days)
    outcome = looked(f"{server.url}/health", certificate_days=21)
    assert outcome.colour == "red", outcome
    assert said in outcome.said
    assert server.asked == []


def test_one_that_nobody_trusts_is_red(secured):
    outcome = looked(f"{secured(60, trusted=False).url}/health", certificate_days=21)
    assert outcome.colour == "red", outcome
    assert "its certificate is not trusted" in outcome.said


def test_a_plain_address_has_no_certificate(shop, allow):
    allow("127.0.0.0/8")
    assert looked(f"{shop.url}/health", certificate_days=21).colour == "red"
