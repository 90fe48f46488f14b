"""An occurrence is found by two numbers instead of three texts."""

from typing import Any

from django.db import migrations, models

from unrepeat.arrivals.occurrences import key_hash, microseconds

TOGETHER = 2000


def fill(apps: Any, schema_editor: Any) -> None:
    alerts = apps.get_model("arrivals", "Alert").objects
    last = 0
    while rows := list(alerts.filter(id__gt=last).order_by("id").only("id", "source_id", "key", "starts_at")[:TOGETHER]):
        for row in rows:
            row.key_hash = key_hash(row.source_id, row.key)
            row.starts_us = microseconds(row.starts_at)
        alerts.bulk_update(rows, ["key_hash", "starts_us"], batch_size=200)
        last = rows[-1].id


class Migration(migrations.Migration):
    dependencies = [("arrivals", "0002_listening")]

    operations = [
        migrations.AddField("alert", "key_hash", models.BigIntegerField(null=True)),
        migrations.AddField("alert", "starts_us", models.BigIntegerField(null=True)),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField("alert", "key_hash", models.BigIntegerField()),
        migrations.AlterField("alert", "starts_us", models.BigIntegerField()),
        migrations.RemoveConstraint("alert", "alert_occurrence"),
        migrations.AddConstraint(
            "alert", models.UniqueConstraint(fields=["key_hash", "starts_us"], name="alert_once")
        ),
    ]
