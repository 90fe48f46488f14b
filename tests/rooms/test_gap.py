"""What fired and resolved while we were away: read from a real Prometheus, told once, whatever a real Alertmanager adds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import monitoring
from tests.support.monitoring import Monitoring, Receiver, until
from tests.support.postgres import free_port
from unrepeat.arrivals import commands, gap, gap_fill, gap_store
from unrepeat.arrivals.fingerprint import fingerprint
from unrepeat.arrivals.gap import Known, Naming, Run, runs, untold
from unrepeat.arrivals.listening import Listening
from unrepeat.arrivals.models import Alert, Delivery, Source
from unrepeat.arrivals.reading import read_waiting
from unrepeat.support import clock

T0 = datetime(2024, 8, 12, 15, 0, tzinfo=UTC)
LEAK = {"alertname": "High memory usage", "service": "sessions"}


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def grid(first: int, last: int) -> list[float]:
    return [T0.timestamp() + second for second in range(first, last + 1)]


def known(starts: float, ends: float | None = None, labels: dict[str, str] = LEAK) -> Known:
    return Known(fingerprint(labels), labels, at(starts), None if ends is None else at(ends))


def told(
    found: list[Run], stored: list[Known], naming: Naming | None = None, before: float = 100
) -> list[tuple[float, float, bool]]:
    seen = untold(found, stored, naming or Naming(), 1, at(before).timestamp())
    return [
        ((one.starts_at - T0).total_seconds(), (one.ends_at - T0).total_seconds(), one.run is not None) for one in seen
    ]


def of(*moments: list[float], labels: dict[str, str] = LEAK, beats: list[float] | None = None) -> list[Run]:
    series = {"__name__": "ALERTS", "alertstate": "firing", **labels}
    return runs([(series, [m for some in moments for m in some])], grid(0, 100) if beats is None else beats)


def test_a_run_that_nobody_told_is_told() -> None:
    assert told(of(grid(10, 20)), []) == [(10, 21, True)]


def test_two_runs_are_two_occurrences() -> None:
    assert told(of(grid(10, 20), grid(30, 40)), []) == [(10, 21, True), (30, 41, True)]


def test_what_alertmanager_told_is_not_told_again_though_the_grid_differs() -> None:
    assert told(of(grid(10, 20)), [known(9.2, 20.4)]) == []


def test_an_open_occurrence_is_closed_where_its_run_ended() -> None:
    assert told(of(grid(10, 20)), [known(9.2)]) == [(9.2, 21, False)]
    assert told(of(grid(0, 20)), [known(-500)]) == [(-500, 21, False)]


def test_after_a_told_one_the_next_run_is_new() -> None:
    assert told(of(grid(0, 20), grid(40, 50)), [known(-500)]) == [(-500, 21, False), (40, 51, True)]


def test_what_still_fires_is_left_to_alertmanager() -> None:
    assert told(of(grid(90, 100)), []) == []
    assert told(of(grid(10, 20), grid(90, 100)), [known(9)]) == [], "it may be one that Prometheus's restart cut in two"


def test_what_began_after_the_start_is_left_to_alertmanager() -> None:
    assert told(of(grid(60, 70)), [], before=50) == []


def test_what_fired_already_before_the_window_is_not_made_up() -> None:
    assert told(of(grid(0, 20)), []) == []


def test_a_hole_in_prometheus_itself_ends_no_run() -> None:
    beats = [*grid(0, 15), *grid(60, 100)]
    assert told(of(grid(10, 15), grid(60, 70), beats=beats), []) == [(10, 71, True)]


def test_external_labels_count_as_alertmanager_counts_them() -> None:
    naming = Naming(
        {"environment": "production", "replica": "a", "service": "never in place of the alert's own"}, ("replica",)
    )
    seen = untold(of(grid(10, 20)), [], naming, 1, at(100).timestamp())
    assert seen[0].key == fingerprint({**LEAK, "environment": "production"})
    assert told(of(grid(10, 20)), [known(9.2, 20.4, {**LEAK, "environment": "production"})], naming) == []


def test_labels_added_on_the_way_are_known_from_what_was_told_before() -> None:
    wider = {**LEAK, "cluster": "eu", "environment": "production"}
    assert told(of(grid(10, 20)), [known(9.2, 20.4, wider)]) == []


def test_the_written_body_is_read_as_alertmanager_s() -> None:
    from unrepeat.arrivals.sources import alertmanager

    seen = untold(of(grid(10, 20)), [], Naming(), 1, at(100).timestamp())
    reading = alertmanager.read(gap.body(seen, "http://prometheus", at(0), at(100)), {}, at(100))
    alert = reading.alerts[0]
    assert (alert.key, alert.status, alert.name) == (fingerprint(LEAK), "resolved", "High memory usage")
    assert (alert.starts_at, alert.ends_at, alert.summary) == (at(10), at(21), gap.SUMMARY)
    assert alert.extra["group"]["filled"]["from"] == "http://prometheus"


@given(st.lists(st.booleans(), min_size=3, max_size=80), st.lists(st.booleans(), max_size=20), st.booleans())
def test_every_run_that_began_and_ended_is_told_once_and_never_again(
    fires: list[bool], heard: list[bool], open_before: bool
) -> None:
    """Whatever the pattern, and whichever of its runs Alertmanager told: afterwards all are known, and filling again says nothing."""
    found = of(
        [T0.timestamp() + second for second, firing in enumerate(fires) if firing], beats=grid(0, len(fires) - 1)
    )
    stored = [known(-9)] if open_before and fires[0] else []
    told_by_alertmanager = zip(found, heard, strict=False)
    stored += [
        known(run.first - T0.timestamp(), run.last + 1 - T0.timestamp())
        for run, was in told_by_alertmanager
        if was and run.ended and not run.cut
    ]
    seen = untold(found, stored, Naming(), 1, at(1000).timestamp())
    new = [Known(one.key, one.labels, one.starts_at, one.ends_at) for one in seen if one.run]
    closed = {one.starts_at: one.ends_at for one in seen if not one.run}
    after = [Known(o.key, o.labels, o.starts_at, closed.get(o.starts_at, o.ends_at)) for o in stored] + new
    assert untold(found, after, Naming(), 1, at(1000).timestamp()) == []
    assert len({one.starts_at for one in after}) == len(after), "no occurrence twice"
    far_apart = all(b.first - a.last > 4 for a, b in pairwise(found))
    if far_apart:
        ended = [run for run in found if run.ended and not run.cut]
        assert len([one for one in after if one.starts_at >= T0]) == len(ended)


class Away:
    """A shop with real monitoring whose receiver, we, can go away and come back."""

    def __init__(self, home: Path) -> None:
        self.port = free_port()
        self.monitoring = Monitoring(home, self.port, {"environment": "production"})
        self.receiver: Receiver | None = None
        commands.add_source("alerts", "alertmanager")
        self.source = Source.objects.get(name="alerts").id
        for pod in ("sessions-1", "sessions-2", "checkout-1", "cart-1"):
            self.set(pod, 0)

    def set(self, pod: str, value: float) -> None:
        self.monitoring.gauge.values[pod.partition("-")[0], pod] = value

    def listen(self) -> None:
        self.receiver = Receiver(self.port)

    def go_away(self) -> None:
        assert self.receiver
        self.hear()
        self.receiver.close()

    def hear(self) -> None:
        """Store what came, as the intake does, and read it."""
        assert self.receiver
        for raw, _ in self.receiver.heard:
            gap_store.keep(self.source, raw, clock.now())
        self.receiver.heard.clear()
        while read_waiting():
            pass

    def told(self, pod: str) -> list[Alert]:
        self.hear()
        return list(Alert.objects.filter(labels__pod=pod).order_by("starts_at"))

    def fires(self, pod: str) -> bool:
        alerts = Monitoring._data(f"{self.monitoring.url}/api/v1/alerts")["alerts"]
        return any(one["labels"]["pod"] == pod and one["state"] == "firing" for one in alerts)

    def fire_and_resolve(self, pod: str) -> None:
        self.set(pod, 2)
        until(lambda: self.fires(pod), f"{pod} fires")
        self.set(pod, 0)
        until(lambda: not self.fires(pod), f"{pod} resolves")


@pytest.fixture
def away(transactional_db: None, tmp_path: Path) -> Iterator[Away]:
    if not monitoring.present:
        pytest.skip(monitoring.ABSENT)
    there = Away(tmp_path)
    there.listen()
    try:
        there.monitoring.start()
        yield there
    finally:
        there.monitoring.stop()
        if there.receiver:
            there.receiver.close()


def test_an_alert_that_came_and_went_while_we_were_away_is_there_once(away: Away) -> None:
    """checkout-1 comes and goes; sessions-1, told before, goes; sessions-2 comes and goes beside it; cart-1 comes and stays."""
    away.set("sessions-1", 2)
    until(lambda: away.told("sessions-1"), "sessions-1 is told")
    gap_store.complete(clock.now())

    away.go_away()
    away.fire_and_resolve("checkout-1")
    away.fire_and_resolve("sessions-2")
    away.set("sessions-1", 0)
    away.set("cart-1", 2)
    until(lambda: away.fires("cart-1") and not away.fires("sessions-1"), "cart-1 fires, sessions-1 resolves")
    until(lambda: _settled(away), "Prometheus has seen more than the ends")

    ours = Listening(away.monitoring.url, second_look=timedelta(0))
    ours.turn()  # before Alertmanager has its turn
    while read_waiting():
        pass
    (checkout,) = Alert.objects.filter(labels__pod="checkout-1")
    assert checkout.ends_at is not None and checkout.ends_at > checkout.starts_at
    assert checkout.labels["environment"] == "production" and checkout.service == "checkout"
    assert checkout.severity == "critical" and checkout.news
    assert Alert.objects.get(labels__pod="sessions-1").ends_at is not None
    assert Alert.objects.get(labels__pod="sessions-2").ends_at is not None
    assert not Alert.objects.filter(labels__pod="cart-1").exists(), "what fires still is Alertmanager's to tell"

    away.listen()
    until(lambda: away.told("cart-1"), "cart-1 is told by Alertmanager")
    until(lambda: _heard(away, "sessions-1"), "Alertmanager tells that sessions-1 resolved")
    for pod in ("sessions-1", "sessions-2", "checkout-1", "cart-1"):
        assert len(away.told(pod)) == 1, f"{pod} is one occurrence, though both told of it"

    assert gap_fill.fill(away.monitoring.url, clock.now() - timedelta(minutes=5), clock.now()) == 0, (
        "nothing is told twice"
    )
    away.set("checkout-1", 2)  # and it stays: Alertmanager does not tell what has gone before its next turn
    until(lambda: len(away.told("checkout-1")) == 2, "Alertmanager tells the next occurrence of checkout-1")
    first, second = away.told("checkout-1")
    assert first.key == second.key, "the fingerprint is Alertmanager's own"


def _settled(away: Away) -> bool:
    """The last evaluation lies a few seconds after the last end, so that every end is seen to be one."""
    query = {"query": 'count_over_time(ALERTS{alertstate="firing",pod=~"sessions-.|checkout-1"}[4s])'}
    return not gap_fill._ask(away.monitoring.url, "query", query)["result"]


def _heard(away: Away, pod: str) -> bool:
    """Whether Alertmanager itself has said that it resolved."""
    away.hear()
    bodies = [json.loads(bytes(row.body)) for row in Delivery.objects.all()]
    theirs = [alert for body in bodies if body["receiver"] != gap.RECEIVER for alert in body["alerts"]]
    return any(alert["labels"]["pod"] == pod and alert["status"] == "resolved" for alert in theirs)


@pytest.mark.django_db
def test_the_mark_stays_until_prometheus_has_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    time = clock.SimulatedClock(T0)
    with clock.using(time):
        Listening(gone).turn()
        assert gap_store.complete_until() == T0, "it never listened before, so nothing is missing"
        time.advance(hours=1)
        ours = Listening(gone)
        ours.turn()
        assert gap_store.complete_until() == T0
        monkeypatch.setattr("unrepeat.arrivals.listening.fill", lambda *_: 0)
        ours.turn()
        assert gap_store.complete_until() == T0, "the second look is still to come"
        time.advance(minutes=7)
        ours.turn()
        assert gap_store.complete_until() == T0 + timedelta(hours=1, minutes=7)


@pytest.mark.django_db
def test_without_prometheus_the_mark_just_follows_the_time() -> None:
    time = clock.SimulatedClock(T0)
    with clock.using(time):
        ours = Listening("")
        for _ in range(3):
            ours.turn()
            assert gap_store.complete_until() == clock.now()
            time.advance(seconds=10)
        gap_store.complete(T0 - timedelta(days=1))
        assert gap_store.complete_until() == T0 + timedelta(seconds=20)
