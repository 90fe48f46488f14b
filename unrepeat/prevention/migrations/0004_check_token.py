from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens of runners: one service's guards, and nothing else."""

    dependencies = [("prevention", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="CheckToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("service", models.CharField(max_length=120)),
                ("hash", models.CharField(max_length=64, unique=True)),
                ("declares", models.BooleanField(default=False)),
                ("made_by", models.CharField(max_length=120)),
                ("made_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={"db_table": "prevention_check_token"},
        ),
    ]
