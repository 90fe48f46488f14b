"""Tests that commit must empty the tables afterwards, and the log's triggers refuse just that.

Only here, between two tests, the triggers are set aside for the moment of Django's flush. No product code can do this.
"""

from __future__ import annotations

from django.core.management.commands import flush
from django.core.management.sql import sql_flush as django_flush
from django.db.backends.base.base import BaseDatabaseWrapper


def let_tests_flush() -> None:
    """Let Django's flush empty the append-only tables too."""
    flush.sql_flush = _flush


def _flush(style, connection: BaseDatabaseWrapper, **options):
    statements = django_flush(style, connection, **options)
    if not statements:
        return statements
    statements = [*statements, *(f"delete from {table}" for table in _search_tables(connection))]
    if connection.vendor == "postgresql":
        return ["set session_replication_role = replica", *statements, "set session_replication_role = origin"]
    with connection.cursor() as cursor:
        cursor.execute("select name, sql from sqlite_master where type = 'trigger'")
        triggers = cursor.fetchall()
    return [*(f"drop trigger {name}" for name, _ in triggers), *statements, *(made for _, made in triggers)]


def _search_tables(connection: BaseDatabaseWrapper) -> list[str]:
    """The search's own tables, which no model knows."""
    from unrepeat.postmortems import store

    wanted = [f"{index.table}{part}" for index in (store.SEARCH, store.RELATED) for part in ("", "_docs", "_stems")]
    with connection.cursor() as cursor:
        return [name for name in connection.introspection.table_names(cursor) if name in wanted]
