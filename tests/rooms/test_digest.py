"""Owners and managers get their week in plain words, and a year after an outage its report goes round."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.rooms.test_reminders import GREEN, RED, TEXT, fails, until
from tests.support.mailing import configured, mail_server
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts, commands
from unrepeat.incidents import entries as e
from unrepeat.postmortems import commands as postmortems
from unrepeat.prevention.telling import digest
from unrepeat.support import clock
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
MONDAY = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
NEXT = datetime(2024, 8, 19, 8, tzinfo=UTC)


@pytest.fixture
def time():
    """A clock that stands at the outage's start, a Monday."""
    simulated = clock.SimulatedClock(MONDAY)
    with clock.using(simulated):
        yield simulated


@pytest.fixture
def server(time):
    duty.reach("Ada", "ada@example.com")
    duty.reach("Ben", "ben@example.com")
    with (
        mail_server() as running,
        configured(
            mail_url=f"smtp://127.0.0.1:{running.port}", base_url="https://u.example", managers=["cto@example.com"]
        ),
    ):
        yield running


def incident(*measures: tuple[str, str, date | None]) -> int:
    number = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
    for text, owner, due in measures:
        commands.perform(number, acts.ProposeMeasure("task", text, owner, due), by="Ben")
    commands.perform(number, acts.Resolve("patched"), by="Ben")
    return number


def digests(server, to: str):
    return [m for m in server.to(to) if not m["Subject"].startswith(("Due", "Overdue", "Regressed", "A year"))]


def text(mail) -> str:
    return mail.get_body(("plain",)).get_content().replace("\r\n", "\n")


def test_an_owner_gets_what_is_theirs_on_monday_morning_and_nobody_elses(server, time):
    number = incident(
        ("Limit memory", "Ada", date(2024, 8, 16)),
        ("Review memory", "Ada", date(2024, 8, 22)),
        ("Load test", "Ben", None),
        ("Alert sooner", "Ada", None),
    )
    commands.perform(number, acts.FinishMeasure(4), by="Ada")
    until(time, NEXT + timedelta(minutes=1))
    [ada], [ben] = digests(server, "ada@example.com"), digests(server, "ben@example.com")
    assert ada["Date"].datetime == NEXT
    assert ada["Subject"] == "1 of your measures needs you"
    said = text(ada)
    assert "Overdue (1):\n- Limit memory (was due on 16 August): https://u.example/incidents/" in said
    assert "Due in the next seven days (1):\n- Review memory (due on 22 August)" in said
    assert "Done, but not verified: no guard has proven that they work (1):\n- Alert sooner" in said
    assert "Load test" not in said
    assert "No outage has come back this year." in said
    assert "Load test" in text(ben) and "Limit memory" not in text(ben)


def test_managers_get_the_numbers_the_red_guards_and_no_names(server, time):
    fails(incident(("Limit memory", "Ada", None)))
    verified = incident(("Load test every release", "Ben", None))
    commands.perform(verified, acts.FinishMeasure(1), by="Ben")
    proof = e.GuardProven(9, TEXT, RED, GREEN, "", "2.0", "2.0.1")
    commands.append(verified, [e.GuardTied(1, 9, "g", "load_test", TEXT), proof], by="unrepeat")
    incident(("Old promise", "Ada", date(2024, 8, 1)), ("Nobody's", "", None))
    until(time, NEXT + timedelta(minutes=1))
    [mail] = digests(server, "cto@example.com")
    assert mail["Subject"] == "Never twice: no repeat this year, 1 measure overdue"
    said = text(mail)
    assert "- 1 verified" in said
    assert "- 2 open, 1 of them overdue, 1 without an owner" in said
    assert "- 1 failed" in said
    assert "Old promise (was due on 1 August)" in said
    assert "Ada" not in said and "Ben" not in said


def test_a_repeat_is_counted_with_the_days_since(server, time):
    incident(("Limit memory", "Ada", None))
    past = incident()
    report, _ = postmortems.draft(past)
    again = incident()
    suspected = e.RepeatSuspected(report, past, "The shop is slow", "likely", 0.9)
    commands.append(again, [suspected], by="unrepeat")
    commands.perform(again, acts.ConfirmRepeat(report), by="Ben")
    until(time, NEXT + timedelta(minutes=1))
    [mail] = digests(server, "cto@example.com")
    assert "1 outage came back this year. The last repeat was 6 days ago." in text(mail)


