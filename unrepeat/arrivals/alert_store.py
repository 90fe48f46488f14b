"""The only reads and writes of alerts and changes as the reading stores them, and of their news. Beside `store.py`, which holds deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Any, cast

import msgspec
from django.db import connection
from django.db.models import Max

from unrepeat.arrivals import spoken, statements
from unrepeat.arrivals.models import Alert, Change
from unrepeat.arrivals.occurrences import Key, Latest, Occurrence, clean, json_text, key_hash, short_key
from unrepeat.arrivals.records import ChangeSeen
from unrepeat.support import bell

FIELDS = len(Occurrence.__struct_fields__)
MOMENTS = [n for n, field in enumerate(msgspec.structs.fields(Occurrence)) if field.type in (datetime, datetime | None)]
MANY = 1000  # alerts stored together


class LaidOut(msgspec.Struct, frozen=True, gc=False):
    """Alerts as the database takes them: on SQLite the values of one statement each and single rows, on PostgreSQL columns."""

    together: list[list[Any]]
    rest: list[spoken.Row]


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
    if spoken.vendor() == "sqlite":
        return _laid_out_for_sqlite(occurrences)
    columns = zip(*map(msgspec.structs.astuple, occurrences), strict=True)
    return LaidOut([list(column) for column in columns], [])


def keep_alerts(alerts: LaidOut) -> None:
    """Bring the alerts' table up to date."""
    if not (alerts.together or alerts.rest):
        return
    if spoken.vendor() == "sqlite":
        _alerts_into_sqlite(alerts)
    else:
        spoken.once(statements.UPSERT_ALERTS["postgresql"], alerts.together)
    bell.ring_on_commit("alerts")


def keep_changes(told: Sequence[tuple[int, int, datetime, ChangeSeen]]) -> None:
    """Bring the changes' table up to date from (source, delivery, received at, change seen), in order."""
    if not told:
        return
    vendor = spoken.vendor()
    rows = [_change_row(vendor, *one) for one in told]
    if vendor == "sqlite":
        spoken.many(statements.UPSERT_CHANGE["sqlite"], rows)
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
    if spoken.vendor() == "postgresql":
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    taken = list(rows[:limit])
    if taken:
        model.objects.filter(id__in=[row.id for row in taken]).update(news=False)
    return taken


class _Texts(dict[datetime | None, str | None]):
    """Moments as SQLite takes them, each written once: in a flood many are the same."""

    def __missing__(self, at: datetime | None) -> str | None:
        self[at] = written = spoken.text(at) if at else None
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
    cursor = spoken.raw_cursor()
    with connection.wrap_database_errors:
        for values in alerts.together:
            cursor.execute(statements.UPSERT_MANY_ALERTS, values)
        cursor.executemany(statements.UPSERT_ALERTS["sqlite"], alerts.rest)


def _change_row(
    vendor: statements.Vendor, source: int, delivery: int, received_at: datetime, c: ChangeSeen
) -> spoken.Row:
    moment = spoken.text if vendor == "sqlite" else _same
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


def _same(at: datetime) -> datetime:
    return at
