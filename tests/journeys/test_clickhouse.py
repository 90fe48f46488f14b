"""The question of who was hurt, asked of a real ClickHouse: the same expression, the same values.

The engine is ClickHouse's own, in this process (chDB). It has no port, so a few lines here carry what ibis's client says over HTTP to it,
as they are, and the answers back.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.requests_story import QUESTION, STORY, told
from unrepeat.investigation.impact import measure
from unrepeat.investigation.telemetry import request_source, requests

COLUMNS = (
    "at Nullable(Float64), method Nullable(String), path Nullable(String), status Nullable(Int64), "
    "request_time Nullable(Float64), session Nullable(String)"
)


@contextmanager
def served(session: Any) -> Iterator[int]:
    """The engine on a port, for statements that come as a parameter or as a body."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            parameters = parse_qs(urlsplit(self.path).query)
            statement = parameters.get("query", [""])[0] or body
            try:
                with lock:
                    answer, status = session.query(statement.rstrip("; \n"), "Native").bytes(), 200
            except RuntimeError as error:
                answer, status = str(error).encode(), 500
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("X-ClickHouse-Format", "Native")
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def test_clickhouse_gives_the_same_values_as_duckdb(tmp_path):
    chdb = pytest.importorskip("chdb.session", reason="chdb-core is not installed")
    pytest.importorskip("clickhouse_connect", reason="clickhouse-connect is not installed")
    log_file = tmp_path / "access.log"
    log_file.write_text("\n".join(STORY))
    log = requests.nginx_json(requests.duckdb(), [log_file])
    session = chdb.Session(str(tmp_path / "clickhouse"))
    try:
        session.query(f"create table requests ({COLUMNS}) engine = MergeTree order by tuple()")
        session.query(
            f"insert into requests select * from file('{log_file}', JSONEachRow, '{COLUMNS}') "
            "where at is not null and status is not null settings input_format_allow_errors_num = 1000"
        )
        with served(session) as port:
            clickhouse = request_source.table(f"clickhouse://default:@127.0.0.1:{port}/default#requests")
            ours, theirs = measure(log, QUESTION), measure(clickhouse, QUESTION)
        assert clickhouse.source == "clickhouse requests"
        assert told(theirs) == told(ours)
        assert theirs.buckets == ours.buckets
    finally:
        session.close()
