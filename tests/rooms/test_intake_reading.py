"""Deliveries become alerts and changes: each exactly once, only ever forward, whatever the bodies hold."""

from __future__ import annotations

import itertools
import json
import secrets
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection, transaction

from tests.support.bodies import ENDED, STARTED, alertmanager
from unrepeat.arrivals import alert_store, commands, queries, reading, store
from unrepeat.arrivals.models import Alert, Change, Delivery, Source
from unrepeat.arrivals.reading import read_waiting
from unrepeat.arrivals.records import AlertSeen, ChangeSeen, Reading
from unrepeat.support import clock

pytestmark = pytest.mark.django_db
NOON = datetime(2024, 8, 12, 12, 0, tzinfo=UTC)
START, END = datetime.fromisoformat(STARTED), datetime.fromisoformat(ENDED)


def source(kind: str = "alertmanager") -> Source:
    if not Source.objects.filter(name=kind).exists():
        Source.objects.create(name=kind, kind=kind, made_at=NOON)
    return Source.objects.get(name=kind)


def arrives(body: bytes, kind: str = "alertmanager", at: datetime = NOON) -> None:
    """A delivery is stored, not yet read."""
    with transaction.atomic():
        store.keep_deliveries([store.Arrival(source(kind).id, secrets.token_bytes(16), at, "{}", body)])


def read_all() -> int:
    return sum(iter(read_waiting, 0))


def take_news() -> list[Alert]:
    with transaction.atomic():
        return alert_store.take_alert_news(100)


@pytest.fixture
def says(monkeypatch):
    """Registers a kind of source that says what the test wants: `says[b"body"] = Reading(...)` or an exception."""
    said: dict[bytes, object] = {}

    def read(raw, headers, received_at):
        found = said[bytes(raw)]
        if isinstance(found, BaseException):
            raise found
        return found

    kinds = {**reading.source_kinds(), "told": SimpleNamespace(read=read)}
    monkeypatch.setattr(reading, "source_kinds", lambda: kinds)
    return said


def tell(says, *alerts: AlertSeen, changes: tuple[ChangeSeen, ...] = (), at: datetime = NOON) -> None:
    """A delivery of the kind `told` that says this."""
    body = secrets.token_bytes(8)
    says[body] = Reading(tuple(alerts), changes)
    arrives(body, "told", at)


def test_a_firing_alert_can_be_read_with_all_its_fields():
    arrives(alertmanager(["a"]))
    assert read_all() == 1
    alert = Alert.objects.get()
    assert (alert.key, alert.name, alert.service, alert.severity) == ("a", "HighMemoryUsage", "sessions", "critical")
    assert (alert.starts_at, alert.ends_at, alert.count, alert.news) == (START, None, 1, True)
    assert alert.labels["pod"] == "a" and alert.annotations == {"summary": "High memory usage"}
    assert alert.delivery_id == Delivery.objects.get(state=Delivery.State.READ).id
    assert Alert.objects.filter(starts_at=START).exists(), "the moment stands in the table as Django writes it"


@pytest.mark.parametrize("order", sorted(set(itertools.permutations(["firing", "firing", "resolved"]))))
@pytest.mark.parametrize("together", [True, False])
def test_a_resolve_wins_in_whatever_order_it_comes(order, together):
    for status in order:
        arrives(alertmanager(["a"], status))
        if not together:
            read_all()
    read_all()
    alert = Alert.objects.get()
    assert (alert.starts_at, alert.ends_at, alert.count) == (START, END, 3)


def test_another_start_is_another_occurrence():
    arrives(alertmanager(["a"], "resolved"))
    arrives(alertmanager(["a"], starts="2024-08-13T09:00:00Z"))
    read_all()
    assert Alert.objects.count() == 2 and Alert.objects.filter(ends_at=None).count() == 1


def test_news_is_only_what_changes_the_state():
    arrives(alertmanager(["a"]))
    read_all()
    assert [a.key for a in take_news()] == ["a"]
    arrives(alertmanager(["a"]))
    read_all()
    assert take_news() == []
    arrives(alertmanager(["a"], "resolved"))
    read_all()
    assert [a.ends_at for a in take_news()] == [END]
    arrives(alertmanager(["a"], "firing"))
    arrives(alertmanager(["a"], "resolved"))
    read_all()
    assert take_news() == []


def test_news_are_taken_only_in_a_transaction(transactional_db):
    with pytest.raises(RuntimeError):
        alert_store.take_alert_news(1)


