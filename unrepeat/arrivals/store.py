"""The only reads and writes of the room's tables. Hot paths speak SQL (`statements.py`), the rest Django."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import msgspec
import psycopg
from django.db import connection
from django.db.models import Max

from unrepeat.arrivals import statements
from unrepeat.arrivals.models import Alert, Change, Delivery, Source, SourceSecret, SourceToken
from unrepeat.arrivals.occurrences import Key, Latest, Occurrence, clean, json_text, key_hash, short_key
from unrepeat.arrivals.records import ChangeSeen
from unrepeat.support import bell
from unrepeat.support.problems import Problem
from unrepeat.support.secret import unseal

FIELDS = len(Occurrence.__struct_fields__)
MOMENTS = [n for n, field in enumerate(msgspec.structs.fields(Occurrence)) if field.type in (datetime, datetime | None)]
MANY = 1000  # alerts stored together
READER = 0x756E7265  # of the advisory lock that the one reader holds on PostgreSQL
Row = tuple[Any, ...]


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


class LaidOut(msgspec.Struct, frozen=True, gc=False):
    """Alerts as the database takes them: on SQLite the values of one statement each and single rows, on PostgreSQL columns."""

    together: list[list[Any]]
    rest: list[Row]


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
    if _vendor() == "sqlite":
        rows = [(a.source, a.key, _text(a.received_at), a.headers, a.body) for a in arrivals]
        _many(statements.KEEP_DELIVERIES["sqlite"], rows)
    else:
        columns = (
            [a.source for a in arrivals],
            [a.key for a in arrivals],
            [a.received_at for a in arrivals],
            [a.headers for a in arrivals],
            [a.body for a in arrivals],
        )
        _once(statements.KEEP_DELIVERIES["postgresql"], columns)
    bell.ring_on_commit("deliveries")


def be_the_reader() -> bool:
    """Whether this transaction may read deliveries. One at a time does, since the order matters to sources without times.

    On SQLite the write lock sees to it (`mark_read`); on PostgreSQL an advisory lock until the transaction ends.
    """
    if _vendor() == "sqlite":
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
    if connection.in_atomic_block or _vendor() != "sqlite":
        yield
        return
    for pragma in statements.LAZY:
        _raw_cursor().execute(pragma)
    try:
        yield
    finally:
        if connection.connection is not None:
            for pragma in statements.DURABLE:
                _raw_cursor().execute(pragma)


def waiting(limit: int, size: int, *, after: int = 0) -> list[Waiting]:
    """The oldest deliveries after id `after` that wait to be read, in order, with about `size` bytes of bodies in all."""
    if _vendor() == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(statements.WAITING["postgresql"], (after, limit, size))
            rows = cursor.fetchall()
        return [Waiting(row[0], row[1], _moment(row[2]), _headers(row[3]), row[4], row[5]) for row in rows]
    found = []
    with connection.wrap_database_errors, closing(_raw_cursor()) as raw:
        for number, source, received_at, headers, body, kind in raw.execute(
            statements.WAITING["sqlite"], (after, limit)
        ):
            found.append(Waiting(number, source, _moment(received_at), _headers(headers), body, kind))
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
    if _vendor() == "sqlite":
        # all that waits in this range was claimed together: another number means that others were at work
        done = _raw_cursor().execute(statements.MARK_READ["sqlite"], (min(deliveries), max(deliveries))).rowcount
    else:
        done = _once(statements.MARK_READ["postgresql"], (list(deliveries),))
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


def latest_of(keys: set[Key]) -> dict[Key, Latest]:
    """For each key its open occurrence and its newest one."""
    found = {key: Latest() for key in keys}
    by_hash = {key_hash(*key): key for key in keys}
    hashes = list(by_hash)
    for start in range(0, len(hashes), 500):
        rows = Alert.objects.filter(key_hash__in=hashes[start : start + 500])
        for number, newest in rows.values_list("key_hash").annotate(Max("starts_at")):
            found[by_hash[number]].last_at = newest
        for number, at in rows.filter(ends_at=None).order_by("starts_at").values_list("key_hash", "starts_at"):
            found[by_hash[number]].open_at = at
    return found


def laid_out(occurrences: Sequence[Occurrence]) -> LaidOut:
    """Alerts as the database takes them; each source, key and start may stand there once. Needs no transaction.

    Few keep the order in which they were told; many are laid out as their index is, so that its pages are walked through once.
    """
    if len(occurrences) >= MANY:
        occurrences = sorted(occurrences, key=attrgetter("key_hash"))
    if _vendor() == "sqlite":
        return _laid_out_for_sqlite(occurrences)
    columns = zip(*map(msgspec.structs.astuple, occurrences), strict=True)
    return LaidOut([list(column) for column in columns], [])


def keep_alerts(alerts: LaidOut) -> None:
    """Bring the alerts' table up to date."""
    if not (alerts.together or alerts.rest):
        return
    if _vendor() == "sqlite":
        _alerts_into_sqlite(alerts)
    else:
        _once(statements.UPSERT_ALERTS["postgresql"], alerts.together)
    bell.ring_on_commit("alerts")


