"""Which request log is asked: the one that the settings name, or a recording's while it is replayed."""

from __future__ import annotations

import glob
import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from unrepeat.investigation.telemetry import Unanswered
from unrepeat.investigation.telemetry import requests as logs
from unrepeat.investigation.telemetry.requests import RequestLog
from unrepeat.support.config import config

MOST_FILES = 2000
LOOKED_AT, LONGEST = 256 * 1024 * 1024, 64 * 1024  # characters: of a file, and of a line, by which its format is told
_JSON_LINE = re.compile(r"\s*\{.*\}\s*$", re.DOTALL)
_COMBINED_LINE = re.compile(r'\S+ \S+ .*\[\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "')

_in_use: RequestLog | None = None


def request_log(since: datetime | None = None) -> RequestLog | None:
    """The requests from `since` on that can be asked about now; None when no log is connected. Raises Unanswered when it cannot be read."""
    if _in_use is not None:
        return _in_use
    if not config().request_log:
        return None
    if "://" in config().request_log:
        return table(config().request_log)
    files = [Path(name) for name in sorted(glob.glob(config().request_log))]  # noqa: PTH207 (an absolute pattern)
    if not files:
        raise Unanswered(f"no file matches UNREPEAT_REQUEST_LOG ({config().request_log})")
    return opened(written_since(files, since))


def written_since(files: Sequence[Path], since: datetime | None) -> list[Path]:
    """Of a rotated set, those that may hold requests from `since` on, as they were written to since then; the newest one when none was."""
    written = {file: file.stat().st_mtime for file in files if file.is_file()}
    late = [file for file, at in written.items() if since is None or at >= since.timestamp()]
    if len(late) > MOST_FILES:
        raise Unanswered(f"{len(late)} files of UNREPEAT_REQUEST_LOG were written in that time, more than {MOST_FILES}")
    return late or sorted(written, key=lambda file: written[file])[-1:] or list(files)


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
    """Parquet, JSON lines or the combined format, told by the first line that is either; raises Unanswered."""
    con = logs.duckdb()
    try:
        if files[0].suffix == ".parquet":
            return logs.parquet(con, files)
        return logs.nginx_combined(con, files) if _are_combined(files) else logs.nginx_json(con, files)
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


def _are_combined(files: Sequence[Path]) -> bool:
    """Whether the first line that is anything is a combined one. Files that are empty, or begin with what is no request, tell nothing."""
    for file in files:
        for line in _beginning(file):
            if _JSON_LINE.match(line):
                return False
            if _COMBINED_LINE.match(line):
                return True
    return False


def _beginning(file: Path) -> Iterator[str]:
    """The lines of a file, up to LOOKED_AT characters of it."""
    left = LOOKED_AT
    with gzip.open(file, "rt", errors="replace") if file.suffix == ".gz" else file.open(errors="replace") as lines:
        while left > 0 and (line := lines.readline(LONGEST)):
            left -= len(line)
            yield line
