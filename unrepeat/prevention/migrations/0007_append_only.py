"""Guards' texts, their runs and their proofs are append-only for real: the database refuses UPDATE, DELETE, TRUNCATE and REPLACE."""

from django.db import migrations

TABLES = {
    "prevention_guard_text": "guard_id = new.guard_id and seq = new.seq",
    "prevention_run": "new.key is not null and key = new.key",
    "prevention_proof": "0",
}
"""By table, what makes a row the same as another one besides its id."""


def _sqlite(table, same):
    refused = f"select raise(abort, '{table} is append-only: {{}} is refused');"
    return [
        f"create trigger {table}_delete before delete on {table} begin {refused.format('DELETE')} end",
        f"create trigger {table}_update before update on {table} begin {refused.format('UPDATE')} end",
        f"create trigger {table}_replace before insert on {table}"
        f" when exists (select 1 from {table} where id = new.id) or exists (select 1 from {table} where {same})"
        f" begin {refused.format('REPLACE')} end",
    ]


def _postgresql(table):
    run = "execute function prevention_append_only()"
    return [
        f"create trigger {table}_row before update or delete on {table} for each row {run}",
        f"create trigger {table}_all before truncate on {table} for each statement {run}",
    ]


REFUSE = """
    create function prevention_append_only() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$
"""


def guard(apps, schema_editor):
    """Put the triggers in."""
    if schema_editor.connection.vendor == "postgresql":
        statements = [REFUSE, *(made for table in TABLES for made in _postgresql(table))]
    else:
        statements = [made for table, same in TABLES.items() for made in _sqlite(table, same)]
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
        schema_editor.execute("drop function prevention_append_only()", params=None)


class Migration(migrations.Migration):
    dependencies = [("prevention", "0006_signs")]
    operations = [migrations.RunPython(guard, unguard)]