def test_a_late_body_without_annotations_does_not_blank_what_is_known(says):
    seen = {"key": "a", "name": "x", "starts_at": NOON}
    tell(says, AlertSeen(status="firing", summary="High", annotations={"summary": "High"}, severity="page", **seen))
    read_all()
    tell(says, AlertSeen(status="resolved", **seen))
    read_all()
    alert = Alert.objects.get()
    assert (alert.summary, alert.severity, alert.annotations) == ("High", "page", {"summary": "High"})


def test_words_that_were_blanked_do_not_come_back_whatever_is_told_later(says):
    alert = AlertSeen(
        "a", "firing", "x", starts_at=NOON, summary="token s3cret", labels={"t": "s3cret"}, url="http://s3cret"
    )
    change = ChangeSeen("c", "deploy", NOON, summary="token s3cret", author="s3cret", url="http://s3cret")
    says[b"first"] = says[b"again"] = Reading(alerts=(alert,), changes=(change,))
    arrives(b"first", "told")
    read_all()
    commands.blank(Delivery.objects.get().id, by="ben", reason="a token")
    arrives(b"again", "told")
    read_all()
    kept, shipped = Alert.objects.get(), Change.objects.get()
    assert (kept.name, kept.count, kept.summary, kept.labels, kept.url) == ("x", 2, "", {}, "")
    assert (shipped.kind, shipped.summary, shipped.author, shipped.url) == ("deploy", "", "", "")


def test_an_end_before_the_start_or_without_a_time_is_put_right(says):
    tell(says, AlertSeen("a", "resolved", "x", starts_at=NOON, ends_at=NOON - timedelta(hours=1)))
    tell(says, AlertSeen("b", "resolved", "x", starts_at=NOON), at=NOON + timedelta(minutes=1))
    read_all()
    assert [a.ends_at - a.starts_at for a in queries.alerts(Alert.objects.values_list("id", flat=True))] == [
        timedelta(0),
        timedelta(minutes=1),
    ]


class TestWithoutOccurrenceTimes:
    """A sender that only says trigger, acknowledge, resolve and a key means the open occurrence."""

    @pytest.mark.parametrize("together", [True, False])
    def test_a_trigger_opens_and_the_next_one_is_counted(self, says, together):
        for minute in range(3):
            tell(says, AlertSeen("k", "firing", "x"), at=NOON + timedelta(minutes=minute))
            if not together:
                read_all()
        read_all()
        alert = Alert.objects.get()
        assert (alert.starts_at, alert.count, alert.last_seen_at) == (NOON, 3, NOON + timedelta(minutes=2))

    @pytest.mark.parametrize("together", [True, False])
    def test_after_a_resolve_a_trigger_opens_anew_even_in_the_same_instant(self, says, together):
        for status in ("firing", "resolved", "firing", "resolved", "firing"):
            tell(says, AlertSeen("k", status, "x"))
            if not together:
                read_all()
        read_all()
        found = Alert.objects.order_by("starts_at")
        assert [a.ends_at is None for a in found] == [False, False, True]

    def test_resolve_and_acknowledge_of_what_is_not_open_do_nothing(self, says):
        tell(says, AlertSeen("k", "resolved", "x"), AlertSeen("k", "acknowledged", "x"))
        assert read_all() == 1
        assert not Alert.objects.exists()

    def test_acknowledging_is_news_once_and_does_not_close(self, says):
        tell(says, AlertSeen("k", "firing", "x"))
        read_all()
        take_news()
        for minute in (1, 2):
            tell(says, AlertSeen("k", "acknowledged", "x"), at=NOON + timedelta(minutes=minute))
        read_all()
        assert [a.acknowledged_at for a in take_news()] == [NOON + timedelta(minutes=1)]
        assert Alert.objects.get().ends_at is None

    def test_the_real_generic_kind_does_so(self):
        for action in ("trigger", "trigger", "acknowledge", "resolve", "resolve"):
            arrives(
                json.dumps({"summary": "Checkout fails", "dedup_key": "k", "action": action}).encode(), "generic_alert"
            )
        read_all()
        alert = Alert.objects.get()
        assert alert.ends_at and alert.acknowledged_at and alert.count >= 2


