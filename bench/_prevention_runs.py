"""Ten million runs in minutes: made by the database itself, with the migrations' indexes and triggers put back afterwards.

The rows are as long as real ones of http_check: the output with its headers, figures, where it asked. Only their digests are made up
(64 hex characters without order, as SHA-256 are). Older runs come first, guard by guard in turn, so that the newest fifty of one guard lie in fifty places.
"""

from __future__ import annotations

import sys
import time
from typing import Any

TOGETHER = 20  # runs of each guard in one statement
HEADERS = """server: nginx/1.22.1
date: Tue, 24 Nov 2026 10:00:00 GMT
content-type: application/json; charset=utf-8
content-length: 75
cache-control: no-store
strict-transport-security: max-age=31536000
x-request-id: 6f1c0c3e5a0b4d2f
connection: close"""
BODY = '{"status":"ok","version":"2.0.1","database":"up","cache":"up","queue":"up"}'
TRACE = "\n".join(
    f"  at service.handler.step_{i} (service/handler.py:{i * 7})" for i in range(60)
)  # 3 KiB of a failed one
COLUMNS = 'guard_id, guard_digest, side, colour, at, seconds, said, remedy, output, figures, target, ref, "where", environment, "by", digest'


def fill(runs: int) -> None:
    """Texts, two runs and a proof of each guard that is proven, and `runs` regular runs of every guard; then each guard's summary."""
    from django.db import connection

    write = _Words(connection.vendor)
    with connection.cursor() as cursor:
        took = _Laps()
        put_back = _strip(cursor, connection.vendor)
        cursor.execute(write.texts())
        for side, colour in (("failure", "red"), ("fix", "green")):
            cursor.execute(write.trial(side, colour))
        cursor.execute(write.proofs())
        for first in range(0, runs, TOGETHER):
            cursor.execute(write.regular(first, min(first + TOGETHER, runs), runs))
        took.lap("rows")
        for statement in put_back:
            cursor.execute(statement)
        took.lap("indexes and triggers")
        cursor.execute(write.summary(runs))
        took.lap("summaries")


class _Laps:
    """Tells how long each part took."""

    def __init__(self) -> None:
        self._since = time.perf_counter()

    def lap(self, what: str) -> None:
        """A part has ended."""
        now = time.perf_counter()
        print(f"  runs: {what} in {now - self._since:.0f} s", file=sys.stderr, flush=True)
        self._since = now


def _strip(cursor: Any, vendor: str) -> list[str]:
    """Take indexes and triggers off the runs; what puts the same ones back, as the database itself words them."""
    if vendor == "sqlite":
        cursor.execute("pragma synchronous = off")
        cursor.execute("pragma journal_mode = off")  # what is made here need not survive anything
        cursor.execute(
            "select type, name, sql from sqlite_master where tbl_name = 'prevention_run' and type in ('index', 'trigger')"
        )
        found = cursor.fetchall()
        for kind, name, _ in found:
            cursor.execute(f"drop {kind} {name}")
        return [sql for _, _, sql in found] + ["pragma journal_mode = wal", "pragma synchronous = full"]
    cursor.execute("set synchronous_commit = off")
    cursor.execute("set maintenance_work_mem = '1GB'")
    cursor.execute(
        """select indexname, indexdef from pg_indexes where tablename = 'prevention_run' and indexname != 'prevention_run_pkey'"""
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"drop index {name}")
    cursor.execute("alter table prevention_run disable trigger user")
    return [sql for _, sql in found] + ["alter table prevention_run enable trigger user"]


class _Words:
    """The statements, in the words of one database."""

    def __init__(self, vendor: str) -> None:
        self._postgresql = vendor == "postgresql"
        self._now = int(time.time())

    def texts(self) -> str:
        """The one text of each guard."""
        return 'insert into prevention_guard_text (guard_id, seq, spec, digest, "by", at) select id, 1, spec, digest, made_by, made_at from prevention_guard'

    def trial(self, side: str, colour: str) -> str:
        """One side of a proof of each guard that is proven."""
        return (
            self._insert("prevention_guard g", side, f"'{colour}'", "86400 * 60")
            + " where g.proven_digest = g.digest order by g.id"
        )

    def proofs(self) -> str:
        """The proofs of both sides."""
        return """insert into prevention_proof (guard_id, guard_digest, failure_id, fix_id, proven, said, "by", at)
            select a.guard_id, a.guard_digest, a.id, b.id, true, 'Red on the failure, green on the fix: it would have caught it.', 'ada', a.at
            from prevention_run a join prevention_run b on b.guard_id = a.guard_id and b.side = 'fix' where a.side = 'failure'"""

    def regular(self, first: int, end: int, runs: int) -> str:
        """Some of the regular runs of every guard, the last one in the guard's own colour a minute or more ago."""
        series = (
            f"generate_series({first}, {end - 1}) as n(i)"
            if self._postgresql
            else f"(with recursive n(i) as (select {first} union all select i + 1 from n where i + 1 < {end}) select i from n) n"
        )
        colour = f"""case when n.i = {runs - 1} then g.colour when (n.i * 7 + g.id) % 97 = 0 then 'red'
            when (n.i + g.id) % 211 = 0 then 'broken' else 'green' end"""
        ago = f"({runs - 1} - n.i) * g.every + g.id % g.every"
        return self._insert(f"{series} cross join prevention_guard g", "now", colour, ago) + " order by n.i, g.id"

    def summary(self, runs: int) -> str:
        """Each guard's own row says what its runs say."""
        proven = "2 * (case when proven_digest = digest then 1 else 0 end)"
        return f"update prevention_guard set runs = {runs} + {proven}, ran_at = {self._ago('id % every')}, due_at = {self._ago('id % every - every')}"

    def _insert(self, rows: str, side: str, colour: str, ago: str) -> str:
        url = "(g.spec->>'url')"
        json = "::jsonb" if self._postgresql else ""
        digest = (
            "encode(sha256((g.id || ':' || random())::bytea), 'hex')"
            if self._postgresql
            else "lower(hex(randomblob(32)))"
        )
        good = f"({colour}) = 'green'"
        said = f"{url} || case when {good} then ' answered 200 in 0.05 s.' else ': it answered 500; good is 200; its body lacks “\"status\":\"ok\"”.' end"
        output = f"""case when {good} then '200 ' || {url} || '\n{HEADERS}\n\n{BODY}' else '500 ' || {url} || '\n{HEADERS}\n\n{TRACE}' end"""
        figures = f"""(case when {good} then '{{"status": 200.0, "seconds": 0.053}}' else '{{"status": 500.0, "seconds": 0.049}}' end){json}"""
        environment = f"""('{{"asked": "' || {url} || '", "answered by": "' || {url} || '"}}'){json}"""
        return f"""insert into prevention_run ({COLUMNS}) select g.id, g.digest, '{side}', {colour}, {self._ago(ago)}, 0.053, {said}, '', {output},
            {figures}, 'now', '', 'server', {environment}, 'unrepeat', {digest} from {rows}"""

    def _ago(self, seconds: str) -> str:
        return (
            f"to_timestamp({self._now} - ({seconds}))"
            if self._postgresql
            else f"datetime({self._now} - ({seconds}), 'unixepoch')"
        )
