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
from tests.support.databases import SHORT
from tests.support.sending import send_all
from tests.support.served import Served, until


@pytest.fixture
def start(database, tmp_path):
    """Starts a server with these settings."""
    servers = []

    def begin(*, target=None, **settings):
        server = Served(tmp_path / "server", database.url, **settings)
        servers.append(server)
        server.start(target and [*target, str(server.port)])
        return server

    yield begin
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def server(shared_database, tmp_path_factory):
    """One server for all tests that send it something odd: after each of them it must go on."""
    shared = Served(tmp_path_factory.mktemp("server"), shared_database.url)
    shared.start()
    yield shared
    shared.kill()


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


def bodies(database) -> list[bytes]:
    return [bytes(body) for (body,) in database.query("select body from arrivals_delivery")]


def test_overload_is_answered_503_with_retry_after_and_every_body_is_taken_in_the_end(start, database):
    server = start(UNREPEAT_INTAKE_WAITING="2")
    requests = [(database.path, alertmanager([f"k{n}"])) for n in range(1500)]
    answers = send_all(server.port, requests, clients=64)  # raises when a 503 has no Retry-After
    assert set(answers) == {202, 503} and answers[202] == len(requests)
    until(database.all_read, 60, "all deliveries are read")
    assert database.one("select count(*) from arrivals_alert") == len(requests)


def test_too_long_a_body_is_refused_whether_announced_or_chunked_and_others_go_on(server, shared_database):
    path = shared_database.small_path
    for bad in (
        request(path, length=SHORT + 1),
        request(path, length=10**15),
        f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        + f"{SHORT + 1:x}\r\n".encode()
        + b"z" * (SHORT + 1)
        + b"\r\n",
    ):
        with connect(server) as connection:
            connection.sendall(bad)
            assert status(connection) == 413
    assert send_all(server.port, [(path, b"z" * SHORT)], clients=1) == Counter({202: 1})
    assert [body for body in bodies(shared_database) if body.startswith(b"z")] == [b"z" * SHORT]


def test_chunked_bodies_are_taken(server, shared_database):
    with connect(server) as connection:
        connection.sendall(
            f"PUT {shared_database.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        connection.sendall(b"5\r\nhello\r\n")
        connection.sendall(b"6\r\n world\r\n0\r\n\r\n")
        assert status(connection) == 202
    assert [body for body in bodies(shared_database) if b"world" in body or b"hello" in body] == [b"hello world"]


@pytest.mark.parametrize("length", ["-1", "many", "1 1"])
def test_a_length_that_is_none_is_refused_and_the_server_goes_on(server, shared_database, length):
    path = shared_database.path
    with connect(server) as connection:
        connection.sendall(request(path, b"x", length))
        assert status(connection) in {0, 400, 413}
    assert send_all(server.port, [(path, b"x")], clients=1) == Counter({202: 1})


def test_a_nul_in_a_header_does_no_harm(server, shared_database):
    path = shared_database.path
    with connect(server) as connection:
        connection.sendall(request(path, b"x", more="X-Odd: a\x00b\r\n"))
        assert status(connection) in {202, 400}
    assert send_all(server.port, [(path, b"y")], clients=1) == Counter({202: 1})


def test_senders_that_hang_up_half_way_leave_room_for_others(start, database):
    server, path = start(UNREPEAT_INTAKE_BYTES="100000"), database.path
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
    server, path = start(target=[sys.executable, "-c", STREAMS]), database.path
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
    server = start()
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_when_its_main_process_is_killed_the_rest_ends_too_and_the_port_is_free(start):
    server = start()
    os.kill(server.process.pid, signal.SIGKILL)

    def free() -> bool:
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", server.port)) != 0

    until(free, 15, "nobody listens any more")
