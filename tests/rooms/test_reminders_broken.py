"""Owner and followers are told, once, when a verified measure is so no more because its proven guard cannot tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import transaction

from tests.support.mailing import configured, mail_server
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts, queries
from unrepeat.incidents import commands as incidents
from unrepeat.prevention import commands as guards
from unrepeat.prevention import told_store
from unrepeat.prevention.commands import Declared, Ran
from unrepeat.prevention.kind import Outcome, broken
from unrepeat.prevention.telling import reminders
from unrepeat.support import clock, wakeups
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
START = datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
RED, GREEN = Outcome("red", "9 MB a session; red is over 2."), Outcome("green", "1.2 MB a session.")
GONE = broken("There is no promtool here. Alerting rules are tested with it.", "Install Prometheus on the server.")


@pytest.fixture
def time():
    """A clock that stands at the outage's end."""
    simulated = clock.SimulatedClock(START)
    with clock.using(simulated):
        yield simulated


@pytest.fixture
def server(time):
    for name in ("Ada", "Ben", "Cleo"):
        duty.reach(name, f"{name.lower()}@example.com")
    with (
        mail_server() as running,
        configured(mail_url=f"smtp://127.0.0.1:{running.port}", base_url="https://u.example", digest=""),
    ):
        yield running


class Watched:
    """A measure of Ada's in an incident that Ben worked on and Cleo follows, with a guard that watches over it."""

    def __init__(self, name: str = "sessions-memory", *, done: bool = True, proven: bool = True) -> None:
        self.incident = incidents.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
        proposed = acts.ProposeMeasure("task", "Limit the memory of a session", "Ada", None, "prevent")
        incidents.perform(self.incident, proposed, by="Ben")
        incidents.perform(self.incident, acts.Resolve("rolled back"), by="Ben")
        reminders.follow(self.incident, "Cleo", wanted=True)
        self.guard = self.guarded(name)
        if proven:
            guards.record_proof(self.guard, Ran(RED), Ran(GREEN), by="Ada")
        if done:
            incidents.perform(self.incident, acts.FinishMeasure(1), by="Ada")
        self.says(GREEN)

    def guarded(self, name: str) -> int:
        """One more guard that watches over it."""
        text = {"expr": "session_bytes", "op": ">", "threshold": 2_000_000}
        found = guards.declare(Declared(name, "promql", text, service="sessions"), by="Ada")
        guards.tie(found.pk, self.incident, 1, by="Ada")
        return found.pk

    def says(self, outcome: Outcome, guard: int = 0) -> None:
        """The guard runs in regular service, and the worker does what follows."""
        guards.record(guard or self.guard, Ran(outcome), by="unrepeat")
        Worker().run_until_idle()

    @property
    def state(self) -> str:
        return queries.state_of(self.incident).measures[1].state


def mails(server, name: str = "ada") -> list:
    return [m for m in server.to(f"{name}@example.com") if m["Subject"].startswith("Not verified any more")]


def text_of(mail) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def test_owner_and_followers_are_told_which_guard_cannot_tell_since_when_why_and_what_to_do(server, time):
    watched = Watched()
    assert watched.state == "verified"
    time.move_to(datetime(2024, 8, 13, 9, 20, tzinfo=UTC))
    watched.says(GONE)
    assert watched.state == "done"
    [ada], [cleo] = mails(server), mails(server, "cleo")
    assert ada["Subject"] == "Not verified any more: Limit the memory of a session"
    said = text_of(ada)
    assert "Its guard sessions-memory (promql) cannot tell since 09:20 UTC on Tuesday 13 August 2024." in said
    assert "There is no promtool here. Alerting rules are tested with it." in said
    assert "What to do: Install Prometheus on the server." in said
    assert "counts as done, not verified, until the guard can tell again" in said
    assert f"https://u.example/incidents/{watched.incident}" in said
    assert "because you own the measure" in said
    assert f"because you follow incident {watched.incident}" in text_of(cleo)
    assert mails(server, "ben") == [], "nothing has failed: who only worked on it is left in peace"
    assert [r.kind for r in told_store.reminders(watched.incident, 1)] == ["broken", "broken"]


def test_the_moment_is_that_of_the_servers_zone(server, time):
    watched = Watched()
    with configured(time_zone="Europe/Berlin"):
        watched.says(GONE)
    assert "cannot tell since 17:15 CEST on Monday 12 August 2024" in text_of(mails(server)[0])


