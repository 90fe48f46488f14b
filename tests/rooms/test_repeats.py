"""A failure that comes back is known again: from its first entries, with reasons, and what a person says of it stands."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.world import alert, change, ends, minutes, the_shop
from unrepeat.incidents import acts, jobs
from unrepeat.incidents import commands as incidents
from unrepeat.incidents import queries as incident_queries
from unrepeat.incidents.models import Incident, LogEntry
from unrepeat.postmortems import commands as reports
from unrepeat.postmortems.queries import incident_of
from unrepeat.prevention.models import Guard, Tie
from unrepeat.prevention.repeats import matching as repeats
from unrepeat.support import clock
from unrepeat.support.problems import Conflict, Invalid
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db
FIRST = datetime.fromisoformat("2024-08-12T15:15:00+00:00")
AGAIN = datetime.fromisoformat("2025-05-03T10:00:00+00:00")


def an_unsolved_outage(at: datetime = FIRST) -> int:
    """An outage that ended before anybody knew why; the number of its draft."""
    change("sessions", at - minutes(47), version="2.0")
    one = alert("sessions", "HighMemoryUsage", at)
    incident = grouped(one)
    ends(one, at + minutes(130))
    jobs.group_news(100)
    incidents.perform(incident, acts.Resolve("It went away."), by="Ada", at=at + minutes(150))
    number, _ = reports.draft(incident)
    repeats.remember(number)
    return number


def an_outage(
    at: datetime = FIRST,
    *,
    service: str = "sessions",
    name: str = "HighMemoryUsage",
    version: str = "2.0",
    guilty: str = "",
    published: bool = True,
) -> int:
    """A whole outage with its report; the number of the report."""
    if version:
        change(service, at - minutes(47), version=version)
    one = alert(service, name, at)
    incident = grouped(one)
    for act in (
        acts.ConvictSuspect(guilty or service, "service", "Memory grows with each request."),
        acts.Mitigate(f"{service} {version}.1 was deployed"),
    ):
        incidents.perform(incident, act, by="Ada", at=at + minutes(120))
    ends(one, at + minutes(130))
    jobs.group_news(100)
    incidents.perform(incident, acts.Resolve("All is well."), by="Ada", at=at + minutes(150))
    incidents.perform(
        incident, acts.ProposeMeasure("task", "Release a session when it ends"), by="Ada", at=at + minutes(200)
    )
    number, _ = reports.draft(incident)
    if published:
        reports.publish(number, by="Ada")
    repeats.remember(number)
    return number


def grouped(*alerts) -> int:
    """The incident of alerts that have just fired."""
    jobs.group_news(100)
    number = incident_queries.incident_of_alert(alerts[-1].pk)
    assert number is not None
    return number


def named(incident: int) -> dict[int, str]:
    """Which reports are named at an incident, and how."""
    repeats.match(incident)
    return {number: one.standing for number, one in incident_queries.state_of(incident).repeats.items()}


def said(incident: int) -> int:
    """How many times its log says that it looks like a past failure."""
    return LogEntry.objects.filter(incident_id=incident, kind="repeat_suspected").count()


@pytest.fixture(autouse=True)
def _the_shop():
    the_shop()


# --- known again


def test_the_second_deploy_of_the_guilty_version_names_the_report_from_the_opening_entries_alone():
    past = an_outage()
    change("sessions", AGAIN - minutes(30), version="2.0")
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "likely"}
    repeat = incident_queries.state_of(incident).repeats[past]
    assert any("sessions 2.0 was shipped shortly before" in reason for reason in repeat.reasons)
    assert repeat.ended_by == "sessions 2.0.1 was deployed"
    assert (repeat.measures_open, repeat.began, repeat.incident) == (1, "2024-08-12", incident_of(past))
    assert repeat.score > 0.7


def test_the_worker_names_it_before_it_does_anything_else_for_the_incident():
    past = an_outage()
    Worker().run_until_idle()
    change("sessions", AGAIN - minutes(30), version="2.0")
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    for _ in range(2):
        Worker().turn()
    assert incident_queries.state_of(incident).repeats[past].standing == "likely"


def test_the_same_alert_after_a_deploy_of_the_same_service_is_likely_the_same():
    past = an_outage()
    change("sessions", AGAIN - minutes(30), version="2.4")
    assert named(grouped(alert("sessions", "High memory usage", AGAIN))) == {past: "likely"}


def test_the_same_alert_alone_is_possibly_the_same():
    past = an_outage()
    assert named(grouped(alert("sessions", "HighMemoryUsage", AGAIN))) == {past: "possible"}


def test_it_becomes_likely_when_the_same_service_is_found_guilty():
    past = an_outage()
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "possible"}
    incidents.perform(
        incident, acts.ConvictSuspect("sessions", "service", "It is that."), by="Ada", at=AGAIN + minutes(9)
    )
    assert named(incident) == {past: "likely"}
    assert said(incident) == 2


def test_the_same_cause_makes_it_likely():
    past = an_outage(version="")
    cause = acts.NameCause("cause", "capacity_exhausted", "Sessions are never released.")
    incidents.perform(incident_of(past), cause, by="Ada", at=FIRST + minutes(300))
    repeats.remember(past)
    incident = grouped(alert("sessions", "SlowAnswers", AGAIN))
    assert named(incident) == {}
    incidents.perform(incident, cause, by="Ada", at=AGAIN + minutes(30))
    incidents.perform(incident, acts.ConvictSuspect("sessions", "service", "It is."), by="Ada", at=AGAIN + minutes(31))
    assert named(incident) == {past: "likely"}


def test_a_red_guard_of_a_past_measure_makes_the_same_alert_likely():
    past = an_outage()
    guard = a_guard("sessions-memory", "red")
    Tie.objects.create(guard=guard, incident_id=incident_of(past), measure=1)
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "likely"}
    assert "its guard sessions-memory is red" in incident_queries.state_of(incident).repeats[past].reasons


def test_a_guard_that_turns_red_during_an_outage_has_the_open_incidents_compared_again():
    past = an_outage()
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    Worker().run_until_idle()
    assert incident_queries.state_of(incident).repeats[past].standing == "possible"
    Tie.objects.create(guard=a_guard("sessions-memory", "red"), incident_id=incident_of(past), measure=1)
    repeats.look_again(incident_of(past))
    Worker().run_until_idle()
    assert incident_queries.state_of(incident).repeats[past].standing == "likely"


def a_guard(name: str, colour: str) -> Guard:
    now = clock.now()
    return Guard.objects.create(
        name=name, kind="promql", spec={}, digest="5e" * 32, origin="api", made_by="Ada", made_at=now, changed_at=now,
        colour=colour, turned_at=now,
    )  # fmt: skip


def test_a_failure_that_comes_back_before_its_report_is_published_is_named_as_a_draft():
    past = an_outage(published=False)
    change("sessions", AGAIN - minutes(30), version="2.0")
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "likely"}
    assert "its report is still a draft" in incident_queries.state_of(incident).repeats[past].reasons


def test_a_failure_whose_cause_nobody_found_is_known_again_by_what_came_before_it():
    past = an_unsolved_outage()
    change("sessions", AGAIN - minutes(30), version="2.0")
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "likely"}
    assert (
        "sessions 2.0 was shipped shortly before, as then" in incident_queries.state_of(incident).repeats[past].reasons
    )


# --- not taken for another


def test_the_same_alert_on_another_service_is_not_named():
    an_outage()
    change("billing", AGAIN - minutes(30), version="7.1")
    assert named(grouped(alert("billing", "HighMemoryUsage", AGAIN, summary="billing is near its limit"))) == {}


def test_another_alert_on_the_same_service_after_a_deploy_is_not_named():
    an_outage()
    change("sessions", AGAIN - minutes(30), version="2.4")
    assert named(grouped(alert("sessions", "CertificateExpires", AGAIN, summary="3 days left"))) == {}


def test_a_red_guard_of_another_service_says_nothing():
    past = an_outage(service="billing", name="BillingDown")
    Tie.objects.create(guard=a_guard("billing-quota", "red"), incident_id=incident_of(past), measure=1)
    assert named(grouped(alert("sessions", "HighMemoryUsage", AGAIN))) == {}


def test_an_alert_that_many_reports_share_says_nothing_alone():
    for month in range(1, 8):
        an_outage(FIRST.replace(month=month), version=f"1.{month}")
    assert named(grouped(alert("sessions", "HighMemoryUsage", AGAIN))) == {}


def test_of_many_reports_that_agree_the_three_likeliest_are_named():
    past = [an_outage(FIRST.replace(month=month), version=f"1.{month}") for month in range(1, 8)]
    change("sessions", AGAIN - minutes(30), version="1.3")
    told = named(grouped(alert("sessions", "HighMemoryUsage", AGAIN)))
    assert len(told) == 3, "never more than three are named"
    assert told[past[2]] == "likely", "the one with the same version is among them"


def test_an_incident_is_no_repeat_of_itself_nor_of_one_merged_into_it():
    past = an_outage()
    incidents.perform(incident_of(past), acts.Reopen("It came back."), by="Ada", at=FIRST + minutes(220))
    assert named(incident_of(past)) == {}


def test_a_merged_incident_is_named_neither_way():
    an_outage()
    one = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    other = incidents.open_incident("Shop down", service="shop", severity="major", by="Ada", at=AGAIN)
    incidents.perform(one, acts.Merge(other, "the same"), by="Ada", at=AGAIN + minutes(5))
    before = said(one)
    repeats.match(one)
    assert said(one) == before
    assert list(named(other).values()) == ["possible"], "what was merged in is compared where it goes on"


def test_an_outage_that_began_before_the_other_was_over_is_no_repeat_of_it():
    an_outage()
    assert named(grouped(alert("shop", "HighMemoryUsage", FIRST + minutes(149)))) == {}


# --- what people say


def test_what_a_person_rejected_is_not_named_again():
    past = an_outage()
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    assert named(incident) == {past: "possible"}
    incidents.perform(incident, acts.RejectRepeat(past, "Another leak."), by="Ada", at=AGAIN + minutes(5))
    incidents.perform(incident, acts.ConvictSuspect("sessions", "service", "It is."), by="Ada", at=AGAIN + minutes(6))
    assert named(incident) == {past: "rejected"}
    assert said(incident) == 1


def test_nothing_is_said_twice():
    past = an_outage()
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    for _ in range(5):
        assert named(incident) == {past: "possible"}
    assert said(incident) == 1


def test_what_was_found_before_a_rejection_does_not_override_it():
    past = an_outage()
    incident = grouped(alert("sessions", "HighMemoryUsage", AGAIN))
    found = repeats.find(incident)
    named(incident)
    incidents.perform(incident, acts.RejectRepeat(past), by="Ada", at=AGAIN + minutes(5))
    repeats.match(incident, found)
    assert incident_queries.state_of(incident).repeats[past].standing == "rejected"
    assert said(incident) == 1


def test_a_person_names_a_repeat_that_nothing_has_seen_and_both_logs_say_so():
    past = an_outage()
    incident = grouped(alert("shop", "Slow", AGAIN))
    repeats.name_repeat(incident, past, by="Ada", reason="The same leak, seen from the shop.")
    repeat = incident_queries.state_of(incident).repeats[past]
    assert (repeat.standing, repeat.decided_by, repeat.reasons) == ("confirmed", "Ada", ("named by a person",))
    assert Incident.objects.get(pk=incident).repeat_of == past
    Worker().run_until_idle()
    assert incident_queries.state_of(incident_of(past)).repeated_by == [incident]
    with pytest.raises(Conflict):
        repeats.name_repeat(incident, past, by="Ada")
    with pytest.raises(Invalid):
        repeats.name_repeat(incident_of(past), past, by="Ada")
