"""Guards' texts, their runs and their proofs are append-only for real: the database refuses UPDATE, DELETE, TRUNCATE and REPLACE."""

from django.db import migrations

from unrepeat.support.append_only import operation

TABLES = {
    "prevention_guard_text": "guard_id = new.guard_id and seq = new.seq",
    "prevention_run": "new.key is not null and key = new.key",
    "prevention_proof": "0",
}


class Migration(migrations.Migration):
    dependencies = [("prevention", "0006_signs")]
    operations = [operation("prevention", TABLES)]
