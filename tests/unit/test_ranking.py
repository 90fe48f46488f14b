"""Who is named, who is cleared, and when nobody is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.made_up_outages import ALERT, MINUTE, Outage, replaced, shop
from unrepeat.investigation.lenses import LogLine
from unrepeat.investigation.ranking import rank


def names(suspects):
    return [suspect.name for suspect in suspects]


def leaking(**kinds):
    """The outage of 12 August: sessions 2.0 keeps every session; the shop grows slow with it."""
    outage = shop(began=10, **kinds)
    since = np.clip((outage.times - (ALERT - 45 * MINUTE)) / (45 * MINUTE), 0, 1.3)
    replaced(outage, "sessions|memory_bytes", 200e6 + 1500e6 * since)
    replaced(outage, "sessions|latency_seconds", 0.05 + 0.9 * np.clip(since - 0.6, 0, 1))
    replaced(outage, "shop|latency_seconds", 0.06 + 0.9 * np.clip(since - 0.6, 0, 1))
    return outage


class TestLeakingRelease:
    def test_the_service_and_its_release_stand_first(self):
        outage = (
            leaking()
            .released("sessions", minutes_before=46, key="sessions 2.0")
            .released("shop", minutes_before=200, key="shop 7")
        )
        ranking = rank(outage.tables())
        assert names(ranking.services)[0] == "sessions"
        assert names(ranking.changes)[0] == "sessions 2.0"
        assert ranking.verdict.change == "sessions 2.0"

    def test_the_memory_is_the_indicator_to_look_at(self):
        assert names(rank(leaking().tables()).indicators)[0] == "sessions|memory_bytes"

    def test_database_and_load_balancer_are_cleared_with_a_reason(self):
        cleared = {one.subject: one.sentence for one in rank(leaking().tables()).cleared}
        assert "Nothing at database left its usual band" in cleared["database"]
        assert "balancer" in cleared

    def test_the_shop_is_cleared_by_sessions(self):
        cleared = {one.subject: one for one in rank(leaking().tables()).cleared}
        assert cleared["shop"].because == "sessions"

    def test_a_release_after_the_alert_is_cleared(self):
        outage = leaking().released("sessions", minutes_before=-2, key="sessions 2.1")
        ranking = rank(outage.tables())
        assert ranking.changes == ()
        assert any(one.subject == "sessions 2.1" and "came after the alert" in one.sentence for one in ranking.cleared)

    def test_one_line_says_where_to_look_next(self):
        ranking = rank(leaking().released("sessions", minutes_before=46).tables())
        assert ranking.look_next.startswith("Look at sessions (sessions|memory_bytes)")
        assert "\n" not in ranking.look_next


class TestNobodyIsGuilty:
    def test_a_flash_sale_is_a_cause_from_outside(self):
        outage = Outage(began=5)
        for service in ("shop", "sessions", "database"):
            outage.healthy(service, busier=6)
        replaced(outage, "shop|latency_seconds", np.where(outage.harmed, 2.0, 0.05))
        outage.released("sessions", minutes_before=90, key="sessions 2.0")
        ranking = rank(outage.tables())
        assert ranking.verdict.says == "outside"
        assert ranking.verdict.change == ""
        assert not any(finding.lens == "leak" for finding in ranking.findings)

    def test_an_expired_certificate_clears_the_latest_deploy(self):
        outage = shop()
        outage.shaped("shop|tls_cert_seconds_until_expiry", ALERT - 3 * MINUTE - outage.times, noise=0)
        replaced(outage, "shop|error_ratio", np.where(outage.harmed, 0.9, 0.001))
        outage.released(
            "shop",
            minutes_before=40,
            files=("go.mod",),
            diff="-\tgolang.org/x/crypto v0.23.0\n+\tgolang.org/x/crypto v0.24.0",
        )
        assert rank(outage.tables()).verdict.says == "outside"

    @pytest.mark.parametrize("seed", range(12))
    def test_when_all_is_well_nobody_is_called_guilty(self, seed):
        outage = shop(seed=seed).released("sessions", minutes_before=30)
        verdict = rank(outage.tables()).verdict
        assert not verdict.sure
        assert verdict.change == ""

    def test_when_nothing_is_known_it_says_so(self):
        verdict = rank(Outage().tables()).verdict
        assert verdict.says == "nothing"
        assert verdict.sentence == "Nothing stands out enough to be named."

    def test_a_suspect_without_any_change_is_said_to_have_none(self):
        verdict = rank(leaking().tables()).verdict
        assert verdict.says == "no change"
        assert "no change is known" in verdict.sentence


def grey(*, success=99.0, cpu=20.0, new_reports=True):
    """A grey release of sessions half an hour long: one new pod beside two old ones; the shop is released too, and innocent."""
    outage = Outage(began=4)
    live = outage.times >= ALERT - 5 * MINUTE
    for service, new in (("sessions", (success, cpu, new_reports)), ("shop", (99.0, 20.0, True))):
        for pod in ("aaaaa", "bbbbb"):
            outage.steady(f"{service}-v1-{pod}|SuccessRate@balancer->{service}", 99.0, noise=0.003)
            outage.steady(f"{service}-v1-{pod}|CPUUsageRate(%)", 20.0)
        if new[2]:
            for name, level in ((f"SuccessRate@balancer->{service}", new[0]), ("CPUUsageRate(%)", new[1])):
                outage.shaped(f"{service}-v2-ccccc|{name}", np.where(live, level, np.nan), noise=0.003)
        outage.released(service, minutes_before=5, key=service, new_pods=(f"{service}-v2-ccccc",))
    return outage.tables()


class TestNewPodsAgainstOldPods:
    def test_new_pods_that_fail_are_guilty(self):
        assert rank(grey(success=40.0)).verdict.change == "sessions"

    def test_new_pods_that_never_report_are_guilty(self):
        assert rank(grey(new_reports=False)).verdict.change == "sessions"

    def test_new_pods_that_burn_the_processor_are_guilty(self):
        assert rank(grey(cpu=75.0)).verdict.change == "sessions"

    def test_new_pods_that_look_like_the_old_ones_clear_their_release(self):
        ranking = rank(grey())
        assert ranking.changes == ()
        assert {one.subject for one in ranking.cleared if "look like the old ones" in one.sentence} == {
            "sessions",
            "shop",
        }


class TestDiffs:
    """The latest deploy on the loud service is innocent; an earlier one took a lock away."""

    def tables(self):
        outage = shop(began=2)
        replaced(outage, "sessions|error_ratio", np.where(outage.harmed, 0.3, 0.001))
        outage.released(
            "sessions",
            minutes_before=12,
            key="guilty",
            files=("sessions/limit.go",),
            diff="@@ limit.go @@\n-\tl.mu.Lock()\n-\tdefer l.mu.Unlock()\n \tl.counts[id]++",
        )
        outage.released(
            "sessions",
            minutes_before=3,
            key="innocent",
            files=("sessions/handler.go",),
            diff="-\tif err := decode(r, &q); err != nil {\n-\t\treturn err\n-\t}\n+\tq, err := read(r)\n+\tif err != nil {\n+\t\treturn err\n+\t}",
        )
        line = LogLine(
            ALERT - MINUTE,
            "sessions",
            "ERROR",
            "fatal error: concurrent map writes",
            "stack=sessions.Allow(limit.go:38)",
        )
        return outage.tables(log_lines=(line,))

    def test_the_change_that_the_stack_names_is_guilty(self):
        assert rank(self.tables()).verdict.change == "guilty"

    def test_the_change_that_does_nothing_is_cleared_with_what_it_does(self):
        cleared = {one.subject: one.sentence for one in rank(self.tables()).cleared}
        assert "moves code without changing what it does" in cleared["innocent"]


class TestSameTablesSameRanking:
    @given(st.permutations(range(20)))
    @settings(max_examples=15, deadline=None)
    def test_the_order_of_columns_does_not_matter(self, order):
        tables = leaking().tables()
        order = list(order)
        shuffled = replace(
            tables, values=tables.values[:, order], series=tuple(tables.series[column] for column in order)
        )
        assert names(rank(shuffled).services) == names(rank(tables).services)

    @given(st.floats(min_value=1e-3, max_value=1e6))
    @settings(max_examples=15, deadline=None)
    def test_a_constant_column_changes_nothing(self, level):
        outage = leaking()
        before = names(rank(outage.tables()).services)[0]
        outage.steady("database|open_files", level, noise=0)
        assert names(rank(outage.tables()).services)[0] == before

    def test_milliseconds_and_seconds_say_the_same(self):
        in_seconds = leaking()
        in_milliseconds = leaking()
        for service in ("balancer", "shop", "sessions", "database"):
            column = in_milliseconds.columns.index(f"{service}|latency_seconds")
            in_milliseconds.columns[column] = f"{service}|latency_ms"
            in_milliseconds.values[column] = in_milliseconds.values[column] * 1000
        first, second = rank(in_seconds.tables()), rank(in_milliseconds.tables())
        assert names(first.services) == names(second.services)
        assert [one.score for one in first.services] == pytest.approx([one.score for one in second.services])

    def test_a_tenth_of_the_values_may_be_missing(self):
        tables = leaking().tables()
        gone = np.random.default_rng(3).random(tables.values.shape) < 0.1
        ranking = rank(replace(tables, values=np.where(gone, np.nan, tables.values)))
        assert names(ranking.services)[0] == "sessions"
