"""Alerts and changes whose words were taken out stay without them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("arrivals", "0003_alert_once")]

    operations = [
        migrations.AddField("alert", "blanked_at", models.DateTimeField(null=True)),
        migrations.AddField("change", "blanked_at", models.DateTimeField(null=True)),
    ]
