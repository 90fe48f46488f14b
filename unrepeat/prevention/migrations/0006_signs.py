"""The signs by which past failures are known again. Those of reports that exist are written when the library is indexed anew."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("postmortems", "0005_related"),
        ("prevention", "0005_told"),
    ]

    operations = [
        migrations.CreateModel(
            name="Sign",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sign", models.CharField(max_length=300)),
                (
                    "postmortem",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="signs", to="postmortems.postmortem"
                    ),
                ),
            ],
            options={
                "db_table": "prevention_sign",
                "indexes": [models.Index(fields=["sign", "-postmortem"], name="sign_newest")],
                "constraints": [models.UniqueConstraint(fields=("postmortem", "sign"), name="sign_once")],
            },
        ),
    ]
