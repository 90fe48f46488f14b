"""Log lines: plain and coloured on a terminal, one JSON object a line elsewhere; always to stderr."""

from __future__ import annotations

import contextlib
import logging
import sys

import structlog

from unrepeat.support.config import config


class _Stderr:
    """Writes to whatever stderr is now. A line that cannot be written is dropped: no work may end because nobody reads its log."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    log = debug = info = warn = warning = error = critical = fatal = failure = exception = msg


def configure() -> None:
    """Set up logging for this process, our own and that of the libraries."""
    level = logging.getLevelNamesMapping().get(config().log_level.upper(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Stderr(),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=max(level, logging.WARNING), stream=sys.stderr, force=True)