def keep_changes(told: Sequence[tuple[int, int, datetime, ChangeSeen]]) -> None:
    """Bring the changes' table up to date from (source, delivery, received at, change seen), in order."""
    if not told:
        return
    vendor = _vendor()
    rows = [_change_row(vendor, *one) for one in told]
    if vendor == "sqlite":
        _many(statements.UPSERT_CHANGE["sqlite"], rows)
    else:
        with connection.cursor() as cursor:
            cursor.executemany(statements.UPSERT_CHANGE["postgresql"], rows)
    bell.ring_on_commit("changes")


def take_alert_news(limit: int) -> list[Alert]:
    """Alerts that changed state since they were last taken, oldest first; the flag falls with the caller's transaction."""
    return cast("list[Alert]", _take_news(Alert, limit))


def take_change_news(limit: int) -> list[Change]:
    """Changes that are new or changed since they were last taken, oldest first; the flag falls with the caller's transaction."""
    return cast("list[Change]", _take_news(Change, limit))


def any_news() -> bool:
    """Whether there are alerts or changes to take; asks without taking a lock."""
    return Alert.objects.filter(news=True).exists() or Change.objects.filter(news=True).exists()


def _take_news(model: type[Alert | Change], limit: int) -> list[Any]:
    if not connection.in_atomic_block:
        raise RuntimeError("news are taken in the transaction of what is made of them")
    rows: Any = model.objects.filter(news=True).order_by("id")
    if _vendor() == "postgresql":
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    taken = list(rows[:limit])
    if taken:
        model.objects.filter(id__in=[row.id for row in taken]).update(news=False)
    return taken


class _Texts(dict[datetime | None, str | None]):
    """Moments as SQLite takes them, each written once: in a flood many are the same."""

    def __missing__(self, at: datetime | None) -> str | None:
        self[at] = written = _text(at) if at else None
        return written


def _values(occurrences: Sequence[Occurrence], text: _Texts) -> list[Any]:
    """All fields of these, one after the other, moments as texts."""
    values: list[Any] = [*chain.from_iterable(map(msgspec.structs.astuple, occurrences))]
    for column in MOMENTS:
        values[column::FIELDS] = map(text.__getitem__, values[column::FIELDS])
    return values


def _laid_out_for_sqlite(occurrences: Sequence[Occurrence]) -> LaidOut:
    text, many = _Texts(), statements.ROWS_TOGETHER
    whole = len(occurrences) // many * many
    together = [_values(occurrences[n : n + many], text) for n in range(0, whole, many)]
    return LaidOut(together, [tuple(_values([one], text)) for one in occurrences[whole:]])


def _alerts_into_sqlite(alerts: LaidOut) -> None:
    """Many rows a statement: SQLite then works for long without Python's lock, and other threads go on."""
    cursor = _raw_cursor()
    with connection.wrap_database_errors:
        for values in alerts.together:
            cursor.execute(statements.UPSERT_MANY_ALERTS, values)
        cursor.executemany(statements.UPSERT_ALERTS["sqlite"], alerts.rest)


def _change_row(vendor: statements.Vendor, source: int, delivery: int, received_at: datetime, c: ChangeSeen) -> Row:
    moment = _text if vendor == "sqlite" else _same
    return (
        source,
        short_key(c.key),
        clean(c.kind, 40),
        moment(min(c.at, received_at)),  # what comes when its sender's clock is ahead has happened all the same
        c.status,
        clean(c.service, 120),
        clean(c.environment, 120),
        clean(c.version, 200),
        clean(c.previous, 200),
        clean(c.summary),
        clean(c.author, 200),
        clean(c.url),
        json_text(c.extra),
        moment(received_at),
        delivery,
    )


def _vendor() -> statements.Vendor:
    return "sqlite" if connection.vendor == "sqlite" else "postgresql"


def _same(at: datetime) -> datetime:
    return at


def _text(at: datetime) -> str:
    """A moment as Django writes it into SQLite: UTC, without the zone."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ")[:-6]


def _moment(stored: Any) -> datetime:
    return (
        stored.astimezone(UTC) if isinstance(stored, datetime) else datetime.fromisoformat(stored).replace(tzinfo=UTC)
    )


@lru_cache(256)
def _headers(stored: str) -> dict[str, str]:
    """Headers as they were stored; senders repeat them. Not to be changed."""
    return msgspec.json.decode(stored, type=dict[str, str])


def _raw_cursor() -> Any:
    """SQLite's own cursor, in Django's connection and transaction."""
    connection.ensure_connection()
    return connection.connection.cursor()


def _many(statement: str, rows: Sequence[Row]) -> None:
    cursor = _raw_cursor()
    with connection.wrap_database_errors:
        cursor.executemany(statement, rows)


def _once(statement: str, columns: Sequence[Sequence[Any]]) -> int:
    """One statement with an array a column, bound by the server in binary form; how many rows it touched."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement.encode(), columns).rowcount
