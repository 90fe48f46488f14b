"""From Prometheus's series to tables, suspects and plain sentences, without a database. Sessions leak, the shop suffers; or all is well."""

from __future__ import annotations

import math
import time
from datetime import timedelta

import numpy as np
import pytest

from tests.support.monitored_shop import ALERT, SHOP, MonitoredShop, flat, later, monitored
from unrepeat.incidents.state import State, Suspect
from unrepeat.investigation import catalogue, investigate, scene, statements
from unrepeat.investigation.catalogue import Place
from unrepeat.investigation.columns import Grid, columns_of
from unrepeat.investigation.investigate import Subject
from unrepeat.investigation.lenses import Change
from unrepeat.investigation.telemetry import Series, Silent, Unanswered

RELEASE = Change("7", "sessions", later(-40).timestamp(), "deploy", "sessions 2.0")


@pytest.fixture(autouse=True)
def _asked_afresh(monkeypatch):
    monkeypatch.setattr(investigate, "resting", investigate.Resting())


def look(shop, *, at=0.0, changes=(), services=("sessions",), places=SHOP):
    return investigate.investigate(shop, Subject(ALERT, services, tuple(changes)), places, later(at))


def said(found, verdict, kind="service"):
    return {one.name: one for one in found.said if one.verdict == verdict and one.kind == kind}


class TestALeak:
    def test_is_named_at_once_with_its_change_and_innocents_are_cleared(self):
        found = look(monitored(leak_since=-38), changes=[RELEASE])
        assert list(said(found, "suspect")) == ["sessions"]
        assert "Memory of sessions rose" in said(found, "suspect")["sessions"].reason
        assert "the shape of a leak" in said(found, "suspect")["sessions"].reason
        assert list(said(found, "suspect", "change")) == ["sessions 2.0"]
        assert said(found, "suspect", "change")["sessions 2.0"].reason.startswith(
            "sessions 2.0 was shipped 40 min before the alert"
        )
        cleared = said(found, "cleared")
        assert set(cleared) == {"database", "load-balancer", "shop"}
        assert "only because sessions is slow" in cleared["shop"].reason
        assert "left its usual band" in cleared["database"].reason
        assert all(one.columns for one in cleared.values()), "each cleared one is shown by numbers"
        assert found.next_line == "Look at the memory of sessions, then at what sessions 2.0 changed."

    @pytest.mark.parametrize("seed", range(5))
    @pytest.mark.parametrize("every", [1.0, 15.0, 60.0])
    def test_is_found_however_often_prometheus_scrapes(self, every, seed):
        found = look(monitored(leak_since=-38, every=every, seed=seed), changes=[RELEASE])
        assert list(said(found, "suspect")) == ["sessions"]

    def test_a_change_after_the_alert_is_neither_suspected_nor_cleared(self):
        patch = Change("8", "sessions", later(3).timestamp(), "deploy", "sessions 2.0.1")
        found = look(monitored(leak_since=-38), at=10, changes=[RELEASE, patch])
        assert "sessions 2.0.1" not in {one.name for one in found.said}

    def test_the_window_reaches_back_before_the_change(self):
        start, end = scene.window(ALERT, [later(-180), later(-900), later(5)], later(10))
        assert (start, end) == (later(-210), later(10))


class TestNobodyIsBlamed:
    @pytest.mark.parametrize("seed", range(5))
    def test_for_a_flash_sale_with_the_healthy_version(self, seed):
        found = look(monitored(sale_since=-3, seed=seed), at=2, changes=[RELEASE], services=("shop",))
        assert "leak" not in " ".join(one.reason for one in found.said)
        assert not said(found, "suspect", "change")
        assert not found.ranking.verdict.sure
        assert found.ranking.verdict.says in ("outside", "no change", "nothing")

    @pytest.mark.parametrize("seed", range(5))
    def test_when_the_load_grows_slowly_and_memory_with_it(self, seed):
        shop = monitored(seed=seed)
        grows = lambda m: np.interp(m, [-60, 0], [1.0, 3.0])  # noqa: E731
        shop.series = [one for one in shop.series if one[0]["service"] != "sessions"]
        shop.counter("sessions", "sessions_calls_total", lambda m: 60 * grows(m), status="200")
        shop.gauge("sessions", "process_resident_memory_bytes", lambda m: 100e6 * (0.5 + 0.5 * grows(m)), noise=0.005)
        shop.gauge("sessions", "process_open_fds", lambda m: 40 * grows(m), noise=0.05)
        found = look(shop, at=2)
        assert "the shape of a leak" not in " ".join(one.reason for one in found.said)
        assert not found.ranking.verdict.sure

    @pytest.mark.parametrize("seed", range(5))
    def test_on_a_quiet_day(self, seed):
        found = look(monitored(seed=seed), at=5, changes=[RELEASE])
        assert not said(found, "suspect") and not said(found, "suspect", "change")
        assert "sessions" not in said(found, "cleared"), "a service under alert is not cleared by silence"

    def test_on_too_little_data_nobody_is_cleared(self):
        shop = MonitoredShop()
        shop.gauge("database", "process_resident_memory_bytes", flat(60e6))
        found = look(shop)
        assert not found.said
        assert set(found.missing) == {"sessions", "shop", "load-balancer"}


