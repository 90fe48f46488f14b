"""Guards' texts, runs and proofs: kept as they were, whatever somebody tries."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from unrepeat.prevention import commands, store
from unrepeat.prevention.commands import Declared, Ran
from unrepeat.prevention.kind import Outcome
from unrepeat.prevention.models import GuardText, Proof, Run

REFUSED = (
    "update prevention_run set colour = 'green'",
    "update prevention_run set said = ''",
    "delete from prevention_run where 1 = 1",
    "update prevention_guard_text set digest = ''",
    "delete from prevention_guard_text where 1 = 1",
    "update prevention_proof set proven = {true}",
    "delete from prevention_proof where 1 = 1",
)


def tried_guard() -> int:
    """A guard of Ada's that was red on both sides of its trial."""
    text = {"expr": "sessions_tracked_visits", "op": ">", "threshold": 1000}
    found = commands.declare(Declared("visits", "promql", text, service="sessions"), by="Ada")
    red = Ran(Outcome("red", "Highest 6348; red is > 1000."))
    commands.record_proof(found.pk, red, red, by="Ada")
    commands.record(found.pk, Ran(Outcome("red", "It is 2000."), key="check-7"), by="check")
    return found.pk


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses_to_change_what_was_run_and_proven(db, statement):
    number = tried_guard()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(true="true" if connection.vendor == "postgresql" else "1"))
    assert [run.colour for run in store.runs(number)] == ["red", "red", "red"]
    assert [proof.proven for proof in store.proofs(number)] == [False]
    assert len(store.texts(number)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", [Run, GuardText, Proof])
def test_the_database_refuses_to_replace_or_truncate(table):
    tried_guard()
    name = table._meta.db_table
    before = table.objects.count()
    sqlite = f"insert or replace into {name} select * from {name}"
    statement = sqlite if connection.vendor == "sqlite" else f"truncate {name} cascade"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert table.objects.count() == before


def test_a_run_of_the_same_key_cannot_take_the_place_of_the_first(db):
    number = tried_guard()
    kept = commands.record(number, Ran(Outcome("green", "It is 0."), key="check-7"), by="check")
    assert kept.colour == "red"
    if connection.vendor == "sqlite":
        columns = [field.column for field in Run._meta.fields if field.column != "id"]
        quoted = ", ".join(f'"{one}"' for one in columns)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"insert or replace into prevention_run ({quoted}) select {quoted} from prevention_run where key = 'check-7'"
            )


def test_a_guard_that_changes_keeps_its_old_texts(db):
    number = tried_guard()
    text = {"expr": "sessions_tracked_visits", "op": ">", "threshold": 500}
    commands.declare(Declared("visits", "promql", text, service="sessions"), by="Ben")
    assert [(one.seq, one.spec["threshold"], one.by) for one in store.texts(number)] == [
        (2, 500.0, "Ben"),
        (1, 1000.0, "Ada"),
    ]
