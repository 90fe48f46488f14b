"""The log is append-only for real: the database itself refuses UPDATE, DELETE, TRUNCATE and REPLACE.

The one way through is blanking: the kind becomes `redacted`, and the data keeps nothing but the kind it had and its numbers;
and only once a row of `incidents_redaction` says who did it and why.
"""

from django.db import migrations

SQLITE = [
    """
    create trigger incidents_entry_delete before delete on incidents_entry begin
        select raise(abort, 'the log is append-only: DELETE is refused');
    end
    """,
    """
    create trigger incidents_entry_replace before insert on incidents_entry
    when exists (select 1 from incidents_entry where id = new.id)
        or exists (select 1 from incidents_entry where incident_id = new.incident_id and seq = new.seq)
        or (new.key is not null and exists (select 1 from incidents_entry where key = new.key))
    begin
        select raise(abort, 'the log is append-only: this entry is there already');
    end
    """,
    """
    create trigger incidents_entry_update before update on incidents_entry
    when not (
        new.kind = 'redacted' and old.kind <> 'redacted'
        and new.id = old.id and new.incident_id = old.incident_id and new.seq = old.seq
        and new.at = old.at and new.recorded_at = old.recorded_at and new.by = old.by and new.key is old.key
        and exists (select 1 from incidents_redaction where entry_id = old.id)
        and json_extract(new.data, '$.was') = old.kind
        and not exists (select 1 from json_each(new.data) where key not in ('was', 'kept'))
        and json_type(new.data, '$.kept') is 'object'
        and not exists (
            select 1 from json_each(new.data, '$.kept') as kept
            where kept.type not in ('integer', 'true', 'false', 'null')
            or not exists (
                select 1 from json_each(old.data) as had
                where had.key = kept.key and had.type = kept.type and had.value is kept.value
            )
        )
    )
    begin
        select raise(abort, 'the log is append-only: UPDATE is refused');
    end
    """,
    """
    create trigger incidents_redaction_delete before delete on incidents_redaction begin
        select raise(abort, 'the audit is append-only: DELETE is refused');
    end
    """,
    """
    create trigger incidents_redaction_update before update on incidents_redaction begin
        select raise(abort, 'the audit is append-only: UPDATE is refused');
    end
    """,
    """
    create trigger incidents_redaction_replace before insert on incidents_redaction
    when exists (select 1 from incidents_redaction where id = new.id or entry_id = new.entry_id)
    begin
        select raise(abort, 'the audit is append-only: this entry was blanked already');
    end
    """,
]

POSTGRESQL = [
    """
    create function incidents_append_only() returns trigger language plpgsql as $$
    begin
        raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$
    """,
    """
    create function incidents_only_blanking() returns trigger language plpgsql as $$
    begin
        if new.kind = 'redacted' and old.kind <> 'redacted'
            and (new.id, new.incident_id, new.seq, new.at, new.recorded_at, new."by")
                = (old.id, old.incident_id, old.seq, old.at, old.recorded_at, old."by")
            and new.key is not distinct from old.key
            and exists (select 1 from incidents_redaction where entry_id = old.id)
            and (new.data ->> 'was') = old.kind
            and ((new.data - 'was'::text) - 'kept'::text) = '{}'::jsonb
            and jsonb_typeof(new.data -> 'kept') = 'object'
            and old.data @> (new.data -> 'kept')
            and not exists (
                select 1 from jsonb_each(new.data -> 'kept')
                where jsonb_typeof(value) not in ('number', 'boolean', 'null')
            )
        then
            return new;
        end if;
        raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'restrict_violation';
    end $$
    """,
    """
    create trigger incidents_entry_update before update on incidents_entry
    for each row execute function incidents_only_blanking()
    """,
    """
    create trigger incidents_entry_delete before delete on incidents_entry
    for each row execute function incidents_append_only()
    """,
    """
    create trigger incidents_entry_truncate before truncate on incidents_entry
    for each statement execute function incidents_append_only()
    """,
    """
    create trigger incidents_redaction_update before update or delete on incidents_redaction
    for each row execute function incidents_append_only()
    """,
    """
    create trigger incidents_redaction_truncate before truncate on incidents_redaction
    for each statement execute function incidents_append_only()
    """,
]

UNDO_SQLITE = [
    f"drop trigger incidents_{name}"
    for name in (
        "entry_delete",
        "entry_replace",
        "entry_update",
        "redaction_delete",
        "redaction_update",
        "redaction_replace",
    )
]

UNDO_POSTGRESQL = [
    "drop trigger incidents_entry_update on incidents_entry",
    "drop trigger incidents_entry_delete on incidents_entry",
    "drop trigger incidents_entry_truncate on incidents_entry",
    "drop trigger incidents_redaction_update on incidents_redaction",
    "drop trigger incidents_redaction_truncate on incidents_redaction",
    "drop function incidents_only_blanking()",
    "drop function incidents_append_only()",
]


def guard(apps, schema_editor):
    """Put the triggers in."""
    for statement in POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE:
        schema_editor.execute(statement, params=None)


def unguard(apps, schema_editor):
    """Take the triggers out."""
    for statement in UNDO_POSTGRESQL if schema_editor.connection.vendor == "postgresql" else UNDO_SQLITE:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