class TestChanges:
    def deploy(self, status="succeeded", **more):
        return ChangeSeen(
            **{"key": "d-1", "kind": "deploy", "at": NOON, "status": status, "service": "sessions", **more}
        )

    def test_a_later_delivery_brings_the_change_up_to_date(self, says):
        tell(says, changes=(self.deploy("started", author="Dana", version="2.0"),))
        later = NOON + timedelta(minutes=3)
        tell(says, changes=(self.deploy("succeeded", at=later),), at=later)
        read_all()
        change = Change.objects.get()
        assert (change.status, change.at, change.author, change.version) == (
            "succeeded",
            NOON + timedelta(minutes=3),
            "Dana",
            "2.0",
        )

    def test_a_start_that_comes_late_does_not_undo_the_end(self, says):
        later = NOON + timedelta(minutes=3)
        tell(says, changes=(self.deploy("failed", at=later),), at=later)
        read_all()
        with transaction.atomic():
            alert_store.take_change_news(10)
        tell(says, changes=(self.deploy("started"),))
        read_all()
        change = Change.objects.get()
        assert (change.status, change.at, change.news) == ("failed", NOON + timedelta(minutes=3), False)

    def test_the_same_again_is_no_news(self, says):
        for _ in range(2):
            tell(says, changes=(self.deploy(extra={"a": 1}),))
            read_all()
            with transaction.atomic():
                taken = len(alert_store.take_change_news(10))
        assert taken == 0


class TestBodiesThatCannotBeRead:
    @pytest.mark.parametrize(
        "error",
        [
            ValueError("odd"),
            RecursionError("deep"),
            MemoryError(),
            KeyError("x"),
            StopIteration(),
            AssertionError("no"),
        ],
    )
    def test_whatever_a_reader_raises_the_body_is_set_aside_with_the_reason(self, says, error):
        says[b"bad"] = error
        arrives(b"bad", "told")
        arrives(alertmanager(["a"]))
        assert read_all() == 2
        bad = queries.unreadable().object_list[0]
        assert bytes(bad.body) == b"bad" and type(error).__name__ in bad.reason and str(error) in bad.reason
        assert Alert.objects.count() == 1

    @pytest.mark.parametrize(
        "seen",
        [
            AlertSeen("k", "firing", "half \ud800 a character", starts_at=NOON),
            AlertSeen("k", "firing", "x", starts_at=NOON, labels={"a": "\ud800"}),
            AlertSeen("k", "firing", "x", starts_at=NOON, extra={"n": object()}),
            AlertSeen("k", "firing", "x", starts_at="tomorrow"),
            AlertSeen(None, "firing", "x", starts_at=NOON),
        ],
        ids=["half a character", "half a character in a label", "no JSON", "no time", "no key"],
    )
    def test_what_no_table_takes_is_set_aside_and_its_neighbours_are_kept(self, says, seen):
        arrives(alertmanager(["before"]))
        tell(says, AlertSeen("good", "firing", "x", starts_at=NOON), seen)
        arrives(alertmanager(["after"]))
        assert read_all() == 3
        assert set(Alert.objects.values_list("key", flat=True)) == {"before", "after"}
        assert queries.unreadable().object_list[0].reason

    def test_nul_and_length_are_put_right_instead(self, says):
        tell(says, AlertSeen("k\x00" + "k" * 500, "firing", "n\x00" * 400, NOON, labels={"l": "\x00"}, summary="\x00"))
        tell(says, AlertSeen("k\x00" + "k" * 501, "firing", "x", NOON))
        read_all()
        assert Alert.objects.count() == 2 and not Delivery.objects.filter(state=Delivery.State.UNREADABLE).exists()

    def test_a_kind_that_is_gone_says_so(self):
        arrives(b"{}", "vanished")
        read_all()
        assert "vanished" in queries.unreadable().object_list[0].reason

    def test_after_a_mend_they_are_read_again(self, says):
        says[b"bad"] = ValueError("odd")
        arrives(b"bad", "told")
        read_all()
        says[b"bad"] = Reading((AlertSeen("k", "firing", "x", starts_at=NOON),))
        assert commands.reread() == 1
        read_all()
        assert Alert.objects.get().key == "k" and not queries.unreadable().object_list

    def test_what_the_sender_left_out_is_noted(self, says):
        says[b"x"] = Reading(note="The sender left out 3 alerts.")
        arrives(b"x", "told")
        read_all()
        kept = Delivery.objects.get()
        assert (kept.state, kept.reason) == (Delivery.State.READ, "The sender left out 3 alerts.")


