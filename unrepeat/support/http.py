"""The one door to the outside: every outbound request goes through it.

Private, loopback, link-local and cloud-metadata addresses are refused unless UNREPEAT_PRIVATE_ADDRESSES allows them. A name is
resolved once, each address is checked, and the connection is made to that very address, so a name that changes its answer
between check and use gets nowhere. Redirects pass through the same door. Answers are limited in size and in time.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx
import stamina

from unrepeat.support.config import config
from unrepeat.support.problems import Problem

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
METADATA = frozenset(
    map(ipaddress.ip_address, ("169.254.169.254", "169.254.170.2", "100.100.100.200", "fd00:ec2::254"))
)
"""Where clouds hand out credentials: a network that is allowed does not allow these; each must be named alone."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
PUBLIC_6 = ipaddress.ip_network("2000::/3")
MAX_BYTES = 16 * 1024 * 1024
REDIRECTS = 5
TRUSTED_FOR = 600.0  # seconds until the list of authorities is read again
PASSING = frozenset({429, 502, 503, 504})  # statuses that may be gone at the next try
SAFE = frozenset({"GET", "HEAD"})


class Refused(Problem):
    """The address may not be reached. An administrator allows private ones in UNREPEAT_PRIVATE_ADDRESSES."""

    def __init__(self, host: str, why: str) -> None:
        remedy = "If this is meant, an administrator adds it to UNREPEAT_PRIVATE_ADDRESSES (a network or a name)."
        super().__init__(f"{host} may not be reached.", why, remedy, status=422)


