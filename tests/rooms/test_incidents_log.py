"""The log in the database: append-only, without gaps, once under a key, with its summary row and its wakeups."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from unrepeat.incidents import acts, commands, queries, remembered, store
from unrepeat.incidents.entries import NoteWritten
from unrepeat.incidents.models import Incident, LogEntry, Redaction
from unrepeat.support.models import Wakeup
from unrepeat.support.problems import Conflict, Invalid, NotFound

START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)


def opened_by_ada(at: datetime = START) -> int:
    return commands.open_incident("The shop is slow", service="shop", severity="major", by="Ada", at=at)


def test_an_incident_that_ada_opens_has_a_log_a_summary_and_something_to_look_into(db):
    number = opened_by_ada()
    state = queries.state_of(number)
    row = queries.incident(number)
    assert (state.title, state.status, state.rule) == ("The shop is slow", "detected", "by_hand")
    assert (row.title, row.status, row.service, row.opened_at) == ("The shop is slow", "detected", "shop", START)
    planned = {(w.room, w.what): w.subject["incident"] for w in Wakeup.objects.all()}
    looks = [("investigation", what) for what in ("gather", "measure", "investigate")]
    assert planned == dict.fromkeys([*looks, ("prevention", "match")], number)


def test_a_resolve_plans_the_draft_in_the_same_transaction(db):
    number = opened_by_ada()
    Wakeup.objects.all().delete()
    written = commands.perform(number, acts.Resolve("Latency is back to normal."), by="Ada")
    seq = written[-1].seq
    assert list(Wakeup.objects.order_by("id").values_list("room", "what", "key")) == [
        ("investigation", "gather", f"gather:{number}:{seq}"),
        ("investigation", "measure", f"measure:{number}:{seq}"),
        ("postmortems", "draft", f"draft:{number}:{seq}"),
    ]


def test_a_refused_act_writes_nothing_and_plans_nothing(db):
    number = opened_by_ada()
    commands.perform(number, acts.Resolve("It is over."), by="Ada")
    entries, planned = LogEntry.objects.count(), Wakeup.objects.count()
    with pytest.raises(Conflict) as refused:
        commands.perform(number, acts.Resolve("It is over."), by="Ben")
    assert "Reopen it" in refused.value.remedy
    assert (LogEntry.objects.count(), Wakeup.objects.count()) == (entries, planned)


def test_an_act_under_a_key_happens_once(db):
    number = opened_by_ada()
    clear = acts.ClearSuspect("database", "service", "Its latency is flat.")
    first = commands.perform(number, clear, by="Ben", key="phone:7")
    assert len(first) == 2
    assert commands.perform(number, clear, by="Ben", key="phone:7") == first
    assert queries.state_of(number).last_seq == 3


def test_seq_has_no_gaps(db):
    number = opened_by_ada()
    for word in ("one", "two", "three"):
        commands.perform(number, acts.Note(word), by="Ben")
    assert [logged.seq for logged in queries.log_of(number)] == [1, 2, 3, 4]
    assert [logged.entry for logged in queries.log_of(number, after=2)] == [NoteWritten("two"), NoteWritten("three")]


def test_what_is_not_there_is_not_found(db):
    for ask in (queries.state_of, queries.log_of, queries.incident):
        with pytest.raises(NotFound):
            ask(404)
    with pytest.raises(NotFound):
        commands.perform(404, acts.Note("hello"), by="Ben")


def test_nothing_can_be_said_to_have_happened_in_the_future(db):
    number = opened_by_ada()
    with pytest.raises(Invalid, match="has not come yet"):
        commands.perform(number, acts.Note("soon"), by="Ben", at=datetime.now(UTC) + timedelta(hours=1))


REFUSED = (
    "update incidents_entry set data = '{}' where id = %s",
    "update incidents_entry set kind = 'note_written', seq = 99 where id = %s",
    "update incidents_entry set kind = 'redacted' where id = %s",
    'update incidents_entry set kind = \'redacted\', data = \'{"was": "note_written", "kept": {}}\' where id = %s',
    "delete from incidents_entry where id = %s",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses_to_change_the_past(db, statement):
    number = opened_by_ada()
    commands.perform(number, acts.Note("The password is hunter2."), by="Ben")
    entry = LogEntry.objects.get(incident_id=number, seq=2)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [entry.pk])
    assert LogEntry.objects.get(pk=entry.pk).data == {"text": "The password is hunter2."}


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_to_replace_or_truncate():
    number = opened_by_ada()
    sqlite = (
        "insert or replace into incidents_entry (id, incident_id, seq, kind, at, recorded_at, by, data)"
        " select id, incident_id, seq, 'note_written', at, recorded_at, by, '{}' from incidents_entry"
    )
    statement = sqlite if connection.vendor == "sqlite" else "truncate incidents_entry cascade"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert queries.state_of(number).title == "The shop is slow"


def test_a_secret_can_be_blanked_and_the_log_says_so(db):
    number = opened_by_ada()
    commands.perform(number, acts.Note("The password is hunter2."), by="Ben")
    commands.redact(number, 2, by="Ada", reason="A password was pasted.")
    log = queries.log_of(number)
    assert "hunter2" not in repr(log)
    assert [(logged.seq, logged.by, logged.entry.kind) for logged in log[1:]] == [
        (2, "Ben", "redacted"),
        (3, "Ada", "entry_redacted"),
    ]
    assert [(r.by, r.reason, r.entry.seq) for r in queries.redactions(number)] == [("Ada", "A password was pasted.", 2)]
    with pytest.raises(Conflict):
        commands.redact(number, 2, by="Ada", reason="Again.")


def test_blanking_keeps_no_words_even_when_asked_to(db):
    number = opened_by_ada()
    commands.perform(number, acts.Note("The password is hunter2."), by="Ben")
    entry = LogEntry.objects.get(incident_id=number, seq=2)
    Redaction.objects.create(entry=entry, by="Ada", at=START, reason="A password was pasted.")
    for data in (
        '{"was": "note_written", "kept": {"text": "The password is hunter2."}}',
        '{"was": "note_written", "kept": {"number": 7}}',
        '{"was": "resolved", "kept": {}}',
        '{"was": "note_written", "kept": {}, "more": 1}',
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("update incidents_entry set kind = 'redacted', data = %s where id = %s", [data, entry.pk])


def test_the_audit_of_redactions_cannot_be_changed_either(db):
    number = opened_by_ada()
    commands.redact(number, 1, by="Ada", reason="The title named a customer.")
    for statement in ("update incidents_redaction set reason = ''", "delete from incidents_redaction"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert queries.state_of(number).title == "(redacted)"
    assert queries.incident(number).title == "(redacted)"


def test_summary_rows_can_be_made_again_from_the_logs(db):
    number, other = opened_by_ada(), opened_by_ada()
    commands.perform(number, acts.HandRole("lead", "Ada"), by="Ada")
    commands.perform(number, acts.ConvictSuspect("sessions", "service", "Its memory grows without end."), by="Ben")
    commands.perform(other, acts.Merge(number, "The same outage."), by="Ada")
    before = list(Incident.objects.order_by("pk").values())
    assert commands.rebuild() == (2, 0)
    Incident.objects.filter(pk=number).update(title="wrong", guilty=[], lead="nobody", last_seq=77)
    assert commands.rebuild() == (2, 1)
    assert list(Incident.objects.order_by("pk").values()) == before


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_can_be_cleaned_up_after():
    assert opened_by_ada()


@pytest.mark.django_db(transaction=True)
def test_a_long_log_of_which_an_early_entry_was_blanked_is_summed_up_anew():
    number = opened_by_ada()
    commands.perform(number, acts.ConvictSuspect("Jane Doe", "service", "She did it."), by="Ben")
    for n in range(remembered.LONG + 1):
        commands.perform(number, acts.Note(f"Note {n}"), by="Ben")
    assert queries.incident(number).guilty == ["Jane Doe"]
    in_another_process = remembered._folds[number]
    commands.redact(number, 3, by="Ada", reason="A person's name.")
    assert queries.incident(number).guilty == []
    remembered._folds[number] = in_another_process
    store.append(number, [NoteWritten("Go on.")], by="Ben", at=START)
    assert queries.incident(number).guilty == []
    assert commands.rebuild() == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_a_remembered_fold_is_not_used_for_another_database_of_the_same_name():
    number = opened_by_ada()
    for n in range(remembered.LONG + 1):
        commands.perform(number, acts.Note(f"Note {n}"), by="Ben")
    _, state, last = remembered._folds[number]
    other = replace(last, by="Somebody else")
    remembered._folds[number] = (remembered._database(), replace(state, title="Something else"), other)
    commands.perform(number, acts.Note("Go on."), by="Ben")
    assert queries.incident(number).title == "The shop is slow"


def test_an_append_outside_the_lock_order_is_refused():
    with pytest.raises(RuntimeError, match="inside a transaction"):
        store.lock(1)
