"""The tables match the models, on whichever database the tests run."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from tests.support.bodies import STARTED, alertmanager
from unrepeat.arrivals import store
from unrepeat.arrivals.models import Alert, Source
from unrepeat.arrivals.reading import read_waiting
from unrepeat.support import clock


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_an_alert_stored_before_its_place_was_two_numbers_is_still_the_same_occurrence():
    executor = MigrationExecutor(connection)
    newest = [key for key in executor.loader.graph.leaf_nodes() if key[0] == "arrivals"]
    executor.migrate([("arrivals", "0002_listening")])
    before = executor.loader.project_state(("arrivals", "0002_listening")).apps.get_model("arrivals", "Alert")
    source = Source.objects.create(name="prometheus", kind="alertmanager", made_at=clock.now())
    for key in ("a", "b"):
        before.objects.create(
            source_id=source.pk,
            key=key,
            name="HighMemoryUsage",
            starts_at=datetime.fromisoformat(STARTED),
            first_seen_at=clock.now(),
            last_seen_at=clock.now(),
        )
    MigrationExecutor(connection).migrate(newest)
    with transaction.atomic():
        store.keep_deliveries([store.Arrival(source.pk, b"1", clock.now(), "{}", alertmanager(["a", "b", "c"]))])
    read_waiting()
    assert sorted(Alert.objects.values_list("key", "count")) == [("a", 2), ("b", 2), ("c", 1)]
