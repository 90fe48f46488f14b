"""Prose and published revisions are append-only for real: the database itself refuses UPDATE, DELETE, TRUNCATE and REPLACE."""

from django.db import migrations

TABLES = {"postmortems_edit": ("postmortem_id", "section", "seq"), "postmortems_revision": ("postmortem_id", "number")}


def _sqlite(table, key):
    refused = f"select raise(abort, '{table} is append-only: {{}} is refused');"
    same = " and ".join(f"{column} = new.{column}" for column in key)
    return [
        f"create trigger {table}_delete before delete on {table} begin {refused.format('DELETE')} end",
        f"create trigger {table}_update before update on {table} begin {refused.format('UPDATE')} end",
        f"create trigger {table}_replace before insert on {table}"
        f" when exists (select 1 from {table} where id = new.id or ({same})) begin {refused.format('REPLACE')} end",
    ]


def _postgresql(table):
    run = "execute function postmortems_append_only()"
    return [
        f"create trigger {table}_row before update or delete on {table} for each row {run}",
        f"create trigger {table}_all before truncate on {table} for each statement {run}",
    ]


REFUSE = """
    create function postmortems_append_only() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$
"""


def guard(apps, schema_editor):
    """Put the triggers in."""
    if schema_editor.connection.vendor == "postgresql":
        statements = [REFUSE, *(made for table in TABLES for made in _postgresql(table))]
    else:
        statements = [made for table, key in TABLES.items() for made in _sqlite(table, key)]
    for statement in statements:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    """Take the triggers out."""
    for table in TABLES:
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"drop trigger {table}_row on {table}", params=None)
            schema_editor.execute(f"drop trigger {table}_all on {table}", params=None)
        else:
            for name in ("delete", "update", "replace"):
                schema_editor.execute(f"drop trigger {table}_{name}", params=None)
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("drop function postmortems_append_only()", params=None)


class Migration(migrations.Migration):
    dependencies = [("postmortems", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
