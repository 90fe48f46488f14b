"""Where traces come from: a Jaeger (or what speaks its query API), files of OTLP or Jaeger JSON, or a recording. They may be down, slow or wrong."""

from __future__ import annotations

import glob
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from unrepeat.investigation.telemetry import Silent, Unanswered
from unrepeat.investigation.telemetry.spans import Read, document, lines
from unrepeat.support import http
from unrepeat.support.config import config
from unrepeat.support.problems import Problem

MOST_BYTES = 32 * 1024 * 1024  # of one document, and of the end of a file of lines
MOST_ANSWER = 8 * 1024 * 1024
MOST_FILES = 20
TRACES = 200  # of a service and window
SECONDS = 3.0  # for one answer
NAMES = ("traces.json", "traces.jsonl", "traces.json.gz", "traces.jsonl.gz")
"""What a recording's traces may be called."""

Window = tuple[float, float]
"""Unix seconds."""


class TraceSource(Protocol):
    """Somewhere to ask for traces."""

    @property
    def source(self) -> str:
        """What it is, for people."""

    def read(self, services: Sequence[str], windows: Sequence[Window]) -> Read:
        """The spans of these services (as traces call them) and of whom they call, in each window; raises Unanswered."""


class Jaeger:
    """Jaeger's query API by its base address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def source(self) -> str:
        """`Jaeger at traces.example:16686`."""
        parts = urlsplit(self._url)
        return f"Jaeger at {parts.hostname or self._url}{f':{parts.port}' if parts.port else ''}"

    def read(self, services: Sequence[str], windows: Sequence[Window]) -> Read:
        """See `TraceSource`. A service that Jaeger does not know has no traces."""
        found = Read()
        for service in services:
            for start, end in windows:
                asked = {"service": service, "start": f"{start * 1e6:.0f}", "end": f"{end * 1e6:.0f}"}
                body = self._fetched({**asked, "limit": str(TRACES)})
                if body is not None:
                    document(body, self.source, found)
        return _each_once(found)

    def _fetched(self, parameters: dict[str, str]) -> bytes | None:
        try:
            answer = http.request(
                "GET",
                f"{self._url}/api/traces",
                params=parameters,
                timeout=SECONDS,
                max_bytes=MOST_ANSWER,
                from_settings=True,
            )
        except Problem as problem:
            raise Silent(f"{self.source} could not be asked: {problem.why.rstrip('.')}") from problem
        if answer.status == 404:
            return None
        if not answer.ok:
            raise Silent(f"{self.source} answered with status {answer.status}")
        return answer.body


class TraceFiles:
    """Files of OTLP JSON (one export a line, or one document) or Jaeger JSON, plain or gzip. Of a long file of lines, the end is read."""

    def __init__(self, files: Sequence[Path], source: str = "") -> None:
        self._files = list(files)[-MOST_FILES:]
        self.source = source or f"traces in {', '.join(file.name for file in self._files[:3])}"

    def read(self, services: Sequence[str], windows: Sequence[Window]) -> Read:  # noqa: ARG002
        """See `TraceSource`: all services; spans outside of the windows are left out."""
        if not self._files:
            raise Unanswered(f"no file matches UNREPEAT_TRACES ({config().traces})")
        found = Read()
        for file in self._files:
            try:
                self._read(file, found)
            except (OSError, EOFError, zlib.error) as error:
                raise Unanswered(f"the traces in {file.name} cannot be read ({type(error).__name__})") from error
        if found.unreadable and not found.spans:
            raise Unanswered(f"{self.source} hold nothing that is a span ({found.unreadable} pieces could not be read)")
        found.spans = [one for one in found.spans if any(start <= one.start <= end for start, end in windows)]
        return _each_once(found)

    def _read(self, file: Path, found: Read) -> None:
        body, whole = _end_of(file)
        rows = body.splitlines()
        if not whole:
            rows = rows[1:]  # the first one is a piece
        exports = [row for row in rows[:2] if row.lstrip().startswith(b"{") and row.rstrip().endswith(b"}")]
        if len(exports) == 2 or not whole:
            lines(rows, found)
        else:
            document(body, f"the file {file.name}", found)


def trace_source() -> TraceSource | None:
    """Who is asked for traces now: what `using` put in, else what the settings name; None when nobody is."""
    if _in_use is not None:
        return _in_use[0]
    if config().traces_url:
        return Jaeger(config().traces_url)
    if config().traces:
        return TraceFiles([Path(name) for name in sorted(glob.glob(config().traces))])  # noqa: PTH207
    return None


def recorded(folder: Path) -> TraceSource | None:
    """The traces of a recording; None when it has none."""
    files = [folder / name for name in NAMES if (folder / name).is_file()]
    return TraceFiles(files, f"the traces of the recording {folder.name}") if files else None


_in_use: tuple[TraceSource | None] | None = None


@contextmanager
def using(source: TraceSource | None) -> Iterator[None]:
    """Ask this one, or nobody, while the block runs (a replay does)."""
    global _in_use
    before, _in_use = _in_use, (source,)
    try:
        yield
    finally:
        _in_use = before


def _end_of(file: Path) -> tuple[bytes, bool]:
    """At most MOST_BYTES of a file, from its end (of a packed one: from its beginning), and whether that is all of it."""
    if file.suffix == ".gz":
        with gzip.open(file, "rb") as packed:
            body = packed.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise Unanswered(f"the traces in {file.name} unpack to more than {MOST_BYTES // 2**20} MiB")
        return body, True
    with file.open("rb") as plain:
        size = plain.seek(0, 2)
        plain.seek(max(0, size - MOST_BYTES))
        return plain.read(MOST_BYTES), size <= MOST_BYTES


def _each_once(found: Read) -> Read:
    """The same trace comes from every service that took part in it."""
    found.spans = list({(span.trace, span.id): span for span in found.spans}.values())
    return found
