"""The search index over published reports: FTS5 on SQLite, full text on PostgreSQL."""

from django.db import migrations

from unrepeat.support.search import Index


def make(apps, schema_editor):
    """Make the index's table."""
    for statement in Index("postmortems_search").created(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


def drop(apps, schema_editor):
    """Drop it."""
    for statement in Index("postmortems_search").dropped(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("postmortems", "0002_append_only")]
    operations = [migrations.RunPython(make, drop)]