class Unreachable(Problem):
    """The other side did not answer, or not in a usable way. The same call may work later."""

    def __init__(self, host: str, why: str) -> None:
        remedy = "Check the address and that its service runs; it is tried again where it matters."
        super().__init__(f"{host} could not be asked.", why, remedy, status=502, retry=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. `url` is where it came from after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The body as JSON; Unreachable when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Unreachable(httpx.URL(self.url).host, f"Its answer ({self.status}) is not JSON.") from error


def request(
    method: str,
    url: str,
    *,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    timeout: float = 10,
    max_bytes: int = MAX_BYTES,
    tries: int = 1,
    from_settings: bool = False,
    follow: bool = True,
) -> Answer:
    """One request; Refused or Unreachable. `timeout` is seconds for all of it, redirects included, a try.

    `tries` over 1 repeats after failures that may pass (GET and HEAD also after status 429, 502, 503, 504); give POST an
    idempotency key then. `from_settings`: the operator's own configuration names this host, which allows it (not where it redirects to).
    `follow`: whether redirects are followed; otherwise the first answer is given.
    """
    with _client(url, timeout, from_settings=from_settings, follow=follow) as client:
        asked = client.build_request(
            method,
            url,
            params=dict(params) if params else None,
            headers={"user-agent": "unrepeat", **(headers or {})},
            content=body,
        )
        for attempt in stamina.retry_context(
            on=_MayPass, attempts=tries, timeout=tries * timeout, wait_initial=0.2, wait_jitter=0.1
        ):
            with attempt:
                answer = _once(client, asked, timeout, max_bytes)
                if answer.status in PASSING and method.upper() in SAFE and attempt.num < tries:
                    raise _MayPass(asked.url.host, f"It answered {answer.status}.")
    return answer


def get(url: str, **options: Any) -> Answer:
    """A GET with up to three tries; options as for `request`."""
    return request("GET", url, **{"tries": 3, **options})


def post(url: str, *, json_body: Any = None, **options: Any) -> Answer:
    """A POST; `json_body` is sent as JSON. Options as for `request`."""
    if json_body is not None:
        headers = {"content-type": "application/json", **(options.pop("headers", None) or {})}
        options |= {"headers": headers, "body": json.dumps(json_body).encode()}
    return request("POST", url, **options)


class _MayPass(Unreachable):
    """A failure that the next try may not meet."""


class _Door(httpx.BaseTransport):
    """Checks where a request goes, and connects to the address that was checked."""

    def __init__(self, named: str | None) -> None:
        self._named = named  # host and port that the operator's settings name
        limits = httpx.Limits(max_keepalive_connections=0)  # no connection is shared
        self._inner = httpx.HTTPTransport(verify=trust(), limits=limits)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One hop; each redirect is another."""
        host = request.url.raw_host.decode("ascii")
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        named = self._named == f"{host}:{port}"
        failure: httpx.TransportError | None = None
        for address in checked(host, port, named=named):
            pinned = httpx.Request(
                request.method,
                request.url.copy_with(host=address),
                headers=request.headers,  # Host stays the name
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": host},  # so does the name in TLS, and its check
            )
            try:
                return self._inner.handle_request(pinned)
            except httpx.ConnectError as error:
                failure = error
        assert failure is not None
        raise failure

    def close(self) -> None:
        """Close all connections."""
        self._inner.close()


def checked(host: str, port: int, *, named: bool = False) -> list[str]:
    """The addresses of a host that may be reached; Refused when there is none, Unreachable when the name has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _MayPass(host, f"Its name has no address: {error}.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    good = [address for address in addresses if named or _may(host, ipaddress.ip_address(address))]
    if not good:
        raise Refused(host, f"Its address {addresses[0]} is private, and private addresses are not asked.")
    return good


def _may(host: str, address: Address) -> bool:
    """Whether an address is public, or allowed by its network or by the host's name."""
    inner = _inner(address)
    names, networks = _allowed(config().private_addresses)
    if METADATA & {address, inner}:
        return any(network.num_addresses == 1 and inner in network for network in networks)
    if host.lower().rstrip(".") in names or any(inner in network or address in network for network in networks):
        return True
    public = isinstance(inner, ipaddress.IPv4Address) or inner in PUBLIC_6
    return public and inner.is_global and not inner.is_multicast


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it does."""
    if not isinstance(address, ipaddress.IPv6Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if int(address) >> 32 == 0 and int(address) > 1:
        return ipaddress.IPv4Address(int(address))  # the old way to write IPv4 in IPv6
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def _allowed(entries: Iterable[str]) -> tuple[set[str], list[ipaddress.IPv4Network | ipaddress.IPv6Network]]:
    names, networks = set(), []
    for entry in entries:
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            names.add(entry.lower().rstrip("."))
    return names, networks


def _client(url: str, timeout: float, *, from_settings: bool, follow: bool) -> httpx.Client:
    target = _parsed(url)
    port = target.port or (443 if target.scheme == "https" else 80)
    return httpx.Client(
        transport=_Door(f"{target.raw_host.decode('ascii')}:{port}" if from_settings else None),
        timeout=httpx.Timeout(timeout, connect=min(5.0, timeout)),
        follow_redirects=follow,
        max_redirects=REDIRECTS,
        trust_env=False,
    )


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Refused(url[:100], f"It is no address: {error}.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise Refused(url[:100], "Only http:// and https:// addresses are asked.")
    return parsed


def _once(client: httpx.Client, asked: httpx.Request, timeout: float, max_bytes: int) -> Answer:
    host, ends = asked.url.host, time.monotonic() + timeout
    sockets: list[socket.socket] = []
    asked.extensions = {**asked.extensions, "trace": _noting(sockets)}
    late = threading.Timer(timeout + 0.5, _cut, (sockets,))
    late.daemon = True
    late.start()
    try:
        response = client.send(asked, stream=True)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > max_bytes:
                    raise Unreachable(host, f"Its answer is longer than {max_bytes} bytes.")
                if time.monotonic() > ends:
                    raise _MayPass(host, f"Its answer was not complete after {timeout:g} s.")
        finally:
            response.close()
    except httpx.TooManyRedirects as error:
        raise Unreachable(host, f"It redirects more than {REDIRECTS} times.") from error
    except httpx.UnsupportedProtocol as error:
        raise Refused(host, "It redirects to what is neither http:// nor https://.") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        if time.monotonic() > ends:
            raise _MayPass(host, f"Its answer was not complete after {timeout:g} s.") from error
        raise _MayPass(host, f"{type(error).__name__}: {error}".rstrip(": ") + ".") from error
    finally:
        late.cancel()
    return Answer(response.status_code, dict(response.headers), bytes(body), str(response.url))


def trust() -> ssl.SSLContext:
    """Whom this door trusts: the usual authorities, or those in SSL_CERT_FILE. Read once in `TRUSTED_FOR` seconds: it takes 30 ms."""
    named = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    return _trust(*named, int(time.monotonic() // TRUSTED_FOR))


@lru_cache(maxsize=4)
def _trust(_file: str, _folder: str, _turn: int) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _noting(sockets: list[socket.socket]) -> Callable[[str, dict[str, Any]], None]:
    """Notes each connection that a request opens, so that one that drips its answer for ever can be cut."""

    def note(event: str, told: dict[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            sockets.append(told["return_value"].get_extra_info("socket"))

    return note


def _cut(sockets: list[socket.socket]) -> None:
    for one in list(sockets):
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