def test_a_handler_that_runs_again_and_a_guard_that_stays_broken_tell_nothing_twice(server, time):
    watched = Watched()
    watched.says(GONE)
    for day in range(3):
        time.advance(hours=25)
        watched.says(GONE)
        with transaction.atomic():
            wakeups.plan("prevention", "measures", {"incident": watched.incident}, due_at=time(), key=f"again:{day}")
        Worker().run_until_idle()
    assert len(mails(server)) == len(mails(server, "cleo")) == 1


def test_a_guard_that_comes_and_goes_within_a_day_is_told_once_and_when_it_stays_away_a_day_later(server, time):
    watched = Watched()
    watched.says(GONE)
    for _ in range(3):
        time.advance(hours=5)
        watched.says(GREEN)
        assert watched.state == "verified"
        time.advance(hours=1)
        watched.says(GONE)
    assert len(mails(server)) == 1, "18 hours have passed"
    time.advance(hours=5)
    Worker().run_until_idle()
    assert len(mails(server)) == 1
    time.advance(hours=1)
    Worker().run_until_idle()
    first, second = mails(server)
    assert "since 15:15 UTC on Monday 12 August" in text_of(first)
    assert "since 09:15 UTC on Tuesday 13 August" in text_of(second)


def test_a_guard_that_can_tell_again_when_the_day_is_over_is_told_of_no_more(server, time):
    watched = Watched()
    for outcome in (GONE, GREEN, GONE, GREEN):
        watched.says(outcome)
        time.advance(hours=1)
    time.advance(days=2)
    Worker().run_until_idle()
    assert len(mails(server)) == 1


def test_it_is_told_anew_when_it_breaks_on_another_day(server, time):
    watched = Watched()
    watched.says(GONE)
    time.advance(hours=1)
    watched.says(GREEN)
    time.advance(hours=24)
    watched.says(GONE)
    assert len(mails(server)) == 2


def test_of_each_measure_and_guard_there_is_one_mail(server, time):
    first, second = Watched(), Watched("sessions-count")
    first.says(GONE)
    second.says(GONE)
    assert len(mails(server)) == 2


@pytest.mark.parametrize(("done", "proven"), [(True, False), (False, True)])
def test_nothing_is_said_of_a_guard_that_was_never_proven_or_a_measure_that_was_not_verified(
    server, time, done, proven
):
    verified = Watched("proven-and-done")  # what would be told, in the same world
    watched = Watched(done=done, proven=proven)
    assert watched.state != "verified"
    watched.says(GONE)
    verified.says(GONE)
    assert [r.kind for r in told_store.reminders(watched.incident)] == []
    assert len(mails(server)) == 1


def test_an_unproven_guard_beside_a_proven_one_is_not_told_of_but_the_page_says_it(server, time, client):
    watched = Watched()
    other = watched.guarded("sessions-count")
    watched.says(GONE, other)
    assert watched.state == "done"
    assert mails(server) == []
    client.force_login(User.objects.create_user("Dana"))
    assert (
        "sessions-count</a> cannot tell since"
        in client.get(f"/incidents/{watched.incident}/measures/1").content.decode()
    )
    watched.says(GREEN, other)
    watched.says(GONE)
    assert len(mails(server)) == 1, "the proven one is told of"


def test_a_guard_that_turns_red_after_it_was_broken_is_told_of_as_a_failure(server, time):
    watched = Watched()
    watched.says(GONE)
    watched.says(RED)
    assert watched.state == "failed"
    assert [m["Subject"].partition(":")[0] for m in server.to("ada@example.com")] == [
        "Not verified any more",
        "Regressed",
    ]
    watched.says(GONE)
    assert len(mails(server)) == 1, "it has failed, and was not verified"


def test_the_measures_page_says_why_it_is_not_verified_any_more_until_its_guard_can_tell(server, time, client):
    watched = Watched()
    client.force_login(User.objects.create_user("Dana"))
    page = f"/incidents/{watched.incident}/measures/1"
    assert "not verified any more" not in client.get(page).content.decode()
    watched.says(GONE)
    said = client.get(page).content.decode()
    assert "It is not verified any more." in said
    assert 'sessions-memory</a> cannot tell since <time datetime="2024-08-12T15:15:00+00:00">' in said
    assert "There is no promtool here." in said and "Install Prometheus on the server." in said
    assert ", that its guard cannot tell" in said and "2 mails so far" in said
    watched.says(GREEN)
    assert "It is not verified any more." not in client.get(page).content.decode()
