"""Tables that are append-only for real: triggers with which the database itself refuses UPDATE, DELETE, TRUNCATE and REPLACE.

For migrations: `operation(room, tables)`. `tables`: by table, the SQL condition (over `new`) under which a row is the same as
another one besides its id; SQLite's REPLACE would delete that one without a DELETE.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import migrations


def operation(room: str, tables: Mapping[str, str]) -> migrations.RunPython:
    """The operation that puts the triggers in, and takes them out when it is undone."""

    def guard(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001  the signature is Django's
        vendor = schema_editor.connection.vendor
        statements = _postgresql(room, tables) if vendor == "postgresql" else _sqlite(tables)
        for statement in statements:
            schema_editor.execute(statement, params=None)

    def unguard(apps: Any, schema_editor: Any) -> None:  # noqa: ARG001
        vendor = schema_editor.connection.vendor
        for statement in _out_of_postgresql(room, tables) if vendor == "postgresql" else _out_of_sqlite(tables):
            schema_editor.execute(statement, params=None)

    return migrations.RunPython(guard, unguard)


def _sqlite(tables: Mapping[str, str]) -> list[str]:
    made = []
    for table, same in tables.items():
        refused = f"select raise(abort, '{table} is append-only: {{}} is refused');"
        there = f"exists (select 1 from {table} where id = new.id) or exists (select 1 from {table} where {same})"  # noqa: S608  our own constants
        made += [
            f"create trigger {table}_delete before delete on {table} begin {refused.format('DELETE')} end",
            f"create trigger {table}_update before update on {table} begin {refused.format('UPDATE')} end",
            f"create trigger {table}_replace before insert on {table} when {there} begin {refused.format('REPLACE')} end",
        ]
    return made


def _postgresql(room: str, tables: Mapping[str, str]) -> list[str]:
    run = f"execute function {room}_append_only()"
    refuse = f"""
        create function {room}_append_only() returns trigger language plpgsql as $$
        begin
            raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
        end $$
    """
    made = [refuse]
    for table in tables:
        made += [
            f"create trigger {table}_row before update or delete on {table} for each row {run}",
            f"create trigger {table}_all before truncate on {table} for each statement {run}",
        ]
    return made


def _out_of_sqlite(tables: Mapping[str, str]) -> list[str]:
    return [f"drop trigger {table}_{name}" for table in tables for name in ("delete", "update", "replace")]


def _out_of_postgresql(room: str, tables: Mapping[str, str]) -> list[str]:
    made = [f"drop trigger {table}_{name} on {table}" for table in tables for name in ("row", "all")]
    return [*made, f"drop function {room}_append_only()"]
