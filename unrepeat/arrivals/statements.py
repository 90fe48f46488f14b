"""The room's hot statements, written by hand for each database: they carry many rows and run under full intake.

SQLite takes them row by row (`executemany`, dates as text in UTC as Django writes them); PostgreSQL takes one statement with
an array a column.
"""

from __future__ import annotations

from typing import Final, Literal

Vendor = Literal["sqlite", "postgresql"]

_KEEP_DELIVERY = """
insert into arrivals_delivery (source_id, key, received_at, headers, body, state, reason)
{rows}
on conflict (source_id, key) do nothing
"""

KEEP_DELIVERIES: Final[dict[Vendor, str]] = {
    "sqlite": _KEEP_DELIVERY.format(rows="values (?, ?, ?, ?, ?, 0, '')"),
    "postgresql": _KEEP_DELIVERY.format(
        rows="""
select t.source_id, t.key, t.received_at, t.headers::jsonb, t.body, 0, ''
from unnest(%b::bigint[], %b::bytea[], %b::timestamptz[], %b::text[], %b::bytea[])
  as t(source_id, key, received_at, headers, body)
"""
    ),
}

# One reader at a time until the transaction ends, and its commit does not wait for the disk.
BE_THE_READER: Final = "select pg_try_advisory_xact_lock(%s), set_config('synchronous_commit', 'off', true)"
LAZY: Final = (
    "pragma synchronous = normal",
    "pragma cache_size = -65536",  # KiB: the keys of alerts are spread over their whole index
    "pragma foreign_keys = off",
)
DURABLE: Final = ("pragma synchronous = full", "pragma foreign_keys = on")

# The oldest ones whose bodies together are not much longer than so many bytes, at least one. SQLite gives a row when it is
# asked for one, so that the caller can stop.
WAITING: Final[dict[Vendor, str]] = {
    "sqlite": """
select d.id, d.source_id, d.received_at, d.headers, d.body, s.kind
from arrivals_delivery d join arrivals_source s on s.id = d.source_id
where d.state = 0 and d.id > ?
order by d.id limit ?
""",
    "postgresql": """
select d.id, d.source_id, d.received_at, d.headers::text, d.body, s.kind
from (
    select id, sum(size) over (order by id) - size as before
    from (select id, octet_length(body) as size from arrivals_delivery where state = 0 and id > %s
      order by id limit %s) lengths
  ) w
  join arrivals_delivery d on d.id = w.id
  join arrivals_source s on s.id = d.source_id
where d.state = 0 and w.before <= %s
order by d.id for update of d skip locked
""",
}

MARK_READ: Final[dict[Vendor, str]] = {
    "sqlite": "update arrivals_delivery set state = 1 where state = 0 and id between ? and ?",
    "postgresql": "update arrivals_delivery set state = 1 where state = 0 and id = any(%b::bigint[])",
}

_ALERT_COLUMNS = (
    "key_hash, starts_us, source_id, key, starts_at, ends_at, acknowledged_at, name, service, severity, summary, labels, annotations, url, extra,"
    " count, first_seen_at, last_seen_at, delivery_id, news"
)


def _words(table: str, column: str, *, nothing: str = "''") -> str:
    """The newest words that say something, unless the words were taken out for good."""
    kept = f"arrivals_{table}.{column}"
    return (
        f"{column} = case when arrivals_{table}.blanked_at is null"
        f" then coalesce(nullif(excluded.{column}, {nothing}), {kept}) else {kept} end"
    )


