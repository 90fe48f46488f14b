"""Alerts, people and time in any order, on a real database: logs, summary rows and memberships always tell the same."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.support.world import START, alert, change, ends, the_shop
from tests.unit.test_fold_properties import ACTS, COURSE, check
from unrepeat.arrivals.models import Alert
from unrepeat.duty.models import Dependency, Service, Team
from unrepeat.incidents import acts, commands, queries, store
from unrepeat.incidents.jobs import group_news, resolve_if_quiet
from unrepeat.incidents.models import Incident, Membership
from unrepeat.support import clock, wakeups
from unrepeat.support.problems import Problem

SERVICES = st.sampled_from(["sessions", "shop", "database", "billing", ""])

MOVES = st.sampled_from([acts.Merge(0), acts.Split(())])


class Outages(RuleBasedStateMachine):
    """Several outages at once, with everything that can be done to them."""

    @initialize()
    def begin(self):
        self.inside = transaction.atomic()
        self.inside.__enter__()
        for table in (Dependency, Service, Team):
            table.objects.all().delete()
        the_shop()
        self.clock = clock.SimulatedClock(START)
        self.using = clock.using(self.clock)
        self.using.__enter__()
        self.alerts: list[Alert] = []

    @rule(service=SERVICES, severity=st.sampled_from(["critical", "warning", "info"]), ago=st.integers(0, 3000))
    def an_alert_fires(self, service, severity, ago):
        at = self.clock() - timedelta(seconds=ago)
        self.alerts.append(alert(service, f"Alert{len(self.alerts) % 3}", at, severity=severity))

    @rule(which=st.integers(0, 30))
    def an_alert_resolves(self, which):
        if self.alerts:
            one = self.alerts[which % len(self.alerts)]
            if Alert.objects.get(pk=one.pk).ends_at is None:
                ends(one, max(one.starts_at, self.clock()))

    @rule(service=SERVICES, status=st.sampled_from(["started", "succeeded"]))
    def something_is_shipped(self, service, status):
        change(service, self.clock(), status=status)

    @rule(limit=st.integers(1, 5))
    def news_are_grouped(self, limit):
        group_news(limit)

    @rule(minutes=st.sampled_from([1, 10, 16, 40]))
    def time_goes_on(self, minutes):
        self.clock.advance(minutes=minutes)
        while claimed := wakeups.claim("test", timedelta(seconds=30)):
            with transaction.atomic():
                said = resolve_if_quiet(claimed) if claimed.what == "resolve_if_quiet" else ""
                wakeups.finish(claimed, said)

    @rule(which=st.integers(0, 10), act=ACTS | MOVES | COURSE, other=st.integers(0, 10))
    def a_person_acts(self, which, act, other):
        numbers = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
        if not numbers:
            return
        number = numbers[which % len(numbers)]
        mine = list(Membership.objects.filter(incident_id=number).values_list("alert_id", flat=True))
        if act.name == "merge":
            act = acts.Merge(numbers[other % len(numbers)], "The same outage.")
        elif act.name == "split":
            act = acts.Split(tuple(mine[: 1 + other % 3]))
        try:
            commands.perform(number, act, by="Ada")
        except Problem:
            return
        if act.name == "merge":
            assert queries.incident(number).status == "merged"
            assert not Membership.objects.filter(incident_id=number).exists()
        if act.name == "split":
            new = Incident.objects.latest("pk")
            assert set(Membership.objects.filter(incident=new).values_list("alert_id", flat=True)) == set(act.alerts)

    @invariant()
    def all_three_tell_the_same(self):
        members: dict[int, set[int]] = {}
        for number, one in Membership.objects.values_list("incident_id", "alert_id"):
            members.setdefault(number, set()).add(one)
        for row in Incident.objects.all():
            state = queries.state_of(row.pk)
            check(state)
            assert {name: getattr(row, name) for name in store.summary(state)} == store.summary(state)
            assert members.get(row.pk, set()) == set(state.alerts)
            assert [logged.seq for logged in queries.log_of(row.pk)] == list(range(1, row.last_seq + 1))
            assert (state.status != "merged") or state.merged_into in members or not state.alerts
        grouped = {one for numbers in members.values() for one in numbers}
        loud = Alert.objects.filter(news=False).exclude(severity="info").values_list("pk", flat=True)
        assert set(loud) <= grouped

    def teardown(self):
        if hasattr(self, "using"):
            self.using.__exit__(None, None, None)
            transaction.set_rollback(True)
            self.inside.__exit__(None, None, None)


def test_logs_summary_rows_and_memberships_always_tell_the_same(db):
    run_state_machine_as_test(
        Outages,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