def test_every_week_has_one_and_a_handler_that_runs_again_sends_no_second(server, time):
    incident(("Limit memory", "Ada", None))
    until(time, NEXT + timedelta(minutes=1))
    digest.send(None)
    Worker().run_until_idle()
    assert len(digests(server, "ada@example.com")) == 1
    until(time, NEXT + timedelta(days=7, minutes=1))
    assert len(digests(server, "ada@example.com")) == 2


def test_day_hour_and_zone_are_settings_and_none_is_none(server, time):
    with configured(digest="WED 07:30", time_zone="America/New_York"):
        assert digest.next_digest(MONDAY) == datetime(2024, 8, 14, 11, 30, tzinfo=UTC)
    with configured(digest=""):
        incident(("Limit memory", "Ada", None))
        until(time, NEXT + timedelta(days=2))
    assert digests(server, "ada@example.com") == []


def test_an_owner_with_nothing_to_do_gets_none(server, time):
    number = incident(("Limit memory", "Ada", None))
    commands.perform(number, acts.DropMeasure(1, "the service is gone"), by="Ada")
    until(time, NEXT + timedelta(minutes=1))
    assert digests(server, "ada@example.com") == []


def year_later(server):
    return [m for m in server.mails if m["Subject"].startswith("A year ago")]


def published() -> int:
    number = incident(("Limit memory", "Ada", None), ("Load test", "Ben", None), ("Never mind", "Ben", None))
    commands.perform(number, acts.DropMeasure(3, "no"), by="Ben")
    commands.perform(number, acts.FinishMeasure(1), by="Ada")
    proof = e.GuardProven(7, TEXT, RED, GREEN, "", "2.0", "2.0.1")
    commands.append(number, [e.GuardTied(1, 7, "sessions-memory", "promql", TEXT), proof], by="unrepeat")
    commands.append(number, [e.GuardTurned(7, TEXT, "green", "d" * 64, "1 MB")], by="unrepeat")
    report, _ = postmortems.draft(number)
    postmortems.publish(report, by="Ada")
    return report


def test_a_year_after_it_began_the_report_goes_to_the_owners_with_its_guards(server, time):
    report = published()
    Worker().run_until_idle()
    with configured(digest=""):
        time.move_to(datetime(2025, 8, 11, 12, tzinfo=UTC))
        Worker().run_until_idle()
        assert year_later(server) == []
        until(time, datetime(2025, 8, 15, tzinfo=UTC))
    assert sorted(m["To"] for m in year_later(server)) == ["ada@example.com", "ben@example.com"]
    mail = year_later(server)[0]
    assert mail["Date"].datetime == datetime(2025, 8, 12, 8, tzinfo=UTC)
    said = text(mail)
    assert f"https://u.example/postmortems/{report}" in said
    assert "- Limit memory: verified" in said
    assert "- Load test: still open" in said
    assert "Never mind" not in said
    assert "- sessions-memory: green, proven" in said


def test_when_no_owner_can_be_reached_the_services_team_is_told_of_the_year(server, time):
    duty.load_catalogue('[teams.shop]\nemail = "shop@example.com"\n[services.sessions]\nteam = "shop"\n')
    number = incident(("Limit memory", "Zoe", None))
    report, _ = postmortems.draft(number)
    postmortems.publish(report, by="Ada")
    Worker().run_until_idle()
    with configured(digest=""):
        until(time, datetime(2025, 8, 15, tzinfo=UTC))
    assert [m["To"] for m in year_later(server)] == ["shop@example.com"]


def test_what_was_never_published_is_not_sent_round(server, time):
    incident(("Limit memory", "Ada", None))
    with configured(digest=""):
        Worker().run_until_idle()
        time.move_to(datetime(2025, 8, 12, 9, tzinfo=UTC))
        Worker().run_until_idle()
    assert year_later(server) == []


def test_a_server_that_was_away_makes_up_for_a_week(server, time):
    published()
    with configured(digest=""):
        Worker().run_until_idle()
        time.move_to(datetime(2025, 8, 18, 9, tzinfo=UTC))
        Worker().run_until_idle()
    assert len(year_later(server)) == 2