@pytest.mark.django_db(transaction=True)
class TestExactlyOnce:
    def test_a_crash_before_the_commit_leaves_all_waiting_and_nothing_counted(self, monkeypatch):
        arrives(alertmanager(["a", "b"]))
        real = alert_store.keep_changes

        def crash(told):
            raise OperationalError("the power failed")

        monkeypatch.setattr(alert_store, "keep_changes", crash)
        with pytest.raises(OperationalError):
            read_waiting()
        assert not Alert.objects.exists() and queries.waiting() == 1
        monkeypatch.setattr(alert_store, "keep_changes", real)
        read_all()
        assert set(Alert.objects.values_list("count", flat=True)) == {1}

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite is read ahead")
    def test_after_a_crash_what_was_read_ahead_is_not_stored_before_what_crashed(self, monkeypatch):
        for name in "abc":
            arrives(alertmanager([name]))
        order, real = [], store.mark_read

        def crash(deliveries, notes):
            raise OperationalError("the power failed")

        def marked(deliveries, notes):
            order.extend(deliveries)
            return real(deliveries, notes)

        monkeypatch.setattr(store, "mark_read", crash)
        with pytest.raises(OperationalError):
            read_waiting(1)
        monkeypatch.setattr(store, "mark_read", marked)
        while read_waiting(1):
            pass
        assert len(order) == 3 and order == sorted(order)

    @pytest.mark.skipif(connection.vendor != "sqlite", reason="only SQLite is read ahead")
    def test_what_another_process_has_read_meanwhile_does_not_hold_up_what_waits(self):
        arrives(alertmanager(["a"]))
        reading._ahead.begin(0, None, 1)
        reading._ahead._begun.result()
        Delivery.objects.update(state=Delivery.State.READ)
        arrives(alertmanager(["b"]))
        assert read_waiting() == 1
        assert Alert.objects.get().key == "b"

    def test_several_workers_read_each_delivery_once(self, monkeypatch):
        monkeypatch.setattr(reading, "MOST_ALERTS", 7)
        monkeypatch.setattr(reading, "_one_at_a_time", threading.Semaphore(8))  # as if in several processes
        for n in range(60):
            arrives(alertmanager([f"k{n}", "same"]))
        failed: list[Exception] = []

        def work():
            try:
                end = clock.now() + timedelta(seconds=20)
                while queries.waiting() and clock.now() < end:
                    read_waiting(5)
            except Exception as error:  # noqa: BLE001 - told below, in the test's own thread
                failed.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert Alert.objects.count() == 61 and Alert.objects.get(key="same").count == 60
        assert set(Alert.objects.exclude(key="same").values_list("count", flat=True)) == {1}


def test_what_commands_a_terminal_is_taken_out_of_texts(says):
    tell(says, AlertSeen("k", "firing", "Slow \x1b[31mred\x1b[0m \x1b]0;owned\x07", START, summary="two\nlines\x00"))
    read_all()
    found = Alert.objects.get()
    assert (found.name, found.summary) == ("Slow red \ufffd]0;owned\ufffd", "two\nlines\ufffd")


def test_a_change_told_by_a_clock_that_is_ahead_happened_when_it_came(says):
    tell(says, changes=(ChangeSeen("k", "deploy", NOON.replace(year=2099), service="sessions"),))
    read_all()
    assert Change.objects.get().at == NOON


def test_a_list_of_unreadable_deliveries_leaves_the_bodies_where_they_are():
    arrives(b"{" * 1000)
    read_all()
    (row,) = queries.unreadable().object_list
    assert row.get_deferred_fields() == {"body", "headers"}
    assert row.size == 1000


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00Z", 0])
def test_a_start_that_was_never_set_means_the_open_occurrence(never):
    arrives(json.dumps({"summary": "Disk full", "started_at": never}).encode(), "generic_alert")
    arrives(json.dumps({"summary": "Disk full", "action": "resolve", "started_at": never}).encode(), "generic_alert")
    arrives(json.dumps({"service": "shop", "at": never}).encode(), "generic_change")
    read_all()
    assert Alert.objects.get().ends_at is not None
    assert Change.objects.get().at == NOON
    assert not queries.deliveries(unreadable=True)


def test_a_byte_that_is_no_text_is_named():
    arrives(b'{"version":"4","alerts":[{"labels":{"a":"\xfe"}}]}')
    read_all()
    assert queries.deliveries(unreadable=True)[0].reason == "The body is not UTF-8 text: there is a byte 0xfe in it."
