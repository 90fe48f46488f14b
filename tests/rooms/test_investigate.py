"""The machine investigates an open incident: it names, clears, shows its evidence, says nothing twice, and never overrides a person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.monitored_shop import ALERT, later, monitored
from unrepeat.duty import commands as duty
from unrepeat.incidents import acts, commands, queries
from unrepeat.incidents import store as log_store
from unrepeat.incidents.entries import (
    AlertFired,
    ChangeNoticed,
    EvidenceGathered,
    EvidenceMissing,
    Happened,
    IncidentOpened,
    Logged,
    NoteWritten,
    SuspectCleared,
    SuspectConvicted,
    SuspectRaised,
)
from unrepeat.investigation import investigate
from unrepeat.investigation import queries as kept
from unrepeat.investigation.telemetry import Silent, using
from unrepeat.investigation.telemetry.prometheus import Prometheus
from unrepeat.support import clock
from unrepeat.support.models import Wakeup
from unrepeat.web.pages.suspects import newest_answer
from unrepeat.worker import Worker

CATALOGUE = """
[services.shop]
depends_on = ["sessions", "database"]
[services.sessions]
[services.load-balancer]
depends_on = ["shop"]
[services.database]
"""
REAL = Path(__file__).parents[2] / "lab" / "recordings" / "2024-08-12-memory-leak"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_afresh(monkeypatch):
    monkeypatch.setattr(investigate, "resting", investigate.Resting())


@pytest.fixture
def now():
    simulated = clock.SimulatedClock(ALERT + timedelta(seconds=1))
    with clock.using(simulated):
        yield simulated


class Down:
    """A Prometheus that never answers."""

    source = "Down"

    def query_range(self, *_):
        raise Silent("Prometheus at x could not be asked: it took too long")


def an_incident(*, service: str = "sessions", release: bool = True, catalogue: str = CATALOGUE) -> int:
    if catalogue:
        duty.load_catalogue(catalogue)
    opened = IncidentOpened(f"Memory high on {service}", "critical", service)
    story = [opened, Happened(AlertFired(1, "Memory high", service), ALERT, "alertmanager")]
    if release:
        change = ChangeNoticed(7, "deploy", "succeeded", "sessions", "2.0")
        story.append(Happened(change, later(-40), "pipeline"))
    return commands.begin(story, by="unrepeat", at=ALERT)


def live_through(now: clock.SimulatedClock, *, seconds: float) -> None:
    """Let so many seconds pass, doing what falls due on the way."""
    until = now() + timedelta(seconds=seconds)
    Worker().run_until_idle()
    while (due := Wakeup.objects.filter(done_at=None, due_at__lte=until).order_by("due_at").first()) is not None:
        now.move_to(due.due_at)
        Worker().run_until_idle()
    now.move_to(until)


def verdicts(number: int) -> dict[str, str]:
    return {suspect.name: suspect.verdict for suspect in queries.state_of(number).suspects.values()}


def machine(number: int, *kinds: type) -> list[Logged]:
    return [one for one in queries.log_of(number) if one.by == "unrepeat" and isinstance(one.entry, kinds)]


SPOKEN = (SuspectRaised, SuspectCleared, SuspectConvicted, NoteWritten)


def test_within_seconds_of_the_alert_the_guilty_stands_first_and_the_innocent_are_cleared(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=10)
    assert verdicts(number) == {
        "sessions": "suspect",
        "sessions 2.0": "suspect",
        "database": "cleared",
        "load-balancer": "cleared",
        "shop": "cleared",
    }
    assert not machine(number, SuspectConvicted), "people convict"
    for suspect in queries.state_of(number).suspects.values():
        assert suspect.evidence, f"{suspect.name} has no evidence"
        assert all(kept.is_intact(digest) for digest in suspect.evidence)


def test_evidence_stands_in_the_log_with_its_query_and_window(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=1)
    found = {one.entry.digest: one.entry for one in machine(number, EvidenceGathered)}
    (raised,) = [one.entry for one in machine(number, SuspectRaised) if one.entry.suspect == "sessions"]
    shown = found[raised.evidence[0]]
    assert shown.query == 'process_resident_memory_bytes{service="sessions"}'
    assert shown.window_from <= later(-60) and shown.window_to == ALERT + timedelta(seconds=1)
    assert kept.result(shown.digest).data["shown"]["unit"] == "bytes"


def test_nothing_is_said_twice_while_the_incident_goes_on(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=10)
        said = len(machine(number, *SPOKEN))
        live_through(now, seconds=3600)
    assert len(machine(number, *SPOKEN)) == said
    assert not Wakeup.objects.filter(what="investigate", done_at=None).exists(), "the turns come to an end"


def test_the_same_wakeup_done_again_writes_nothing(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=1)
        before = queries.state_of(number).last_seq
        Wakeup.objects.filter(what="investigate").update(done_at=None)
        Worker().run_until_idle()
    assert len(machine(number, *SPOKEN)) == len({(type(one.entry), one.entry) for one in machine(number, *SPOKEN)})
    assert queries.state_of(number).last_seq == before


def test_a_persons_verdict_stands(now):
    number = an_incident()
    commands.perform(number, acts.ClearSuspect("sessions", "service", "I looked at it."), by="Ben")
    commands.perform(number, acts.RaiseSuspect("database", "service", "It was slow last week."), by="Ada")
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=700)
    assert verdicts(number)["sessions"] == "cleared"
    assert verdicts(number)["database"] == "suspect"


def test_people_may_confirm_what_the_machine_said(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=10)
    commands.perform(number, acts.RaiseSuspect("sessions", "service", "I see it too."), by="Ada")
    commands.perform(number, acts.ClearSuspect("database", "service", "No locks."), by="Ben")
    state = queries.state_of(number)
    assert state.suspects["service", "sessions"].by == "Ada"
    assert state.suspects["service", "database"].by == "Ben"
    assert state.suspects["service", "database"].evidence, "what the machine found stays"


def test_a_change_that_arrives_is_looked_at(now):
    number = an_incident(release=False)
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=40)
        assert "sessions 2.0" not in verdicts(number)
        change = Happened(ChangeNoticed(7, "deploy", "succeeded", "sessions", "2.0"), later(-40), "pipeline")
        log_store.append(number, [change], by="unrepeat", at=now())
        live_through(now, seconds=10)
    assert verdicts(number)["sessions 2.0"] == "suspect"


def test_a_change_after_the_alert_is_no_reason_to_look_again(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=2 * 3600)
        change = Happened(ChangeNoticed(8, "deploy", "succeeded", "sessions", "2.1"), later(110), "pipeline")
        log_store.append(number, [change], by="unrepeat", at=now())
    assert not Wakeup.objects.filter(what="investigate", done_at=None).exists()


def test_what_stands_behind_those_under_suspicion_is_carried_on_while_it_goes_on(now):
    number = an_incident()
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=3 * 3600)
    state = queries.state_of(number)
    behind = state.suspects["service", "sessions"].evidence[0]
    title = state.evidence[behind].title
    ends = [
        one.window_to
        for one in state.evidence.values()
        if one.title == title and one.query == state.evidence[behind].query
    ]
    assert max(ends) == later(60), "an hour after the alert is the last that is looked at"
    assert len(machine(number, EvidenceGathered)) <= 20, "only what is drawn of those under suspicion"


def test_where_nothing_could_be_seen_it_is_tried_again_ever_less_often_and_once_a_day(now):
    an_incident()
    with using(Down()):
        live_through(now, seconds=10 * 86400)
    due = sorted(Wakeup.objects.filter(what="investigate").values_list("due_at", flat=True))
    pauses = [(after - before).total_seconds() for before, after in pairwise(due)]
    assert pauses == sorted(pauses)
    assert max(pauses) == 86400
    assert len(due) < 25


def test_without_a_guilty_change_the_log_says_so_once(now):
    number = an_incident(release=False)
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=3000)
    notes = [one.entry.text for one in machine(number, NoteWritten)]
    assert len(notes) == 1, notes
    assert notes[0] == "No change is guilty by the numbers: sessions stands out; no change is known around that time."


def test_in_a_flash_sale_with_the_healthy_version_nobody_is_blamed(now):
    number = an_incident(service="shop")
    with using(monitored(sale_since=-3)):
        live_through(now, seconds=3000)
    assert "suspect" not in verdicts(number).values()
    notes = [one.entry.text for one in machine(number, NoteWritten)]
    assert len(notes) == 1, notes
    assert notes[0].startswith("No change is guilty: the load rose")


def test_a_silent_prometheus_hinders_nothing_and_is_told_once(now):
    number = an_incident()
    with using(Down()):
        live_through(now, seconds=3000)
        commands.perform(number, acts.Resolve("It is well again."), by="Ada")
        live_through(now, seconds=10)
    missing = [one.entry for one in machine(number, EvidenceMissing) if one.entry.title == "Suspects"]
    assert [one.reason for one in missing] == ["Prometheus at x could not be asked: it took too long"]
    assert queries.state_of(number).status == "resolved"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>busy</html>", "answered what is no range of numbers"),
        (b'{"status": "success", "data": {"result": [{"metric": {}, "values": [["x"]]}]}}', "no range of numbers"),
        (b'{"status": "success", "data": {"result": []}}', "has no series"),
        (b'{"status": "error", "error": "query timed out"}', "refused the query: query timed out"),
        (b"[" * 100_000, "no range of numbers"),
    ],
)
def test_a_prometheus_that_answers_nonsense_hinders_nothing_and_is_told_once(now, body, why):
    number = an_incident()
    with using(Prometheus("http://prometheus.example", lambda url, parameters: body)):
        live_through(now, seconds=3000)
        commands.perform(number, acts.Resolve("It is well again."), by="Ada")
        live_through(now, seconds=10)
    missing = [one.entry.reason for one in machine(number, EvidenceMissing) if one.entry.title == "Suspects"]
    assert len(missing) == 1
    assert why in missing[0]
    assert queries.state_of(number).status == "resolved"


def test_a_service_that_nobody_scrapes_is_told_once(now):
    number = an_incident()
    with using(monitored(leak_since=-38).without("database")):
        live_through(now, seconds=3000)
    missing = [one.entry for one in machine(number, EvidenceMissing) if one.entry.title == "Numbers of database"]
    assert len(missing) == 1
    assert 'no series {service="database"} or {job="database"}' in missing[0].reason
    assert "database" not in verdicts(number)


@pytest.mark.parametrize(
    "catalogue",
    [
        "",
        '[services.sessions]\ndepends_on = ["shop"]\n[services.shop]\ndepends_on = ["sessions"]\n',
        '[services.sessions]\nlabels = { service = "sessions" }\n',
    ],
)
def test_a_catalogue_with_a_cycle_or_none_at_all_is_no_hindrance(now, catalogue):
    number = an_incident(catalogue=catalogue)
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=200)
    assert verdicts(number)["sessions"] == "suspect"


def test_a_resolved_incident_is_left_alone(now):
    number = an_incident()
    commands.perform(number, acts.Resolve("False alarm."), by="Ada")
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=3000)
    assert not machine(number, SuspectRaised, SuspectCleared)


def test_without_any_metrics_the_log_is_not_filled(now):
    number = an_incident()
    live_through(now, seconds=3000)
    assert not [one for one in machine(number, EvidenceMissing) if one.entry.title == "Suspects"]


def test_an_incident_opened_by_hand_is_investigated_too(now):
    duty.load_catalogue(CATALOGUE)
    number = commands.open_incident("The shop is slow", service="shop", severity="major", by="Ada")
    with using(monitored(leak_since=-38)):
        live_through(now, seconds=10)
    assert verdicts(number)["sessions"] == "suspect"


@pytest.mark.skipif(not REAL.is_dir(), reason="the recording of 12 August is not here")
class TestTheRecordingOf12August:
    def look(self, at: datetime, alert: datetime, changes=()):
        from tests.support.monitored_shop import SHOP
        from unrepeat.investigation.investigate import Subject
        from unrepeat.investigation.telemetry.recording import RecordedMetrics

        with clock.using(clock.SimulatedClock(at)):
            return investigate.investigate(RecordedMetrics(REAL), Subject(alert, ("sessions",), changes), SHOP, at)

    def test_before_the_release_nobody_is_blamed(self):
        healthy = datetime(2024, 8, 12, 14, 15, tzinfo=UTC)
        found = self.look(healthy + timedelta(minutes=5), healthy)
        assert found.ranking is not None
        assert not [one for one in found.said if one.verdict == "suspect"]
        assert not found.ranking.verdict.sure

    def test_at_the_alert_sessions_is_named_and_nobody_else(self):
        found = self.look(datetime(2024, 8, 12, 15, 15, 1, tzinfo=UTC), datetime(2024, 8, 12, 15, 15, tzinfo=UTC))
        assert [one.name for one in found.said if one.verdict == "suspect"] == ["sessions"]
        assert {one.name for one in found.said if one.verdict == "cleared"} == {"database", "load-balancer", "shop"}


class TestAfterTheFix:
    """Evidence was stored when a verdict was spoken; its chart has to show how it ended."""

    def ended(self, now, telemetry) -> int:
        """The leak of 40 minutes, its patch half an hour after the alert, and an hour more."""
        number = an_incident()
        with using(telemetry):
            live_through(now, seconds=1800)
            commands.perform(number, acts.Resolve("2.0.1 lets go of all."), by="Ada")
            live_through(now, seconds=3600)
        return number

    def test_what_stands_behind_the_suspects_is_asked_for_again_to_a_while_after_the_end(self, now):
        number = self.ended(now, monitored(leak_since=-38))
        state = queries.state_of(number)
        (behind, *_) = state.suspects["service", "sessions"].evidence
        early = state.evidence[behind]
        last = state.evidence[newest_answer(state, behind)]
        assert last.digest != early.digest
        assert (last.title, last.query, last.source) == (early.title, early.query, early.source)
        assert early.window_to <= ALERT + timedelta(seconds=10)
        assert last.window_to >= state.resolved_at + timedelta(minutes=5)
        points = kept.result(last.digest).data["shown"]["points"]
        assert points[-1][0] >= (state.resolved_at + timedelta(minutes=5)).timestamp()
        assert kept.is_intact(last.digest)

    def test_it_is_said_once_for_each_question(self, now):
        number = self.ended(now, monitored(leak_since=-38))
        after = [
            one
            for one in machine(number, EvidenceGathered)
            if one.entry.window_to > queries.state_of(number).resolved_at and one.entry.title != "Memory of sessions"
        ]
        questions = [(one.entry.title, one.entry.query) for one in after]
        assert len(questions) == len(set(questions)) > 0

    def test_a_prometheus_that_is_gone_by_then_leaves_what_there_is(self, now):
        shop = monitored(leak_since=-38)
        number = an_incident()
        with using(shop):
            live_through(now, seconds=1800)
            commands.perform(number, acts.Resolve("2.0.1 lets go of all."), by="Ada")

        class Down:
            source = shop.source

            def query_range(self, *_):
                raise Silent("Prometheus at metrics.example could not be asked: it took too long")

        with using(Down()):
            live_through(now, seconds=3600)
        state = queries.state_of(number)
        (behind, *_) = state.suspects["service", "sessions"].evidence
        assert state.evidence[newest_answer(state, behind)].window_to <= state.resolved_at
        assert not Wakeup.objects.filter(what="aftermath", done_at=None).exists()
