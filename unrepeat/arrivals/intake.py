"""`POST /in/<source>/<token>`: checks who sends, stores the body as it is, answers 202 after the commit. Raw ASGI.

Nothing is read here and nothing is refused for what it says: the worker reads later. 401 for those who may not send, 413 for
what is too long, 503 with Retry-After when more waits than may wait; every sender tries a 503 again.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from unrepeat.arrivals.kind import SourceKind, source_kinds
from unrepeat.arrivals.patience import Patience
from unrepeat.arrivals.senders import Senders
from unrepeat.arrivals.store import Arrival, Sender
from unrepeat.arrivals.writer import Writer
from unrepeat.support import clock, closing
from unrepeat.support.problems import Problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PREFIX = "/in/"
BODY_WITHIN = 20.0  # seconds from the first byte of the request to the last one of its body
RETRY_AFTER = 1  # seconds
KEY_BYTES = 32
SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "x-gitlab-token"})
HIDDEN = "(not stored)"

_MINE = secrets.token_bytes(4)  # this process's part of a key
_count = itertools.count()

log = structlog.get_logger(__name__)


class Gone(Exception):
    """The sender has closed the connection: nobody is there to be answered."""


class Intake:
    """The intake of one process, in front of a writer that has been started."""

    def __init__(self, writer: Writer, *, senders: Senders | None = None, body_within: float = BODY_WITHIN) -> None:
        self.writer = writer
        self._senders = senders or Senders()
        self._patience = Patience(body_within)
        self._kinds = source_kinds()

    def end_slow_bodies(self) -> None:
        """The server stops: who is still sending is answered 503, so that nothing holds it up. In the loop's thread."""
        self._patience.end_all()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request."""
        method = scope["method"]
        try:
            if method in {"POST", "PUT"}:
                await self._take(scope, receive)
                await send(_ACCEPTED)
                await send(_ACCEPTED_BODY)
            elif method in {"GET", "HEAD"}:
                await _answer(send, 200, _HELP)
            else:
                problem = _wrong_method(method)
                await _answer(send, problem.status, _said(problem))
        except Problem as problem:
            await _answer(send, problem.status, _said(problem))
        except Gone:
            return

    async def _take(self, scope: Scope, receive: Receive) -> None:
        sender = await self._sender(scope["path"])
        kind = self._kinds.get(sender.kind)
        if kind is None:
            raise _broken(sender)
        most = sender.max_bytes or kind.MAX_BYTES
        headers, stored = _headers(tuple(map(tuple, scope["headers"])))
        announced = headers.get("content-length", "0")
        if not announced.isdecimal() or int(announced) > most:
            raise _too_long(most)
        held = 0
        try:
            body, held = await self._body(receive, most)
            _check_signature(sender, kind, body, headers)
            arrival = Arrival(sender.id, _key(kind, body, headers), clock.now(), stored, body)
            if not await self.writer.store(arrival):
                raise _overloaded("The database did not take it.")
        finally:
            self.writer.release(held)

    async def _sender(self, path: str) -> Sender:
        _, _, name, *rest = path.split("/", 4)
        token = rest[0] if rest else ""
        try:
            sender = await self._senders.known(name, token)
        except Exception as error:
            log.warning("the sources could not be read", error=str(error))
            raise _overloaded("The database does not answer.") from error
        if sender is None:
            raise Problem(
                "This source or its token is not known here.",
                "No source has this name and a valid token like this one; it may have been revoked.",
                "Use the address that `unrepeat source add` or `unrepeat source rotate` has shown.",
                status=401,
            )
        return sender

    async def _body(self, receive: Receive, most: int) -> tuple[bytes, int]:
        """The whole body, and how many bytes are held for it in the writer's account."""
        task, patience = asyncio.current_task(), self._patience
        assert task is not None
        body = _Body(self.writer, most)
        patience.begin(task)
        try:
            while await body.more(receive):
                pass
        except asyncio.CancelledError as error:
            body.give_back()
            if not patience.ran_out(task) and not closing.begun():
                raise  # somebody else ends this request
            task.uncancel()
            raise _overloaded("The server stops.") if closing.begun() else _too_slow(patience.seconds) from error
        except BaseException:
            body.give_back()
            raise
        finally:
            patience.end(task)
        return body.whole(), body.size


class _Body:
    """A body on its way in; what of it is here counts in the writer's account.

    One for which there is no room is taken to its end and thrown away: who is answered in the middle of sending may never read it.
    """

    __slots__ = ("_chunks", "_come", "_most", "_refused", "_writer", "size")

    def __init__(self, writer: Writer, most: int) -> None:
        self._writer = writer
        self._most = most
        self._chunks: list[bytes] = []
        self._come = 0
        self.size = 0
        self._refused = False

    async def more(self, receive: Receive) -> bool:
        """Take the next piece; False when it was the last one."""
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        chunk: bytes = message.get("body", b"")
        self._come += len(chunk)
        if self._come > self._most:
            raise _too_long(self._most)
        if not self._refused and self._writer.hold(len(chunk)):
            self.size += len(chunk)
            self._chunks.append(chunk)
        else:
            self._refused = True
            self.give_back()
        return bool(message.get("more_body", False))

    def whole(self) -> bytes:
        """All pieces together; a Problem when there was no room for them."""
        if self._refused:
            raise _overloaded("More is arriving than can be stored at once.")
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def give_back(self) -> None:
        """It will not be stored: it no longer counts."""
        self._writer.release(self.size)
        self.size = 0
        self._chunks.clear()


