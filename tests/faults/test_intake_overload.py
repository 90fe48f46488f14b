"""More than the server can take, too long, too slow; and a clean end while streams are open. On the real server."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections import Counter

import pytest

from tests.support.bodies import alertmanager
from tests.support.sending import send_all
from tests.support.served import Served, until


def served_with(database, home, **settings):
    server = Served(home / "server", database.url, **settings)
    server.command("migrate")
    return server


@pytest.fixture
def start(database, tmp_path):
    """Starts a server with these settings; gives it and the path of a source."""
    servers = []

    def begin(*, max_bytes=None, target=None, **settings):
        server = served_with(database, tmp_path, **settings)
        servers.append(server)
        path = server.add_source("prometheus", max_bytes=max_bytes)
        server.start(target and [*target, str(server.port)])
        return server, path

    yield begin
    for server in servers:
        server.kill()


def connect(server) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    connection.settimeout(30)
    return connection


def request(path: str, body: bytes = b"", length: int | str | None = None, more: str = "") -> bytes:
    announced = len(body) if length is None else length
    return f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n{more}\r\n".encode() + body


def status(connection: socket.socket) -> int:
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(4096)
        if not piece:
            break
        answer += piece
    return int(answer.split()[1]) if answer else 0


def test_overload_is_answered_503_with_retry_after_and_every_body_is_taken_in_the_end(start, database):
    server, path = start(UNREPEAT_INTAKE_WAITING="2")
    bodies = [(path, alertmanager([f"k{n}"])) for n in range(1500)]
    answers = send_all(server.port, bodies, clients=64)  # raises when a 503 has no Retry-After
    assert set(answers) == {202, 503} and answers[202] == len(bodies)
    until(database.all_read, 60, "all deliveries are read")
    assert database.one("select count(*) from arrivals_alert") == len(bodies)


def test_too_long_a_body_is_refused_whether_announced_or_chunked_and_others_go_on(start, database):
    server, path = start(max_bytes=1000)
    for bad in (
        request(path, length=1001),
        request(path, length=10**15),
        f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + b"3e9\r\n"
        + b"x" * 1001
        + b"\r\n",
    ):
        with connect(server) as connection:
            connection.sendall(bad)
            assert status(connection) == 413
    assert send_all(server.port, [(path, b"x" * 1000)], clients=1) == Counter({202: 1})
    assert database.one("select count(*) from arrivals_delivery") == 1


def test_chunked_bodies_are_taken(start, database):
    server, path = start()
    with connect(server) as connection:
        connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"5\r\nhello\r\n")
        connection.sendall(b"6\r\n world\r\n0\r\n\r\n")
        assert status(connection) == 202
    assert bytes(database.one("select body from arrivals_delivery")) == b"hello world"


@pytest.mark.parametrize("length", ["-1", "many", "1 1"])
def test_a_length_that_is_none_is_refused_and_the_server_goes_on(start, length):
    server, path = start()
    with connect(server) as connection:
        connection.sendall(request(path, b"x", length))
        assert status(connection) in {0, 400, 413}
    assert send_all(server.port, [(path, b"x")], clients=1) == Counter({202: 1})


def test_a_nul_in_a_header_does_no_harm(start, database):
    server, path = start()
    with connect(server) as connection:
        connection.sendall(request(path, b"x", more="X-Odd: a\x00b\r\n"))
        assert status(connection) in {202, 400}
    assert send_all(server.port, [(path, b"y")], clients=1) == Counter({202: 1})


def test_senders_that_hang_up_half_way_leave_room_for_others(start, database):
    server, path = start(UNREPEAT_INTAKE_BYTES="100000")
    for _ in range(50):
        with connect(server) as connection:
            connection.sendall(request(path, b"x" * 50_000, length=60_000))
    assert send_all(server.port, [(path, b"y" * 90_000)], clients=1)[202] == 1
    assert database.one("select count(*) from arrivals_delivery") == 1


STREAMS = """
import asyncio, sys
from granian.constants import Interfaces
from granian.server import Server
Server("tests.support.streaming:application", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.ASGI,
       websockets=False, workers_kill_timeout=10).serve()
"""


def test_it_ends_at_once_and_cleanly_while_streams_and_half_bodies_are_open(start, database):
    server, path = start(target=[sys.executable, "-c", STREAMS])
    streams = [connect(server) for _ in range(20)]
    for stream in streams:
        stream.sendall(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
        assert status(stream) == 200
    halves = [connect(server) for _ in range(3)]
    for half in halves:
        half.sendall(request(path, b"half", length=100))
    assert send_all(server.port, [(path, alertmanager(["a"]))], clients=1) == Counter({202: 1})
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 5
    for connection in (*streams, *halves):
        connection.close()
    assert database.one("select count(*) from arrivals_delivery") == 1


def test_an_idle_server_ends_cleanly(start):
    server, _ = start()
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_when_its_main_process_is_killed_the_rest_ends_too_and_the_port_is_free(start):
    server, _ = start()
    os.kill(server.process.pid, signal.SIGKILL)

    def free() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", server.port)) != 0

    until(free, 15, "nobody listens any more")
