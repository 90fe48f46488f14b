"""A promql guard on a real Prometheus: red while the number is over its limit, green before and after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.monitoring import ABSENT, Monitoring, present, until
from unrepeat.prevention.guards import promql
from unrepeat.prevention.kind import Outcome, Target, Tools, checked
from unrepeat.support import clock
from unrepeat.support.config import Config

pytestmark = pytest.mark.skipif(not present, reason=ABSENT)


@pytest.fixture
def monitoring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Prometheus, which scrapes a gauge every second."""
    started = Monitoring(tmp_path, 9)
    started.gauge.values[("sessions", "a")] = 0.1
    try:
        started.start()
        monkeypatch.setattr(promql, "config", lambda: Config(prometheus_url=started.url))
        yield started
    finally:
        started.stop()


def asked(target: Target | None = None, **changed) -> Outcome:
    """The trouble of sessions, against its limit."""
    text = {"expr": 'max by (pod) (shop_trouble{service="sessions"})', "op": ">", "threshold": 1, "unit": "trouble"}
    return promql.run(checked("promql", {**text, **changed}), target or Target(), Tools(10.0))


def _seconds_before(moment: datetime) -> Target:
    """The window of a few seconds before a moment."""
    return Target("window", "before", window=(moment - timedelta(seconds=4), moment - timedelta(seconds=1)))


def test_a_guard_sees_the_number_as_it_is(monitoring):
    until(lambda: asked(_seconds_before(datetime.now(UTC))).colour == "green", "some quiet seconds")
    began = datetime.now(UTC)
    monitoring.gauge.values[("sessions", "b")] = 2.5
    until(lambda: asked().colour == "red", "the limit to be passed")
    red = asked()
    assert red.said == "Highest 2.5 trouble; red is > 1 trouble. Over the limit: pod=b."
    assert (red.figures["worst"], red.figures["series"]) == (2.5, 2.0)
    assert "pod=a" in red.output
    assert red.environment["source"].startswith("Prometheus at 127.0.0.1")

    assert asked(for_seconds=600).colour == "green"
    until(lambda: asked(for_seconds=3).colour == "red", "the limit to be passed for three seconds")
    assert "red is > 1 trouble for 3 s" in asked(for_seconds=3).said

    monitoring.gauge.values[("sessions", "b")] = 0.2
    until(lambda: asked().colour == "green", "the number to fall")
    ended = datetime.now(UTC)
    window = Target("window", "then", window=(began, ended))
    assert asked(window, for_seconds=2).colour == "red"
    assert asked(_seconds_before(began)).colour == "green"


def test_what_it_cannot_tell_is_broken(monitoring):
    until(lambda: asked().colour == "green", "the first sample")
    assert asked(expr="nobody_scrapes_this").colour == "broken"
    assert asked(expr="nobody_scrapes_this", absent="green").colour == "green"
    wrong = asked(expr="sum by (")
    assert wrong.colour == "broken"
    assert "refused the query" in wrong.said
    assert "parse error" in wrong.said
    monitoring.stop()
    with clock.using(lambda: datetime.now(UTC)):
        gone = asked()
    assert gone.colour == "broken"
    assert "could not be asked" in gone.said
