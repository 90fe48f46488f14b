import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What is told outside: reminders, trackers and their tickets."""

    dependencies = [
        ("incidents", "0003_measures_and_repeats"),
        ("inform", "0001_initial"),
        ("prevention", "0004_check_token"),
    ]

    operations = [
        migrations.CreateModel(
            name="Tracker",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=60, unique=True)),
                ("kind", models.CharField(max_length=40)),
                ("url", models.CharField(max_length=500)),
                ("project", models.CharField(blank=True, max_length=300)),
                ("sealed", models.TextField()),
                ("automatic", models.BooleanField(default=False)),
                ("added_by", models.CharField(max_length=120)),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
                ("seen_until", models.DateTimeField(null=True)),
                ("etag", models.CharField(blank=True, max_length=200)),
                ("polled_at", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=1000)),
            ],
            options={"db_table": "prevention_tracker"},
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("measure", models.PositiveIntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("who", models.CharField(max_length=120)),
                ("to", models.CharField(max_length=254)),
                ("at", models.DateTimeField()),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.incident"
                    ),
                ),
                (
                    "message",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inform.message"
                    ),
                ),
            ],
            options={
                "db_table": "prevention_reminder",
                "indexes": [models.Index(fields=["incident", "measure", "-at"], name="reminder_measure")],
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("measure", models.PositiveIntegerField()),
                ("marker", models.CharField(max_length=40, unique=True)),
                ("number", models.CharField(blank=True, max_length=60)),
                ("url", models.CharField(blank=True, max_length=500)),
                ("begun_at", models.DateTimeField(null=True)),
                ("told", models.JSONField(default=list)),
                ("telling", models.CharField(blank=True, max_length=200)),
                ("seen", models.CharField(blank=True, max_length=10)),
                ("seen_at", models.DateTimeField(null=True)),
                ("busy_until", models.DateTimeField(null=True)),
                ("trouble", models.CharField(blank=True, max_length=1000)),
                ("made_by", models.CharField(max_length=120)),
                ("made_at", models.DateTimeField()),
                (
                    "incident",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="incidents.incident"
                    ),
                ),
                (
                    "tracker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="prevention.tracker",
                    ),
                ),
            ],
            options={
                "db_table": "prevention_ticket",
                "indexes": [
                    models.Index(fields=["incident", "measure"], name="ticket_measure"),
                    models.Index(
                        condition=models.Q(("trouble", ""), _negated=True), fields=["id"], name="ticket_trouble"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("tracker", "incident", "measure"), name="ticket_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("number", ""), _negated=True),
                        fields=("tracker", "number"),
                        name="ticket_number",
                    ),
                ],
            },
        ),
    ]
