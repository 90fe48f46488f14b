"""Two indexes of the runs that nothing asks: by digest (in no order, so each run cost a page), and by guard, which `run_newest` begins with.

The second one is dropped by its name: to alter the column would make SQLite copy the table, and lose the triggers that keep it
append-only.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("prevention", "0008_coverage")]
    operations = [
        migrations.RemoveIndex(model_name="run", name="run_digest"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="run",
                    name="guard",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="prevention.guard",
                    ),
                )
            ],
            database_operations=[
                migrations.RunSQL(
                    "drop index prevention_run_guard_id_67df90dc",
                    "create index prevention_run_guard_id_67df90dc on prevention_run (guard_id)",
                )
            ],
        ),
    ]
