"""What all tests share: the database they run on.

`UNREPEAT_TEST_DATABASE=postgresql` starts a PostgreSQL of its own (a temporary cluster) and runs on it; otherwise SQLite.
"""

from __future__ import annotations

import atexit
import os
import tempfile
from pathlib import Path

import hypothesis
import pytest
import structlog

from tests.support.postgres import PostgresCluster, postgres_binaries

hypothesis.settings.register_profile("unrepeat", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("unrepeat")  # a busy machine is no failure of the code
_configure_log = structlog.configure


def _configure_not_for_good(*given, **named):
    """Who captures the log must find it, also when a command of the terminal has configured it in this process before."""
    _configure_log(*given, **{**named, "cache_logger_on_first_use": False})


structlog.configure = _configure_not_for_good
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
from django.contrib.auth.hashers import Argon2PasswordHasher as Passwords  # noqa: E402

assert settings.DATABASES  # reads the settings, so that all is ready when the tests are collected
django.setup()
Passwords.time_cost, Passwords.memory_cost, Passwords.parallelism = 1, 8, 1  # a test's password is guessed by nobody


def pytest_sessionstart(session):
    """Once Django is set up: tests that commit can be cleaned up after, in spite of the append-only log."""
    from tests.support.append_only import let_tests_flush

    let_tests_flush()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """What waits for real servers begins first, so that no core is idle at the end.

    A room's test that asks no database would say the same on PostgreSQL as it has said on SQLite.
    """
    items.sort(key=lambda one: _asks_the_database(one) or not {"journeys", "faults"} & set(one.path.parts))
    if os.environ.get("UNREPEAT_TEST_DATABASE", "sqlite") == "sqlite":
        return
    asks = [one for one in items if "rooms" not in one.path.parts or _asks_the_database(one)]
    config.hook.pytest_deselected(items=[one for one in items if one not in set(asks)])
    items[:] = asks


def _asks_the_database(item) -> bool:
    """Whether it may: pytest-django refuses it to all others."""
    return bool(item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(item.fixturenames))