@lru_cache(64)
def _headers(raw: tuple[tuple[bytes, bytes], ...]) -> tuple[dict[str, str], str]:
    """Headers by lower-case name, and as they are stored: senders repeat them. Those that come several times are joined; no NUL,
    which PostgreSQL cannot keep. Not to be changed.
    """
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in raw:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1")
        if "\x00" in value or "\x00" in name:
            name, value = name.replace("\x00", "\ufffd"), value.replace("\x00", "\ufffd")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers, _stored(headers)


def _stored(headers: dict[str, str]) -> str:
    if not SECRET_HEADERS.isdisjoint(headers):
        headers = {name: HIDDEN if name in SECRET_HEADERS else value for name, value in headers.items()}
    return msgspec.json.encode(headers).decode()


def _check_signature(sender: Sender, kind: SourceKind, body: bytes, headers: dict[str, str]) -> None:
    if not sender.secrets:
        return
    now = clock.now()
    now_good = [secret for secret, expires_at in sender.secrets if expires_at is None or expires_at > now]
    valid = [secret for secret in now_good if secret is not None]
    try:
        good = bool(valid) and kind.verify(body, headers, valid, sender.options)
    except Exception as error:  # noqa: BLE001 - whatever a kind does, it is not signed
        log.warning("a signature could not be checked", source=sender.name, error=str(error))
        good = False
    if not good and len(valid) < len(now_good):
        raise Problem(
            "The signature cannot be checked.",
            f"The secret of the source “{sender.name}” was stored with another secret key of this server.",
            f"Store it anew with `unrepeat source secret {sender.name}`; until then, send again.",
            status=503,
            retry=True,
        )
    if not good:
        raise Problem(
            "The signature is missing or wrong.",
            f"The source “{sender.name}” has a secret, and this body is not signed with it.",
            "Set the same secret at the sender as here.",
            status=401,
        )


def _key(kind: SourceKind, body: bytes, headers: dict[str, str]) -> bytes:
    """What makes a resent delivery the same one: the source's own key, else Idempotency-Key, else nothing (a new one)."""
    try:
        key = kind.delivery_key(body, headers)
    except Exception as error:  # noqa: BLE001 - whatever a kind does, the body is stored
        log.warning("a delivery has no key of its kind", error=str(error))
        key = None
    if key is None:
        told = headers.get("idempotency-key")
        if told is None:
            return _one_of_a_kind()
        key = hashlib.blake2b(told.encode(), digest_size=16, person=b"idempotency-key").digest()
    return key if len(key) <= KEY_BYTES else hashlib.blake2b(key, digest_size=KEY_BYTES).digest()


def _one_of_a_kind() -> bytes:
    """A key that no other delivery has, larger than those before: in the index it comes last, so that a flood writes few pages of it."""
    return time.time_ns().to_bytes(8, "big") + _MINE + (next(_count) % 2**32).to_bytes(4, "big")


def _wrong_method(method: str) -> Problem:
    return Problem(
        f"{method} is not for this address.",
        "It only takes what your monitoring or pipeline sends.",
        "Send a POST (or PUT) with the body.",
        status=405,
    )


def _too_long(most: int) -> Problem:
    return Problem(
        "The body is too long.",
        f"This source takes at most {most} bytes.",
        "Send less at once, or raise the limit: `unrepeat source limit NAME BYTES`.",
        status=413,
    )


def _too_slow(within: float) -> Problem:
    return Problem(
        "The body did not come in time.",
        f"The whole of it must be here within {within:g} seconds.",
        "Send it again.",
        status=503,
        retry=True,
    )


def _overloaded(why: str) -> Problem:
    return Problem(
        "It could not be stored just now.", why, "Send it again in a moment; nothing was kept.", status=503, retry=True
    )


def _broken(sender: Sender) -> Problem:
    return Problem(
        f"The source “{sender.name}” cannot take anything now.",
        f"Its kind “{sender.kind}” is not installed on this server.",
        "Install the file of that kind, or add the source anew with another kind.",
        status=503,
        retry=True,
    )


def _said(problem: Problem) -> bytes:
    return msgspec.json.encode({"what": problem.what, "why": problem.why, "remedy": problem.remedy})


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER).encode()))
    if status == 405:
        headers.append((b"allow", b"POST, PUT, GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


_HELP = msgspec.json.encode(
    {"help": "Send alerts or changes here by POST or PUT; each source has an address of its own, /in/NAME/TOKEN."}
)
_STORED = b'{"stored":true}'
_ACCEPTED: Message = {
    "type": "http.response.start",
    "status": 202,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(_STORED)).encode())],
}
_ACCEPTED_BODY: Message = {"type": "http.response.body", "body": _STORED}