_UPSERT_ALERTS = f"""
insert into arrivals_alert ({_ALERT_COLUMNS})
{{rows}}
on conflict (key_hash, starts_us) do update set
  news = arrivals_alert.news
    or (arrivals_alert.ends_at is null and excluded.ends_at is not null)
    or (arrivals_alert.ends_at is null and arrivals_alert.acknowledged_at is null and excluded.acknowledged_at is not null),
  ends_at = coalesce(arrivals_alert.ends_at, excluded.ends_at),
  acknowledged_at = coalesce(arrivals_alert.acknowledged_at, excluded.acknowledged_at),
  count = arrivals_alert.count + excluded.count,
  last_seen_at = {{latest}}(arrivals_alert.last_seen_at, excluded.last_seen_at),
  service = coalesce(nullif(excluded.service, ''), arrivals_alert.service),
  severity = coalesce(nullif(excluded.severity, ''), arrivals_alert.severity),
  {", ".join(_words("alert", c) for c in ("summary", "url"))},
  {", ".join(_words("alert", c, nothing="'{{{{}}}}'") for c in ("labels", "annotations", "extra"))}
"""

_ALERT_ARRAYS = """
select t.key_hash, t.starts_us, t.source_id, t.key, t.starts_at, t.ends_at, t.acknowledged_at, t.name, t.service, t.severity, t.summary,
  t.labels::jsonb, t.annotations::jsonb, t.url, t.extra::jsonb, t.count, t.first_seen_at, t.last_seen_at, t.delivery_id, true
from unnest(%b::bigint[], %b::bigint[], %b::bigint[], %b::text[], %b::timestamptz[], %b::timestamptz[], %b::timestamptz[], %b::text[], %b::text[],
  %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::int[], %b::timestamptz[], %b::timestamptz[],
  %b::bigint[])
  as t(key_hash, starts_us, source_id, key, starts_at, ends_at, acknowledged_at, name, service, severity, summary, labels, annotations, url,
    extra, count, first_seen_at, last_seen_at, delivery_id)
"""

_ONE_ROW = f"({'?, ' * 19}1)"
ROWS_TOGETHER: Final = 500  # of 19 values each; SQLite takes 32,766 values a statement

UPSERT_ALERTS: Final[dict[Vendor, str]] = {
    "sqlite": _UPSERT_ALERTS.format(rows=f"values {_ONE_ROW}", latest="max").replace("{{}}", "{}"),
    "postgresql": _UPSERT_ALERTS.format(rows=_ALERT_ARRAYS, latest="greatest").replace("'{{}}'", "'{}'::jsonb"),
}

UPSERT_MANY_ALERTS: Final = UPSERT_ALERTS["sqlite"].replace(_ONE_ROW, ", ".join([_ONE_ROW] * ROWS_TOGETHER))

_CHANGE_COLUMNS = (
    "source_id, key, kind, at, status, service, environment, version, previous, summary, author, url, extra, first_seen_at,"
    " delivery_id, news"
)
_LATE = "(excluded.status = 'started' and arrivals_change.status <> 'started')"
_KEPT_UNLESS_SAID = ("service", "environment", "version", "previous")

_UPSERT_CHANGE = f"""
insert into arrivals_change ({_CHANGE_COLUMNS})
values ({{marks}})
on conflict (source_id, key) do update set
  news = arrivals_change.news or (not {_LATE} and (
    arrivals_change.status <> excluded.status or arrivals_change.at <> excluded.at
    or (excluded.version <> '' and arrivals_change.version <> excluded.version)
    or (excluded.service <> '' and arrivals_change.service <> excluded.service))),
  kind = excluded.kind,
  at = case when {_LATE} then arrivals_change.at else excluded.at end,
  status = case when {_LATE} then arrivals_change.status else excluded.status end,
  {", ".join(f"{c} = coalesce(nullif(excluded.{c}, ''), arrivals_change.{c})" for c in _KEPT_UNLESS_SAID)},
  {", ".join(_words("change", c) for c in ("summary", "author", "url"))},
  {_words("change", "extra", nothing="{nothing}")}
"""  # noqa: S608 - no value from outside

UPSERT_CHANGE: Final[dict[Vendor, str]] = {
    "sqlite": _UPSERT_CHANGE.format(marks=f"{'?, ' * 15}1", nothing="'{}'"),
    "postgresql": _UPSERT_CHANGE.format(
        marks=", ".join("%s::jsonb" if n == 12 else "%s" for n in range(15)) + ", true", nothing="'{}'::jsonb"
    ),
}
