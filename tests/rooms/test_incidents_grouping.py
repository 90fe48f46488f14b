"""Alerts and changes become incidents: one for one outage, whatever their number and order."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from tests.support.world import START, alert, change, ends, minutes, the_shop
from unrepeat.arrivals.models import Alert, Change
from unrepeat.arrivals.occurrences import place
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents.jobs import group_news, resolve_if_quiet
from unrepeat.incidents.models import Incident, LogEntry, Membership
from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup


@pytest.fixture(autouse=True)
def time():
    """A clock that stands at the outage's start."""
    with clock.using(clock.SimulatedClock(START)) as _:
        yield clock._clock


@pytest.fixture
def shop(db):
    the_shop()


def grouped(limit: int = 1000) -> list[Incident]:
    while group_news(limit):
        pass
    return list(Incident.objects.order_by("pk"))


def kinds(number: int) -> list[str]:
    return [logged.entry.kind for logged in queries.log_of(number)]


def run_due() -> list[str]:
    """Do what is due in the incidents room."""
    said = []
    while claim := wakeups.claim("test", timedelta(seconds=30)):
        handler = {"resolve_if_quiet": resolve_if_quiet}.get(claim.what, lambda _: "not ours")
        with transaction.atomic():
            outcome = handler(claim)
            wakeups.finish(claim, outcome)
        said += [outcome] if claim.what == "resolve_if_quiet" else []
    return said


def test_an_alert_opens_an_incident_that_reads_like_a_headline(shop):
    change("sessions", START - minutes(20))
    change("billing", START - minutes(10), version="7")
    fired = alert("sessions", summary="Sessions holds 1.2 GB, over 80 % of its budget")
    (row,) = grouped()
    state = queries.state_of(row.pk)
    assert (state.title, state.severity, state.rule) == (
        "Sessions holds 1.2 GB, over 80 % of its budget",
        "critical",
        "nothing_near",
    )
    assert state.started_at == state.detected_at == START
    assert [(c.service, c.version) for c in state.changes.values()] == [("sessions", "2.0")]
    assert queries.incident_of_alert(fired.pk) == row.pk
    assert {(w.room, w.what) for w in Wakeup.objects.all()} == {
        *(("investigation", what) for what in ("gather", "measure", "investigate")),
        ("prevention", "match"),
    }


def test_an_alert_says_by_whom_and_when_it_fired_and_when_we_learned_it(shop, time):
    alert("sessions")
    time.advance(minutes=3)
    (row,) = grouped()
    opened, fired = queries.log_of(row.pk)
    assert (opened.by, opened.at, opened.recorded_at) == ("unrepeat", START, START + minutes(3))
    assert (fired.by, fired.at, fired.entry.why) == ("prometheus", START, "Nothing else near was going on.")


def test_a_second_alert_of_the_service_and_one_of_a_neighbour_join(shop):
    alert("sessions")
    alert("sessions", "TooManyRestarts", START + minutes(5))
    alert("shop", "ShopSlow", START + minutes(10), severity="warning")
    alert("load-balancer", "Queueing", START + minutes(12))
    (row,) = grouped()
    state = queries.state_of(row.pk)
    assert state.services == ["sessions", "shop", "load-balancer"]
    why = [logged.entry.why for logged in queries.log_of(row.pk) if logged.entry.kind == "alert_fired"]
    assert why[1:] == [
        "The same service, sessions.",
        "shop is a neighbour of sessions.",
        "load-balancer is a neighbour of shop.",
    ]


def test_incidents_are_listed_by_any_of_their_services_and_by_status(shop, time):
    alert("sessions")
    alert("shop", "ShopSlow", START + minutes(10))
    alert("billing", "InvoicesLate", START + minutes(11))
    both, billing = grouped()
    for service, rows in (("sessions", [both]), ("shop", [both]), ("billing", [billing]), ("sho", []), ("%", [])):
        assert list(queries.incidents(service=service)) == rows, service
    time.advance(hours=1)
    commands.perform(billing.pk, acts.Resolve("The invoices are out."), by="Ada")
    assert [row.pk for row in queries.incidents(status="open")] == [both.pk] == [r.pk for r in queries.open_incidents()]
    assert [row.pk for row in queries.incidents(status="resolved")] == [billing.pk]
    first = queries.incidents(size=1, page=99)
    assert ([row.pk for row in first], first.page, first.pages, first.total) == ([both.pk], 2, 2, 2)


