"""Owners are reminded of what is due until they act, and told when what was verified has failed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import transaction

from tests.support.mailing import configured, mail_server
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts, commands
from unrepeat.incidents import entries as e
from unrepeat.prevention import told_store
from unrepeat.prevention.telling import reminding
from unrepeat.support import clock, wakeups
from unrepeat.support.models import Wakeup
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
DUE = date(2024, 8, 20)
RED, GREEN, TEXT = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def time():
    """A clock that stands at the outage's start."""
    simulated = clock.SimulatedClock(START)
    with clock.using(simulated):
        yield simulated


@pytest.fixture
def server(time):
    duty.reach("Ada", "ada@example.com")
    duty.reach("Ben", "ben@example.com")
    with (
        mail_server() as running,
        configured(mail_url=f"smtp://127.0.0.1:{running.port}", base_url="https://u.example", digest=""),
    ):
        yield running


def until(time, at: datetime) -> None:
    """Let the clock run on to `at`, with a worker at every wakeup."""
    Worker().run_until_idle()
    while (due := wakeups.next_due()) and due <= at:
        time.move_to(due)
        Worker().run_until_idle()
    time.move_to(at)


def a_measure(owner="Ada", due: date | None = DUE, text="Limit the memory of a session") -> int:
    number = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
    commands.perform(number, acts.ProposeMeasure("task", text, owner, due, "prevent"), by="Ben")
    commands.perform(number, acts.Resolve("rolled back"), by="Ben")  # else it is investigated again and again
    return number


def days_of(server) -> list[str]:
    return [f"{m['Date'].datetime:%d %H}" for m in server.to("ada@example.com")]


def test_an_owner_is_reminded_three_days_and_one_day_before_then_after_and_every_week(server, time):
    number = a_measure()
    until(time, datetime(2024, 9, 9, tzinfo=UTC))
    mails = server.to("ada@example.com")
    assert days_of(server) == ["17 08", "19 08", "21 08", "28 08", "04 08"]
    assert [m["Subject"].partition(":")[0] for m in mails] == [
        "Due in 3 days",
        "Due tomorrow",
        *["Overdue since 20 August"] * 3,
    ]
    text = mails[0].get_body(("plain",)).get_content()
    assert "Limit the memory of a session" in text
    assert "on Tuesday 20 August 2024" in text
    assert f"https://u.example/incidents/{number}" in text
    reminders = told_store.reminders(number, 1)
    assert [r.kind for r in reminders] == ["after"] * 3 + ["before"] * 2
    assert all(r.message.sent_at and r.to == "ada@example.com" and r.who == "Ada" for r in reminders)


def test_the_page_of_a_measure_says_when_and_who_was_reminded(server, time, client):
    number = a_measure()
    client.force_login(User.objects.create_user("Cleo"))
    page = f"/incidents/{number}/measures/1"
    assert "Reminded" not in client.get(page).content.decode()
    until(time, datetime(2024, 8, 18, tzinfo=UTC))
    said = client.get(page).content.decode()
    assert "Reminded" in said and "17 August" in said and "1 mail so far" in said


@pytest.mark.parametrize(
    "act",
    [
        acts.FinishMeasure(1, "limited"),
        acts.DropMeasure(1, "the service is gone"),
        acts.AmendMeasure(1, "task", "Limit the memory of a session", "Ada", None),
    ],
)
def test_whoever_acts_is_reminded_no_more(server, time, act):
    number = a_measure()
    until(time, datetime(2024, 8, 18, tzinfo=UTC))
    commands.perform(number, act, by="Ada")
    until(time, datetime(2024, 9, 9, tzinfo=UTC))
    assert days_of(server) == ["17 08"]


def test_another_due_date_begins_anew(server, time):
    number = a_measure()
    until(time, datetime(2024, 8, 18, tzinfo=UTC))
    moved = acts.AmendMeasure(1, "task", "Limit it", "Ada", date(2024, 9, 10))
    commands.perform(number, moved, by="Ada")
    until(time, datetime(2024, 9, 12, tzinfo=UTC))
    assert days_of(server) == ["17 08", "07 08", "09 08", "11 08"]


def test_what_is_reopened_is_reminded_of_again(server, time):
    number = a_measure()
    commands.perform(number, acts.FinishMeasure(1), by="Ada")
    until(time, datetime(2024, 8, 30, tzinfo=UTC))
    assert days_of(server) == []
    commands.perform(number, acts.ReopenMeasure(1, "it was not"), by="Ben")
    until(time, datetime(2024, 9, 5, tzinfo=UTC))
    assert days_of(server) == ["04 08"]


def test_a_server_that_was_away_reminds_late_and_says_the_true_day(server, time):
    a_measure()
    Worker().run_until_idle()
    time.move_to(datetime(2024, 8, 22, 12, tzinfo=UTC))
    Worker().run_until_idle()
    [late] = server.to("ada@example.com")
    assert late["Subject"].startswith("Overdue since 20 August")
    assert "was due 2 days ago" in late.get_body(("plain",)).get_content()


