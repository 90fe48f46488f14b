"""Folds what deliveries say about alerts into one row an occurrence, ready for the upsert. Pure.

An occurrence is known by source, key and start. It only ever moves forward: once resolved it stays resolved, whatever
comes late. A source without occurrence times means the open occurrence of its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from struct import Struct

import msgspec

from unrepeat.arrivals.records import AlertSeen
from unrepeat.support.words import printable

Key = tuple[int, str]  # source, key
KEY_LENGTH = 200  # of the column; a longer key is kept as its beginning and a digest
TICK = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SIGNED = Struct(">q").unpack

encode = msgspec.json.encode


class Occurrence(msgspec.Struct, gc=False):
    """One occurrence as a batch of deliveries tells it. Texts and JSON as the columns take them."""

    key_hash: int
    starts_us: int
    source: int
    key: str
    starts_at: datetime
    ends_at: datetime | None
    acknowledged_at: datetime | None
    name: str
    service: str
    severity: str
    summary: str
    labels: str
    annotations: str
    url: str
    extra: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    delivery: int


@dataclass(slots=True)
class Latest:
    """What the table holds for a key whose sender tells no occurrence time."""

    open_at: datetime | None = None  # start of its open occurrence
    last_at: datetime | None = None  # start of its newest occurrence


class Told(msgspec.Struct, frozen=True, gc=False):
    """The alerts that one delivery tells of."""

    source: int
    delivery: int
    received_at: datetime
    alerts: Sequence[AlertSeen]


def json_text(value: Mapping[str, object]) -> str:
    """JSON as both databases take it: NUL, which PostgreSQL refuses, becomes a replacement mark."""
    if not value:
        return "{}"
    text = encode(value).decode()
    return text if "\\u0000" not in text else encode(_without_nul(dict(value))).decode()


def clean(text: str, length: int | None = None) -> str:
    """Text as a column takes it and a terminal may show it: no control characters, at most `length` characters."""
    text = printable(text)
    return text if length is None or len(text) <= length else text[:length]


_again = lru_cache(1024)(clean)  # for words that the alerts of a rule share


def short_key(key: str) -> str:
    """A key that fits its column and stays different from every other."""
    if "\x00" in key:
        key = key.replace("\x00", "\ufffd")
    if len(key) <= KEY_LENGTH:
        return key
    return f"{key[: KEY_LENGTH - 33]}~{blake2b(key.encode(), digest_size=16).hexdigest()}"


def key_hash(source: int, key: str) -> int:
    """A source's key as a number of 64 bits (signed). With `starts_us` it finds an occurrence in an index a third as large as texts need."""
    hashed = _begun(source).copy()
    hashed.update(key.encode())
    return int(_SIGNED(hashed.digest())[0])


@lru_cache(256)
def _begun(source: int) -> blake2b:
    return blake2b(f"{source} ".encode(), digest_size=8)


def microseconds(at: datetime) -> int:
    """A moment as microseconds since 1970."""
    return (at - EPOCH) // TICK


def place(source: int, key: str, starts_at: datetime) -> dict[str, int]:
    """The columns by which the table finds an occurrence."""
    return {"key_hash": key_hash(source, key), "starts_us": microseconds(starts_at)}


def keys_without_times(told: Iterable[Told]) -> set[Key]:
    """The keys for which the table must be asked before `fold`."""
    return {(t.source, short_key(seen.key)) for t in told for seen in t.alerts if seen.starts_at is None}


def fold(told: Iterable[Told], latest: Mapping[Key, Latest]) -> list[Occurrence]:
    """One occurrence for each that the batch tells of, in the order of first telling; duplicates are counted."""
    return _Fold(latest).of(told)


@dataclass(slots=True)
class _Fold:
    latest: Mapping[Key, Latest]
    found: dict[tuple[int, int], Occurrence] = field(default_factory=dict)
    starts: dict[datetime, tuple[datetime, int]] = field(default_factory=dict)
    """Starts as they were told: in UTC, and in microseconds. In a flood many are the same."""
    extra: tuple[Mapping[str, object], str] = field(default_factory=lambda: ({}, "{}"))
    """The extra fields told last, and how they are written: the alerts of a group share them."""

    def of(self, told: Iterable[Told]) -> list[Occurrence]:
        for one in told:
            for seen in one.alerts:
                self._take(one, seen)
        return list(self.found.values())

    def _take(self, one: Told, seen: AlertSeen) -> None:
        key = short_key(seen.key)
        starts_at = seen.starts_at or self._start(one, seen, key)
        if starts_at is None:
            return  # resolve or acknowledge of what is not open: nothing to do
        start = self.starts.get(starts_at)
        if start is None:
            in_utc = starts_at.astimezone(UTC)
            start = self.starts[starts_at] = (in_utc, microseconds(in_utc))
        if seen.extra is not self.extra[0]:
            self.extra = (seen.extra, json_text(seen.extra))
        now = _occurrence(one, seen, key, start, self.extra[1])
        place = (now.key_hash, now.starts_us)
        before = self.found.get(place)
        self.found[place] = now if before is None else _merged(before, now)
        if self.latest:
            self._remember(self.found[place])

    def _start(self, one: Told, seen: AlertSeen, key: str) -> datetime | None:
        latest = self.latest.get((one.source, key)) or Latest()
        if latest.open_at is not None or seen.status != "firing":
            return latest.open_at
        at = one.received_at
        return at if latest.last_at is None else max(at, latest.last_at + TICK)

    def _remember(self, now: Occurrence) -> None:
        latest = self.latest.get((now.source, now.key))
        if latest is None:
            return
        if now.ends_at is None:
            latest.open_at = now.starts_at
        elif latest.open_at == now.starts_at:
            latest.open_at = None
        latest.last_at = now.starts_at if latest.last_at is None else max(latest.last_at, now.starts_at)


def _occurrence(one: Told, seen: AlertSeen, key: str, start: tuple[datetime, int], extra: str) -> Occurrence:
    at, starts_at = one.received_at, start[0]
    ends_at = None
    if seen.status == "resolved":
        ends_at = max((seen.ends_at or at).astimezone(UTC), starts_at)
    return Occurrence(
        key_hash(one.source, key),
        start[1],
        one.source,
        key,
        starts_at,
        ends_at,
        at if seen.status == "acknowledged" else None,
        _again(seen.name, 300),
        _again(seen.service, 120),
        _again(seen.severity, 40),
        clean(seen.summary),
        json_text(seen.labels),
        json_text(seen.annotations),
        _again(seen.url),
        extra,
        1,
        at,
        at,
        one.delivery,
    )


def _merged(before: Occurrence, now: Occurrence) -> Occurrence:
    return Occurrence(
        before.key_hash,
        before.starts_us,
        before.source,
        before.key,
        before.starts_at,
        before.ends_at or now.ends_at,
        before.acknowledged_at or now.acknowledged_at,
        now.name or before.name,
        now.service or before.service,
        now.severity or before.severity,
        now.summary or before.summary,
        now.labels if now.labels != "{}" else before.labels,
        now.annotations if now.annotations != "{}" else before.annotations,
        now.url or before.url,
        now.extra if now.extra != "{}" else before.extra,
        before.count + 1,
        before.first_seen_at,
        max(before.last_seen_at, now.last_seen_at),
        before.delivery,
    )


def _without_nul(value: object) -> object:
    if isinstance(value, str):
        return value.replace("\x00", "\ufffd")
    if isinstance(value, dict):
        return {_without_nul(str(k)): _without_nul(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nul(v) for v in value]
    return value
