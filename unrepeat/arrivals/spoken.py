"""How the room's hot statements are spoken: past Django's tables, in Django's connection and transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection

from unrepeat.arrivals.statements import Vendor

Row = tuple[Any, ...]


def vendor() -> Vendor:
    """Which of the two databases this is."""
    return "sqlite" if connection.vendor == "sqlite" else "postgresql"


def text(at: datetime) -> str:
    """A moment as Django writes it into SQLite: UTC, without the zone."""
    return (at if at.tzinfo is UTC else at.astimezone(UTC)).isoformat(" ")[:-6]


def moment(stored: Any) -> datetime:
    """A moment as the database gave it, in UTC."""
    return (
        stored.astimezone(UTC) if isinstance(stored, datetime) else datetime.fromisoformat(stored).replace(tzinfo=UTC)
    )


def raw_cursor() -> Any:
    """SQLite's own cursor, in Django's connection and transaction."""
    connection.ensure_connection()
    return connection.connection.cursor()


def many(statement: str, rows: Sequence[Row]) -> None:
    """One statement on SQLite for each of many rows."""
    cursor = raw_cursor()
    with connection.wrap_database_errors:
        cursor.executemany(statement, rows)


def once(statement: str, columns: Sequence[Sequence[Any]]) -> int:
    """One statement with an array a column, bound by the server in binary form; how many rows it touched."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(statement.encode(), columns).rowcount