def test_a_stranger_opens_an_incident_of_its_own(shop):
    alert("sessions")
    alert("billing", "InvoicesLate")
    assert [row.service for row in grouped()] == ["sessions", "billing"]


def test_a_worse_alert_makes_it_worse_unless_a_person_has_judged(shop):
    alert("shop", severity="warning")
    (row,) = grouped()
    assert row.severity == "minor"
    alert("sessions", severity="page", at=START + minutes(1))
    grouped()
    assert queries.state_of(row.pk).severity == "critical"
    commands.perform(row.pk, acts.SetSeverity("minor", "Nobody is hurt."), by="Ada")
    alert("database", severity="page", at=START + minutes(2))
    grouped()
    assert queries.state_of(row.pk).severity == "minor"


def test_info_opens_nothing_but_joins_what_is_open(shop):
    alert("sessions", "JustSaying", severity="info")
    assert grouped() == []
    alert("sessions")
    alert("sessions", "JustSaying", START + minutes(1), severity="info")
    alert("shop", "JustSaying", START + minutes(1), severity="info")
    (row,) = grouped()
    assert [a.name for a in queries.state_of(row.pk).alerts.values()] == ["HighMemoryUsage", "JustSaying"]


def test_an_alert_that_has_ended_before_we_learned_of_it_is_an_incident_all_the_same(shop, time):
    time.advance(hours=2)
    alert("sessions", until=START + minutes(7))
    (row,) = grouped()
    assert kinds(row.pk) == ["incident_opened", "alert_fired", "alert_resolved"]
    assert run_due() == [f"Incident {row.pk} resolved by itself."]
    state = queries.state_of(row.pk)
    assert (state.resolved_at, state.duration, state.resolved_by_itself) == (START + minutes(7), minutes(7), True)


def test_alerts_that_name_no_service_go_by_their_own_name(shop):
    alert("", "DiskFull")
    alert("", "DiskFull", START + minutes(1))
    alert("", "CertificateExpires", START + minutes(1))
    assert len(grouped()) == 2
    alert("", "DiskFull", START + minutes(2))
    assert len(grouped()) == 2


def test_an_incident_resolves_by_itself_once_all_has_been_quiet_long_enough(shop, time):
    one, other = alert("sessions"), alert("shop", at=START + minutes(1))
    (row,) = grouped()
    ends(one, START + minutes(5))
    grouped()
    assert not Wakeup.objects.filter(what="resolve_if_quiet").exists()
    ends(other, START + minutes(8))
    grouped()
    time.move_to(START + minutes(22))
    assert run_due() == []
    time.move_to(START + minutes(23))
    assert run_due() == [f"Incident {row.pk} resolved by itself."]
    state = queries.state_of(row.pk)
    assert (state.status, state.resolved_at, state.resolution) == (
        "resolved",
        START + minutes(8),
        "All alerts have been quiet for 15 min.",
    )
    assert Wakeup.objects.filter(room="postmortems", what="draft").count() == 1


def test_it_does_not_resolve_when_it_was_quiet_and_then_not(shop, time):
    one = alert("sessions")
    (row,) = grouped()
    ends(one, START + minutes(5))
    grouped()
    time.move_to(START + minutes(10))
    two = alert("sessions", at=START + minutes(10))
    grouped()
    time.move_to(START + minutes(20))
    assert run_due() == [f"Incident {row.pk} is not quiet any more, or over."]
    ends(two, START + minutes(20))
    grouped()
    time.move_to(START + minutes(35))
    assert run_due() == [f"Incident {row.pk} resolved by itself."]


def test_it_waits_while_people_are_at_work(shop, time):
    one = alert("sessions")
    (row,) = grouped()
    ends(one, START + minutes(5))
    grouped()
    time.move_to(START + minutes(15))
    commands.perform(row.pk, acts.Note("Latency still looks odd."), by="Ben")
    time.move_to(START + minutes(20))
    assert run_due()[0].startswith("People are at work")
    time.move_to(START + minutes(30))
    assert run_due() == [f"Incident {row.pk} resolved by itself."]
    assert queries.state_of(row.pk).resolved_at == START + minutes(5)


