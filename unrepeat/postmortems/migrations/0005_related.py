"""The index by meaning over published reports. What was published before is put in by a wakeup, in steps."""

from django.db import migrations
from django.utils import timezone

from unrepeat.support.search_related import Related


def make(apps, schema_editor):
    """Make the index's tables, and plan the filling where there is something to fill in."""
    for statement in Related("postmortems_related").created(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)
    if apps.get_model("postmortems", "Postmortem").objects.filter(published_at__isnull=False).exists():
        now = timezone.now()
        apps.get_model("support", "Wakeup").objects.create(
            room="postmortems", what="reindex", key="reindex:0005_related", due_at=now, planned_at=now
        )


def drop(apps, schema_editor):
    """Drop them."""
    for statement in Related("postmortems_related").dropped(schema_editor.connection.vendor):
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("postmortems", "0004_impact"), ("support", "0001_initial")]
    operations = [migrations.RunPython(make, drop)]
