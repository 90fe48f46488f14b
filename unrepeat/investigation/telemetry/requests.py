"""Request logs as one ibis table, wherever they lie: nginx lines, Parquet, or a table of DuckDB, ClickHouse, Trino, Spark.

Every reader gives the same columns, so that the same expressions answer everywhere:
`at` (Unix seconds, float: no engine's time zone can meddle), `method`, `path`, `status` (integer), `seconds` (request time, float), `session` (text, empty: unknown).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
from ibis import _
from ibis.backends import BaseBackend
from ibis.expr.operations import Quantile

COLUMNS = ("at", "method", "path", "status", "seconds", "session")

NGINX_JSON = {
    "at": "at",
    "method": "method",
    "path": "path",
    "status": "status",
    "seconds": "request_time",
    "session": "session",
}
"""Which key of a JSON line holds what, unless told otherwise (`$msec`, `$request_method`, `$uri`, `$status`, `$request_time`)."""


@dataclass(frozen=True, slots=True)
class RequestLog:
    """Requests to ask about. `unreadable` counts the lines that are no requests; they stay out of every number."""

    con: BaseBackend
    table: ibis.Table
    source: str
    unreadable: int = 0

    @property
    def exact(self) -> bool:
        """Whether the engine knows exact quantiles (Trino knows approximate ones only)."""
        return bool(self.con.has_operation(Quantile))


def duckdb(*, threads: int | None = None) -> BaseBackend:
    """A DuckDB of our own, in memory; times are UTC."""
    con = ibis.duckdb.connect()
    con.raw_sql("set timezone = 'UTC'")
    if threads:
        con.raw_sql(f"set threads = {int(threads)}")
    return con


def nginx_json(con: Any, files: Sequence[Path], keys: Mapping[str, str] = NGINX_JSON) -> RequestLog:
    """JSON lines of nginx (plain or gzip, rotated sets): a line that is no JSON, such as a half-written last one, is counted and left out."""
    kinds = {
        "at": "DOUBLE",
        "method": "VARCHAR",
        "path": "VARCHAR",
        "status": "BIGINT",
        "seconds": "DOUBLE",
        "session": "VARCHAR",
    }
    columns = {keys[name]: kind for name, kind in kinds.items()}
    raw = con.read_json(
        [str(file) for file in files],
        columns=columns,
        format="newline_delimited",
        ignore_errors=True,
        maximum_object_size=1 << 24,
    )
    return _kept(con, raw.select(**{name: raw[keys[name]] for name in COLUMNS}), _named(files))


_COMBINED = (
    r"^\S+ \S+ .*?\[(\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "  # when
    r'"(\S+) ([^ ?"]*)(?:[^"\\]|\\.)*" (\d{3}) \S+ '  # method, path, status
    r'"(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"'  # referer, agent
    r'(?: ([\d.]+|-)(?: "?([^"]*)"?)?)?'  # request time, session
)
_LINES = """
create temp table {name} as
select epoch(try_strptime(said.day, '%d/%b/%Y:%H:%M:%S %z')) as "at", said.method, said.path, try_cast(said.status as bigint) as status,
       try_cast(said.seconds as double) as seconds, said.session
from (select regexp_extract(line, ?, ['day', 'method', 'path', 'status', 'seconds', 'session']) as said
      from read_csv(?, columns = {{'line': 'VARCHAR'}}, auto_detect = false, header = false, sep = '\x01', quote = '', escape = '', comment = '',
                    strict_mode = false, ignore_errors = true, max_line_size = 16777216) where line <> '')
"""


def nginx_combined(con: Any, files: Sequence[Path]) -> RequestLog:
    """Lines of the combined format followed by request time and session: `… "$http_user_agent" $request_time "$cookie_session"`.

    Each line is read by itself, so that one that makes no sense (half-written, an odd quote) spoils no other. Without a request time
    nothing is slow; without a session nobody is known.
    """
    name = ibis.util.gen_name("lines")
    con.con.execute(_LINES.format(name=name), [_COMBINED, [str(file) for file in files]])
    kept = _kept(con, con.table(name), _named(files))
    con.raw_sql(f"drop table {name}")
    return kept


def parquet(con: Any, files: Sequence[Path], columns: Mapping[str, str] = NGINX_JSON) -> RequestLog:
    """Parquet files, such as a recording's `requests.parquet`; `at` is a timestamp or Unix seconds."""
    raw = con.read_parquet([str(file) for file in files])
    return _kept(con, raw.select(**{name: raw[columns[name]] for name in COLUMNS}), _named(files))


def of_table(con: BaseBackend, name: str, columns: Mapping[str, str], database: str | None = None) -> RequestLog:
    """A table that is there already, in whatever engine `con` speaks to; nothing is copied."""
    raw = con.table(name, database=database)
    table = raw.select(**{ours: raw[theirs] for ours, theirs in columns.items()})
    return RequestLog(con, _typed(table), f"{con.name} {name}")


def _kept(con: Any, table: ibis.Table, source: str) -> RequestLog:
    """Read the files once into a temporary table: each question then costs no second reading."""
    typed = _typed(table)
    taken = con.raw_sql("select 1 from duckdb_tables() where table_name = 'requests'").fetchone()
    name = (
        ibis.util.gen_name("requests") if taken else "requests"
    )  # a plain name, so that the same question has the same text
    kept = con.create_table(name, typed, temp=True)
    unreadable = kept.filter(_.at.isnull() | _.status.isnull()).count().execute()
    return RequestLog(con, kept.filter(_.at.notnull() & _.status.notnull()), source, int(unreadable))


def _typed(table: ibis.Table) -> ibis.Table:
    at = table.at
    if at.type().is_timestamp():
        at = at.epoch_seconds() + at.millisecond() / 1000
    return table.select(
        "method",
        "path",
        at=at.cast("float64"),
        status=table.status.cast("int64"),
        seconds=table.seconds.cast("float64"),
        session=ibis.ifelse(table.session == "-", "", table.session.fill_null("")),  # "-": nginx knows none
    )


def _named(files: Sequence[Path]) -> str:
    return files[0].name if len(files) == 1 else f"{files[0].name} and {len(files) - 1} more"
