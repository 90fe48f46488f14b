"""Migrations, one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from unrepeat.support.problems import Problem

LOCK = 0x6D696772  # of PostgreSQL's advisory lock


def bring_up_to_date() -> int:
    """Run the migrations that are missing; returns how many those were."""
    try:
        with _alone():
            executor = MigrationExecutor(connection)
            missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
            if missing:
                call_command("migrate", verbosity=0, interactive=False)
            return missing
    except (DatabaseError, OSError) as error:
        raise Problem(
            "The tables could not be brought up to date.",
            f"The database said: {error}".strip(),
            "Check UNREPEAT_DATABASE_URL and that the database runs and may be written.",
            status=500,
        ) from error


@contextmanager
def _alone() -> Iterator[None]:
    if connection.vendor == "sqlite":
        with open(f"{connection.settings_dict['NAME']}.migrate.lock", "w") as lock:  # noqa: PTH123 - a plain lock file
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [LOCK])
