"""Which request log is asked: the one that the settings name, or a recording's while it is replayed."""

from __future__ import annotations

import glob
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from unrepeat.investigation.telemetry import Unanswered
from unrepeat.investigation.telemetry import requests as logs
from unrepeat.investigation.telemetry.requests import RequestLog
from unrepeat.support.config import config

MOST_FILES = 200

_in_use: RequestLog | None = None


def request_log() -> RequestLog | None:
    """The requests that can be asked about now; None when no log is connected. Raises Unanswered when it cannot be read."""
    if _in_use is not None:
        return _in_use
    if not config().request_log:
        return None
    if "://" in config().request_log:
        return table(config().request_log)
    names = sorted(glob.glob(config().request_log))  # noqa: PTH207 (an absolute pattern)
    files = [Path(name) for name in names[:MOST_FILES]]
    if not files:
        raise Unanswered(f"no file matches UNREPEAT_REQUEST_LOG ({config().request_log})")
    return opened(files)


def table(url: str) -> RequestLog:
    """The table that an address names behind its `#`: `clickhouse://user:password@host:8123/logs#requests`; raises Unanswered."""
    address, _, name = url.partition("#")
    if not name:
        raise Unanswered(
            "UNREPEAT_REQUEST_LOG names no table: write it behind the address, as in clickhouse://host/logs#requests"
        )
    engine = address.partition("://")[0]
    try:
        return logs.of_table(_connected(address), name, logs.NGINX_JSON)
    except Exception as error:  # whatever a driver raises; it may hold the password, so only its kind is told
        _connected.cache_clear()
        raise Unanswered(f"the table {name} in {engine} cannot be asked ({type(error).__name__})") from error


@lru_cache(maxsize=1)
def _connected(address: str) -> Any:
    import ibis

    return ibis.connect(address)


def opened(files: Sequence[Path]) -> RequestLog:
    """Parquet, JSON lines or the combined format, told by the first file; raises Unanswered."""
    con = logs.duckdb()
    try:
        if files[0].suffix == ".parquet":
            return logs.parquet(con, files)
        return logs.nginx_json(con, files) if _begins(files[0]).startswith("{") else logs.nginx_combined(con, files)
    except Exception as error:
        raise Unanswered(
            f"the request log {files[0].name} cannot be read: {str(error).splitlines()[0][:200]}"
        ) from error


@contextmanager
def using(files: Sequence[Path]) -> Iterator[None]:
    """Ask these files while the block runs (a replay does); they are read once. Nothing is put in when one is absent."""
    global _in_use
    before = _in_use
    if all(file.is_file() for file in files):
        _in_use = opened(files)
    try:
        yield
    finally:
        _in_use = before


def _begins(file: Path) -> str:
    with gzip.open(file, "rt", errors="replace") if file.suffix == ".gz" else file.open(errors="replace") as lines:
        return lines.readline(200).lstrip()