def test_an_alert_soon_after_a_quiet_end_reopens_and_one_after_a_persons_end_does_not(shop, time):
    one = alert("sessions")
    (row,) = grouped()
    ends(one, START + minutes(5))
    grouped()
    time.move_to(START + minutes(20))
    run_due()
    alert("sessions", at=START + minutes(25))
    assert grouped() == [row]
    state = queries.state_of(row.pk)
    assert (state.status, state.reopened, state.resolved_at) == ("reopened", 1, None)
    commands.perform(row.pk, acts.Resolve("The patch is out."), by="Ada", at=START + minutes(20))
    alert("sessions", at=START + minutes(27))
    assert len(grouped()) == 2


def test_an_alert_long_after_the_end_is_another_incident(shop, time):
    one = alert("sessions")
    grouped()
    ends(one, START + minutes(5))
    grouped()
    alert("sessions", at=START + minutes(36))
    assert len(grouped()) == 2


def test_an_alert_learned_of_late_is_added_to_the_outage_it_lies_in(shop, time):
    alert("sessions")
    (row,) = grouped()
    time.move_to(START + minutes(165))
    commands.perform(row.pk, acts.Resolve("All is well."), by="Ada")
    alert("sessions", "Evictions", START + minutes(30), until=START + minutes(60))
    assert grouped()[0].status == "resolved"
    assert len(queries.state_of(row.pk).alerts) == 2


def test_changes_are_noticed_as_they_come_once_for_each_status(shop, time):
    alert("sessions")
    (row,) = grouped()
    patch = change("sessions", START + minutes(150), version="2.0.1", status="started")
    change("billing", START + minutes(150))
    grouped()
    type(patch).objects.filter(pk=patch.pk).update(status="succeeded", news=True)
    grouped()
    type(patch).objects.filter(pk=patch.pk).update(news=True)
    grouped()
    told = [logged.entry for logged in queries.log_of(row.pk) if logged.entry.kind == "change_noticed"]
    assert [(c.version, c.previous, c.status) for c in told] == [
        ("2.0.1", "1.4", "started"),
        ("2.0.1", "1.4", "succeeded"),
    ]


def test_what_stopped_the_harm_may_be_named_before_grouping_saw_it(shop, time):
    alert("sessions")
    (row,) = grouped()
    patch = change("sessions", START + minutes(2), version="2.0.1")
    time.advance(minutes=5)
    commands.perform(row.pk, acts.Mitigate("2.0.1 is out.", patch.pk), by="Dana")
    assert kinds(row.pk)[-2:] == ["change_noticed", "mitigated"]
    grouped()
    assert queries.state_of(row.pk).mitigating_change == patch.pk
    assert kinds(row.pk).count("change_noticed") == 1


def test_a_sender_whose_clock_is_ahead_tells_nothing_that_has_not_come_yet(shop, time):
    far, fired = START.replace(year=9999), alert("sessions")
    change("sessions")
    Alert.objects.update(starts_at=far)
    Change.objects.update(at=far)
    (row,) = grouped()
    Alert.objects.filter(pk=fired.pk).update(ends_at=far, news=True)
    grouped()
    state = queries.state_of(row.pk)
    assert {logged.at for logged in queries.log_of(row.pk)} == {START}
    assert [c.at for c in state.changes.values()] == [START]
    assert state.started_at == state.last_at == START
    time.advance(minutes=1)
    commands.perform(row.pk, acts.Resolve("All is well."), by="Ada")
    assert queries.state_of(row.pk).resolved_at == START + minutes(1)


def test_an_acknowledgement_at_the_source_counts(shop, time):
    time.advance(minutes=1)
    Alert.objects.filter(pk=alert("sessions").pk).update(acknowledged_at=START + minutes(1))
    (row,) = grouped()
    state = queries.state_of(row.pk)
    assert (state.status, state.acknowledged_at, state.acknowledged_by) == (
        "acknowledged",
        START + minutes(1),
        "prometheus",
    )


