"""What all tests share: the database they run on.

`UNREPEAT_TEST_DATABASE=postgresql` starts a PostgreSQL of its own (a temporary cluster) and runs on it; otherwise SQLite.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import hypothesis
import structlog

from tests.support.postgres import PostgresCluster, postgres_binaries

hypothesis.settings.register_profile("unrepeat", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("unrepeat")  # a busy machine is no failure of the code
_PLAIN = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
structlog.configure([structlog.processors.add_log_level, _PLAIN])  # drawing one traceback in colour takes half a second

_TEMP = Path(os.environ.get("UNREPEAT_TEST_DIR") or tempfile.mkdtemp(prefix="unrepeat-tests-"))


def _choose_database() -> None:
    if "UNREPEAT_TEST_DIR" in os.environ:
        return  # a worker of xdist: the first process has chosen
    os.environ["UNREPEAT_TEST_DIR"] = str(_TEMP)
    os.environ["UNREPEAT_DATA_DIR"] = str(_TEMP / "data")
    os.environ["UNREPEAT_SECRET_KEY"] = "only-for-tests-" + "x" * 40
    if os.environ.get("UNREPEAT_TEST_DATABASE", "sqlite") == "postgresql":
        if postgres_binaries() is None:
            raise SystemExit("PostgreSQL is not installed, and UNREPEAT_TEST_DATABASE=postgresql asks for it.")
        cluster = PostgresCluster(_TEMP / "pg")
        cluster.start()
        atexit.register(cluster.stop)
        os.environ["DATABASE_URL"] = cluster.url("unrepeat")
    else:
        os.environ["DATABASE_URL"] = f"sqlite:///{_TEMP}/unrepeat.db"


_choose_database()
# Not in pyproject.toml: pytest-django would then read the settings before this file has chosen the database.
os.environ["DJANGO_SETTINGS_MODULE"] = "unrepeat.settings"
import django  # noqa: E402
from django.conf import settings  # noqa: E402

assert settings.DATABASES  # reads the settings, so that all is ready when the tests are collected
django.setup()


def pytest_sessionstart(session):
    """Once Django is set up: tests that commit can be cleaned up after, in spite of the append-only log."""
    from tests.support.append_only import let_tests_flush

    let_tests_flush()
