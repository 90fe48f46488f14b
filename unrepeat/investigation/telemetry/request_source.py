"""Which request log is asked: the one that the settings name, or a recording's while it is replayed."""

from __future__ import annotations

import glob
import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
    names = sorted(glob.glob(config().request_log))  # noqa: PTH207 (an absolute pattern)
    files = [Path(name) for name in names[:MOST_FILES]]
    if not files:
        raise Unanswered(f"no file matches UNREPEAT_REQUEST_LOG ({config().request_log})")
    return opened(files)


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