class TestColumns:
    GRID = Grid(0.0, 10.0, 7)

    def columns(self, *series, place=SHOP[1]):
        made = columns_of(place, [Series(labels, tuple(points)) for labels, points in series], self.GRID)
        return {column.described.column: column for column in made}

    def test_a_counter_becomes_a_rate_and_its_restart_is_a_gap(self):
        points = [(10.0 * i, value) for i, value in enumerate([0, 50, 100, 5, 55, 105, 155])]
        (rate,) = self.columns(({"__name__": "shop_requests_total"}, points)).values()
        assert rate.described.measure.unit == "requests/s"
        assert np.isnan(rate.values[[0, 3]]).all()
        assert rate.values[[1, 2, 4, 5, 6]].tolist() == [5.0] * 5

    def test_old_and_new_instances_are_one_level(self):
        old = [(0.0, 100e6), (10.0, 100e6), (20.0, 100e6)]
        new = [(20.0, 30e6), (30.0, 31e6)]
        name = {"__name__": "process_resident_memory_bytes"}
        (level,) = self.columns(({**name, "instance": "a"}, old), ({**name, "instance": "b"}, new)).values()
        assert level.values[:4].tolist() == [100e6, 100e6, 100e6, 31e6]
        assert np.isnan(level.values[4:]).all()

    def test_failed_answers_become_a_share(self):
        grows = [(10.0 * i, 90.0 * i) for i in range(7)], [(10.0 * i, 10.0 * i) for i in range(7)]
        name = {"__name__": "shop_requests_total"}
        made = self.columns(({**name, "status": "200"}, grows[0]), ({**name, "status": "503"}, grows[1]))
        share = made["shop|shop_requests_failed_share"]
        assert share.values[1:].tolist() == pytest.approx([0.1] * 6)
        assert share.described.measure.unit == "share"

    def test_the_time_of_calls_is_held_against_the_callee(self):
        spent = [(10.0 * i, 2.0 * i) for i in range(7)]
        number = [(10.0 * i, 4.0 * i) for i in range(7)]
        made = self.columns(
            ({"__name__": "shop_session_call_seconds_sum"}, spent),
            ({"__name__": "shop_session_call_seconds_count"}, number),
        )
        (average,) = made.values()
        assert (average.described.service, average.described.caller, average.owner) == ("sessions", "shop", "shop")
        assert average.values[1:].tolist() == [0.5] * 6

    def test_connections_that_are_only_counted_are_no_leak(self):
        points = [(10.0 * i, 17.0 + 30 * i) for i in range(7)]
        (column,) = self.columns(({"__name__": "nginx_connections_accepted"}, points), place=Place("proxy")).values()
        assert column.described.measure.name == "value"
        assert column.values[1:].tolist() == [3.0] * 6

    def test_samples_beside_the_grid_and_outside_it_are_left_out(self):
        points = [(-10.0, 1.0), (4.9, 2.0), (10.0, 3.0), (70.0, 4.0)]
        (level,) = self.columns(({"__name__": "up"}, points)).values()
        assert [value for value in level.values if not math.isnan(value)] == [3.0]


class TestTheCatalogue:
    def test_a_cycle_ends(self):
        graph = {"a": {"b"}, "b": {"a", "c"}, "c": {"b", "a", "d"}, "d": {"c"}}
        assert catalogue.around(["a"], graph) == ["a", "b", "c"]

    def test_a_cycle_of_calls_blames_nobody_twice(self):
        places = [Place("sessions", calls=("shop",)), Place("shop", calls=("sessions", "database")), *SHOP[2:]]
        found = look(monitored(leak_since=-38), changes=[RELEASE], places=places)
        assert list(said(found, "suspect")) == ["sessions"]

    def test_labels_of_the_catalogue_go_before_the_guess(self):
        assert Place("sessions", {"app": 'a"b'}).guesses == [{"app": 'a"b'}]
        assert catalogue.selector({"app": 'a"b'}, ["up"]) == 'up{app="a\\"b"}'

    def test_without_labels_the_job_is_the_second_guess(self):
        shop = monitored(leak_since=-38, label="job")
        found = look(shop, changes=[RELEASE])
        assert list(said(found, "suspect")) == ["sessions"]
        assert found.view.answers["sessions"].labels == {"job": "sessions"}

    def test_no_more_than_a_dozen_services_are_asked_about(self):
        graph = {"a": {f"b{i}" for i in range(50)}}
        assert len(catalogue.around(["a"], graph)) == catalogue.MOST_SERVICES


