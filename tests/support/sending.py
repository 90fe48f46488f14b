"""Many clients that send to a real server at once, each over a connection of its own."""

from __future__ import annotations

import http.client
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

PATIENCE = 60  # seconds in which a body answered 503 is sent again


def send_all(port: int, requests: Iterable[tuple[str, bytes]], *, clients: int) -> Counter[int]:
    """Send every (path, body), a 503 again until it is taken, as all senders do; how often each status was answered."""
    todo: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
    for request in requests:
        todo.put(request)
    answers: Counter[int] = Counter()
    lock = threading.Lock()
    failed: list[Exception] = []

    def client() -> None:
        mine: Counter[int] = Counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            while True:
                mine.update(_until_taken(connection, *todo.get_nowait()))
        except queue.Empty:
            pass
        except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
            failed.append(error)
        connection.close()
        with lock:
            answers.update(mine)

    _together([client] * clients)
    if failed:
        raise failed[0]
    return answers


def _until_taken(connection: http.client.HTTPConnection, path: str, body: bytes) -> list[int]:
    statuses: list[int] = []
    end = time.monotonic() + PATIENCE
    while not statuses or (statuses[-1] == 503 and time.monotonic() < end):
        connection.request("POST", path, body)
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
        if answer.status == 503:
            if not answer.headers["Retry-After"]:
                raise AssertionError("a 503 without Retry-After")
            time.sleep(0.05)
    return statuses


def send_until_cut(port: int, path: str, bodies: Iterable[tuple[list[str], bytes]], accepted: list[str]) -> None:
    """Send one after the other until the connection breaks; the keys of what was answered 2xx go into `accepted`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for keys, body in bodies:
        try:
            connection.request("POST", path, body)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            break
        if 200 <= answer.status < 300:
            accepted.extend(keys)
    connection.close()


def _together(work: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
