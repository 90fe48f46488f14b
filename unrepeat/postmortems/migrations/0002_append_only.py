"""Prose and published revisions are append-only for real: the database itself refuses UPDATE, DELETE, TRUNCATE and REPLACE."""

from django.db import migrations

from unrepeat.support.append_only import operation

TABLES = {
    "postmortems_edit": "postmortem_id = new.postmortem_id and section = new.section and seq = new.seq",
    "postmortems_revision": "postmortem_id = new.postmortem_id and number = new.number",
}


class Migration(migrations.Migration):
    dependencies = [("postmortems", "0001_initial")]
    operations = [operation("postmortems", TABLES)]