def test_a_merge_moves_alerts_and_changes_and_later_news_go_there(shop, time):
    alert("sessions")
    late = alert("billing", "InvoicesLate", START + minutes(1))
    change("billing", START - minutes(5))
    first, second = grouped()
    time.advance(minutes=10)
    commands.perform(second.pk, acts.Merge(first.pk, "Billing calls sessions too."), by="Ada")
    ends(late, START + minutes(9))
    grouped()
    kept, gone = queries.state_of(first.pk), queries.state_of(second.pk)
    assert (gone.status, gone.merged_into, gone.alerts) == ("merged", first.pk, {})
    assert (kept.merged_from, kept.services) == ([second.pk], ["sessions", "billing"])
    assert [a.resolved_at for a in kept.alerts.values()] == [None, START + minutes(9)]
    assert {c.service for c in kept.changes.values()} == {"billing"}
    assert set(Membership.objects.values_list("incident_id", flat=True)) == {first.pk}


def test_a_split_opens_a_new_incident_for_the_alerts_that_leave(shop, time):
    alert("sessions")
    other = alert("shop", "CheckoutErrors", START + minutes(4), summary="Checkout fails for one buyer in ten")
    (row,) = grouped()
    time.advance(minutes=30)
    commands.perform(row.pk, acts.Split((other.pk,), reason="A broken card reader."), by="Ada")
    stays, goes = (queries.state_of(one.pk) for one in Incident.objects.order_by("pk"))
    assert [a.name for a in stays.alerts.values()] == ["HighMemoryUsage"]
    assert [a.name for a in goes.alerts.values()] == ["CheckoutErrors"]
    assert (goes.title, goes.started_at, goes.rule) == (
        "Checkout fails for one buyer in ten",
        START + minutes(4),
        "split",
    )
    assert queries.log_of(row.pk)[-1].entry.incident == queries.incident_of_alert(other.pk) != row.pk


def test_summary_rows_of_all_this_equal_the_fold(shop, time):
    one, two = alert("sessions"), alert("billing", "InvoicesLate", START + minutes(1))
    first, second = grouped()
    ends(one, START + minutes(9))
    ends(two, START + minutes(9))
    grouped()
    time.advance(minutes=40)
    run_due()
    commands.perform(second.pk, acts.Merge(first.pk), by="Ada")
    assert commands.rebuild() == (2, 0)


@pytest.mark.django_db(transaction=True)
def test_ten_thousand_alerts_of_one_service_are_one_incident():
    the_shop()
    here = alert("sessions")
    Alert.objects.bulk_create(
        Alert(
            source=here.source,
            key=f"storm-{n}",
            **place(here.source_id, f"storm-{n}", START + timedelta(milliseconds=n)),
            name="PodDown",
            service="sessions",
            severity="critical",
            starts_at=START + timedelta(milliseconds=n),
            first_seen_at=START,
            last_seen_at=START,
        )
        for n in range(9_999)
    )
    (row,) = grouped(100)
    assert (row.open_alerts, row.last_seq) == (10_000, 10_001)
    assert commands.rebuild() == (1, 0)


@pytest.mark.django_db(transaction=True)
def test_many_workers_that_group_at_once_make_one_incident():
    the_shop()
    for n in range(200):
        alert("sessions" if n % 2 else "shop", at=START + timedelta(seconds=n))

    failures: list[BaseException] = []

    def work() -> None:
        try:
            while group_news(7):
                pass
        except BaseException as failure:  # noqa: BLE001 - told to the test
            failures.append(failure)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert failures == []
    (row,) = Incident.objects.all()
    assert (row.open_alerts, LogEntry.objects.count(), Membership.objects.count()) == (200, 201, 200)
    assert list(LogEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 202))


def test_the_outage_that_ended_last_may_have_begun_first(shop, time):
    alert("sessions")
    alert("billing", "InvoicesLate", START + minutes(5))
    first, second = grouped()
    for minute, row in ((10, second), (20, first)):
        time.move_to(START + minutes(minute))
        commands.perform(row.pk, acts.Resolve("All is well."), by="Ada")
    assert queries.last_ended() == first
