"""The mark up to which nothing is missing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("arrivals", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Listening",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("until", models.DateTimeField()),
            ],
            options={"db_table": "arrivals_listening"},
        ),
    ]
