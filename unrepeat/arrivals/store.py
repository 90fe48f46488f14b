"""The only reads and writes of sources as the intake needs them, and of deliveries. Hot paths speak SQL (`statements.py`), the rest Django."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection

from unrepeat.arrivals import spoken, statements
from unrepeat.arrivals.models import Delivery, Source, SourceSecret, SourceToken
from unrepeat.arrivals.occurrences import clean
from unrepeat.support import bell
from unrepeat.support.problems import Problem
from unrepeat.support.secret import unseal

READER = 0x756E7265  # of the advisory lock that the one reader holds on PostgreSQL


@dataclass(frozen=True, slots=True)
class Sender:
    """A source as the intake needs it. `tokens`: hash to moment of expiry; `secrets`: opened, with moment of expiry; None: cannot be opened."""

    id: int
    name: str
    kind: str
    max_bytes: int | None
    options: Mapping[str, Any]
    tokens: Mapping[str, datetime | None]
    secrets: tuple[tuple[str | None, datetime | None], ...]


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """One request to store. `headers` is JSON; `key` has at most 32 bytes."""

    source: int
    key: bytes
    received_at: datetime
    headers: str
    body: bytes


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A stored delivery that has not been read."""

    id: int
    source: int
    received_at: datetime
    headers: dict[str, str]
    body: bytes
    kind: str


def senders() -> dict[str, Sender]:
    """All sources by name, with the tokens and secrets that are not revoked."""
    tokens: dict[int, dict[str, datetime | None]] = {}
    for token in SourceToken.objects.filter(revoked_at=None):
        tokens.setdefault(token.source_id, {})[token.hash] = token.expires_at
    secrets: dict[int, list[tuple[str | None, datetime | None]]] = {}
    for secret in SourceSecret.objects.filter(revoked_at=None):
        secrets.setdefault(secret.source_id, []).append((_unsealed(secret.sealed), secret.expires_at))
    return {
        source.name: Sender(
            source.id,
            source.name,
            source.kind,
            source.max_bytes,
            source.options,
            tokens.get(source.id, {}),
            tuple(secrets.get(source.id, [])),
        )
        for source in Source.objects.all()
    }


def _unsealed(sealed: str) -> str | None:
    """A secret, or None when the server's key has changed: that is the trouble of its source, and of no other."""
    try:
        return unseal(sealed)
    except Problem:
        return None


def keep_deliveries(arrivals: Sequence[Arrival]) -> None:
    """Store deliveries in the present transaction; those that are known by source and key stay as they are."""
    if spoken.vendor() == "sqlite":
        rows = [(a.source, a.key, spoken.text(a.received_at), a.headers, a.body) for a in arrivals]
        spoken.many(statements.KEEP_DELIVERIES["sqlite"], rows)
    else:
        columns = (
            [a.source for a in arrivals],
            [a.key for a in arrivals],
            [a.received_at for a in arrivals],
            [a.headers for a in arrivals],
            [a.body for a in arrivals],
        )
        spoken.once(statements.KEEP_DELIVERIES["postgresql"], columns)
    bell.ring_on_commit("deliveries")


def be_the_reader() -> bool:
    """Whether this transaction may read deliveries. One at a time does, since the order matters to sources without times.

    On SQLite the write lock sees to it (`mark_read`); on PostgreSQL an advisory lock until the transaction ends.
    """
    if spoken.vendor() == "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute(statements.BE_THE_READER, [READER])
        return bool(cursor.fetchone()[0])


@contextmanager
def lazily() -> Iterator[None]:
    """On SQLite, commits inside do not wait for the disk, have more memory, and look up no foreign keys: what is read is what
    points there. For work that a crash undoes whole and that is then done again.

    The next commit that does wait takes them along, so nothing that others build on them can outlive them.
    """
    if connection.in_atomic_block or spoken.vendor() != "sqlite":
        yield
        return
    for pragma in statements.LAZY:
        spoken.raw_cursor().execute(pragma)
    try:
        yield
    finally:
        if connection.connection is not None:
            for pragma in statements.DURABLE:
                spoken.raw_cursor().execute(pragma)


def waiting(limit: int, size: int, *, after: int = 0) -> list[Waiting]:
    """The oldest deliveries after id `after` that wait to be read, in order, with about `size` bytes of bodies in all."""
    if spoken.vendor() == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statements.WAITING["postgresql"], (after, limit, size))
            rows = cursor.fetchall()
        return [Waiting(row[0], row[1], spoken.moment(row[2]), _headers(row[3]), row[4], row[5]) for row in rows]
    found = []
    with connection.wrap_database_errors, closing(spoken.raw_cursor()) as raw:
        for number, source, received_at, headers, body, kind in raw.execute(
            statements.WAITING["sqlite"], (after, limit)
        ):
            found.append(Waiting(number, source, spoken.moment(received_at), _headers(headers), body, kind))
            size -= len(body)
            if size < 0:
                break
    return found


def still_waits(delivery: int) -> bool:
    """Whether nobody has read a delivery yet."""
    return Delivery.objects.filter(id=delivery, state=Delivery.State.WAITING).exists()


def mark_read(deliveries: Sequence[int], notes: Mapping[int, str]) -> bool:
    """Mark deliveries read, with a note where there is one. False when another worker has been there before."""
    if not deliveries:
        return True
    if spoken.vendor() == "sqlite":
        # all that waits in this range was claimed together: another number means that others were at work
        done = spoken.raw_cursor().execute(statements.MARK_READ["sqlite"], (min(deliveries), max(deliveries))).rowcount
    else:
        done = spoken.once(statements.MARK_READ["postgresql"], (list(deliveries),))
    for delivery, note in notes.items():
        Delivery.objects.filter(id=delivery).update(reason=clean(note))
    return bool(done == len(deliveries))


def mark_unreadable(delivery: int, reason: str) -> None:
    """Keep a delivery aside with the reason why it could not be read."""
    Delivery.objects.filter(id=delivery, state=Delivery.State.WAITING).update(
        state=Delivery.State.UNREADABLE, reason=clean(reason)
    )


def mark_waiting(deliveries: Sequence[int] | None = None) -> int:
    """Let unreadable deliveries (all, or those) be read again; returns how many."""
    unreadable = Delivery.objects.filter(state=Delivery.State.UNREADABLE)
    if deliveries is not None:
        unreadable = unreadable.filter(id__in=deliveries)
    found = unreadable.update(state=Delivery.State.WAITING, reason="")
    if found:
        bell.ring_on_commit("deliveries")
    return found


@lru_cache(256)
def _headers(stored: str) -> dict[str, str]:
    """Headers as they were stored; senders repeat them. Not to be changed."""
    return msgspec.json.decode(stored, type=dict[str, str])