def test_the_hour_is_that_of_the_servers_zone(time):
    slot = reminding.next_slot(DUE, START, "America/New_York")
    assert (slot.days, slot.at) == (-3, datetime(2024, 8, 17, 12, tzinfo=UTC))


def test_nobody_is_reminded_of_what_has_no_owner_that_can_be_reached(server, time):
    a_measure(owner="Nobody")
    a_measure(owner="")
    until(time, datetime(2024, 8, 18, tzinfo=UTC))
    assert server.mails == []
    said = set(Wakeup.objects.filter(what="remind").exclude(done_at=None).values_list("outcome", flat=True))
    assert said == {"nobody to tell: “Nobody” has no address", "nobody to tell: the measure has no owner"}


def test_a_handler_that_runs_again_after_a_crash_reminds_once(server, time):
    a_measure()
    until(time, datetime(2024, 8, 18, tzinfo=UTC))
    Wakeup.objects.filter(what="remind").exclude(done_at=None).update(done_at=None, due_at=time())
    Worker().run_until_idle()
    assert days_of(server) == ["17 08"]


def fails(number: int) -> None:
    """A measure is done and proven, and then its guard turns red."""
    commands.perform(number, acts.FinishMeasure(1), by="Ada")
    tied = e.GuardTied(1, 7, "sessions-memory", "promql", TEXT)
    proven = e.GuardProven(7, TEXT, RED, GREEN, "Red on the failure, green on the fix.", "2.0", "2.0.1")
    commands.append(number, [tied, proven], by="unrepeat")
    commands.append(number, [e.GuardTurned(7, TEXT, "green", "d" * 64, "1.2 MB a session")], by="unrepeat")
    commands.append(number, [e.GuardTurned(7, TEXT, "red", "f" * 64, "9 MB a session, over 2 MB")], by="unrepeat")


def test_when_what_was_verified_fails_its_owner_and_those_who_worked_on_it_are_told_once(server, time):
    number = a_measure(due=None)
    commands.perform(number, acts.Note("seen"), by="Cleo")  # has no address
    fails(number)
    Worker().run_until_idle()
    with transaction.atomic():
        wakeups.plan("prevention", "measures", {"incident": number}, due_at=time(), key="again")
    Worker().run_until_idle()
    assert sorted(m["To"] for m in server.mails) == ["ada@example.com", "ben@example.com"]
    [ada], [ben] = server.to("ada@example.com"), server.to("ben@example.com")
    assert ada["Subject"] == "Regressed: Limit the memory of a session"
    text = ada.get_body(("plain",)).get_content()
    assert "9 MB a session, over 2 MB" in text
    assert "sessions-memory" in text
    assert "because you own the measure" in text
    assert f"because you worked on incident {number}" in ben.get_body(("plain",)).get_content()
    assert {r.kind for r in told_store.reminders(number)} == {"regressed"}


def test_who_follows_is_told_too_until_they_follow_no_more(server, time, client):
    cleo = User.objects.create_user("Cleo", email="cleo@example.com", role="reader")
    client.force_login(cleo, backend="django.contrib.auth.backends.ModelBackend")
    number = a_measure(due=None)
    page = f"/incidents/{number}/measures/1"
    assert ">Follow<" in client.get(page).content.decode()
    assert "Follow no more" in client.post(f"{page}/follow", {"follow": "yes"}, follow=True).content.decode()
    fails(number)
    Worker().run_until_idle()
    [mail] = server.to("cleo@example.com")
    assert mail["Subject"].startswith("Regressed") and "or follow it" in mail.get_body(("plain",)).get_content()
    client.post(f"{page}/follow", {"follow": "no"})
    assert told_store.followers(number) == []


def test_a_second_failure_after_the_first_was_closed_is_told_again(server, time):
    number = a_measure(due=None)
    fails(number)
    Worker().run_until_idle()
    time.advance(hours=1)
    commands.append(number, [e.GuardTurned(7, TEXT, "green", "1" * 64, "1.2 MB")], by="unrepeat")
    commands.perform(number, acts.CloseRegression(1, "rolled back"), by="Ada")
    time.advance(hours=1)
    commands.append(number, [e.GuardTurned(7, TEXT, "red", "2" * 64, "9 MB")], by="unrepeat")
    Worker().run_until_idle()
    assert len(server.to("ada@example.com")) == 2


def test_without_a_mail_server_reminding_goes_on_in_silence(time):
    with configured(mail_url=""):
        number = a_measure()
        until(time, START + timedelta(days=12))
    assert told_store.reminders(number) == []
    assert Wakeup.objects.filter(what="remind").count() == 4