class TestWhoAnswers:
    def test_a_silent_prometheus_is_asked_once_and_then_left_alone(self):
        class Down:
            source, asked = "Down", 0

            def query_range(self, *_):
                self.asked += 1
                raise Silent("Down could not be asked: it took too long")

        down = Down()
        assert look(down).reason == "Down could not be asked: it took too long"
        assert look(down).reason == "Down could not be asked: it took too long"
        assert down.asked == 1

    def test_numbers_that_make_no_sense_hinder_nothing(self):
        class Nonsense(MonitoredShop):
            def query_range(self, query, start, end, step):
                odd = [
                    (start.timestamp() + step * i, value) for i, value in enumerate([1e308, -1e308, 0.0, 5e-324] * 30)
                ]
                names = (
                    "process_cpu_seconds_total",
                    "up",
                    "x_seconds_sum",
                    "x_seconds_count",
                    "shop_requests_total",
                    "",
                )
                return [Series({"__name__": name, "status": "5"}, tuple(odd)) for name in names] + [Series({}, ())]

        found = look(Nonsense(), changes=[RELEASE])
        assert not said(found, "suspect", "change")

    def test_a_lens_that_stumbles_is_a_reason(self, monkeypatch):
        def stumbles(*_):
            raise ZeroDivisionError

        monkeypatch.setattr(investigate, "rank", stumbles)
        assert look(monitored()).reason == "the numbers could not be judged (ZeroDivisionError)"

    def test_slow_answers_end_within_the_budget(self, monkeypatch):
        monkeypatch.setattr(scene, "BUDGET", 0.3)

        class Slow(MonitoredShop):
            def query_range(self, query, *window):
                if "database" in query:
                    time.sleep(1.5)
                return super().query_range(query, *window)

        slow = Slow()
        slow.series = monitored(leak_since=-38).series
        began = time.monotonic()
        found = look(slow, changes=[RELEASE])
        assert time.monotonic() - began < 1.2
        assert list(said(found, "suspect")) == ["sessions"]
        assert "more than" in found.missing["database"]

    def test_what_is_refused_for_one_service_does_not_hide_the_others(self):
        class Picky(MonitoredShop):
            def query_range(self, query, *window):
                if "database" in query:
                    raise Unanswered("too many samples")
                return super().query_range(query, *window)

        picky = Picky()
        picky.series = monitored(leak_since=-38).series
        found = look(picky, changes=[RELEASE])
        assert found.missing == {"database": "too many samples"}
        assert list(said(found, "suspect")) == ["sessions"]


class TestWhatIsNews:
    def state(self, *story):
        known = State()
        for verdict, by in story:
            before = known.suspects.get(("service", "sessions"))
            told = [*(before.story if before else []), (ALERT, verdict, by, "")]
            known.suspects["service", "sessions"] = Suspect(
                "sessions", "service", verdict, ALERT, ALERT, by, "", (), told
            )
        return known

    def one(self, verdict, score=3.0):
        return statements.Statement(verdict, "service", "sessions", "why", (), score)

    @pytest.mark.parametrize(
        ("story", "verdict", "is_news"),
        [
            ([], "suspect", True),
            ([("suspect", "unrepeat")], "suspect", False),
            ([("suspect", "unrepeat")], "cleared", True),
            ([("cleared", "unrepeat")], "suspect", True),
            ([("cleared", "Ben")], "suspect", False),
            ([("suspect", "Ada")], "cleared", False),
            ([("guilty", "Dana")], "suspect", False),
            ([("suspect", "unrepeat"), ("cleared", "unrepeat"), ("suspect", "unrepeat")], "cleared", False),
        ],
    )
    def test_a_persons_verdict_stands_and_nothing_is_said_twice(self, story, verdict, is_news):
        assert bool(statements.news([self.one(verdict)], self.state(*story))) is is_news

    def test_who_was_cleared_comes_back_only_on_strong_signs(self):
        cleared = self.state(("cleared", "unrepeat"))
        assert not statements.news([self.one("suspect", score=1.2)], cleared)


def test_every_statement_can_be_asked_again():
    shop = monitored(leak_since=-38)
    found = look(shop, changes=[RELEASE])
    for one in found.said:
        for column in one.columns:
            asked = investigate.question(found.view, column)
            again = shop.query_range(asked.query, found.view.start, found.view.end, found.view.step)
            kept = [(series["labels"], [tuple(point) for point in series["points"]]) for series in asked.data["series"]]
            assert sorted(kept, key=str) == sorted(((one.labels, list(one.points)) for one in again), key=str)
            assert asked.data["shown"]["points"]


def test_numbers_that_begin_late_are_asked_for_with_a_finer_step():
    shop = monitored(leak_since=-2, every=1.0)
    keep = shop.minutes >= -3
    shop.times, shop.minutes = shop.times[keep], shop.minutes[keep]
    shop.series = [(labels, values[keep]) for labels, values in shop.series]
    found = look(shop)
    assert found.view.step <= 2
    assert found.view.end - found.view.start <= timedelta(minutes=4)
