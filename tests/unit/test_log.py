"""The log never ends the work that it tells of."""

from __future__ import annotations

import io
import sys

import pytest
import structlog

from unrepeat.support.log import configure


@pytest.fixture(autouse=True)
def afterwards_as_before():
    before = structlog.get_config()
    yield
    structlog.configure(**before)


def test_lines_go_to_whatever_stderr_is_now(monkeypatch):
    configure()
    log = structlog.get_logger("tests")
    for _ in range(2):
        now = io.StringIO()
        monkeypatch.setattr(sys, "stderr", now)
        log.warning("something happened", delivery=7)
        assert "something happened" in now.getvalue()


def test_a_log_that_nobody_reads_any_more_stops_nothing(monkeypatch):
    configure()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    structlog.get_logger("tests").warning("nobody reads this")
