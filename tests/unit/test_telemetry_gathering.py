"""Which numbers an incident asks for: the right services, the right window, a step that fits a figure. No database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.support.outage import at, log, outage
from unrepeat.incidents.fold import fold
from unrepeat.investigation import gathering
from unrepeat.investigation.gathering import Found, Nothing
from unrepeat.investigation.telemetry import Series, Silent, Unanswered
from unrepeat.investigation.telemetry.recording import parsed


class Data:
    """A telemetry that has samples of some selectors between two moments, and keeps what it was asked."""

    source = "Test"

    def __init__(self, known: set[str], first: datetime, last: datetime):
        self.known, self.first, self.last, self.asked = known, first, last, []

    def query_range(self, query, start, end, step):
        self.asked.append((query, start, end, step))
        if query not in self.known:
            return []
        times = [start.timestamp() + i * step for i in range(int((end - start).total_seconds() // step) + 1)]
        points = tuple((t, 1.0) for t in times if self.first.timestamp() <= t <= self.last.timestamp())
        return [Series({}, points)]


def state(**changed):
    found = fold(log(*outage()))
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def test_guilty_and_alarmed_services_are_asked_about_and_cleared_ones_not():
    assert gathering.services(state()) == ["sessions"]
    early = fold(log(*outage()[:6]))
    assert gathering.services(early) == ["sessions", "database"]


def test_the_window_is_an_hour_before_to_a_quarter_after_and_never_the_future():
    assert gathering.window(state(), at("23:00")) == (at("14:15"), at("18:15"))
    assert gathering.window(state(), at("18:05")) == (at("14:15"), at("18:05"))
    short = state(resolved_at=at("15:18"))
    start, end = gathering.window(short, at("23:00"))
    assert (start, end) == (at("15:05"), at("15:20")), "a short outage is not lost in a long window"


@pytest.mark.parametrize("length", [timedelta(seconds=s) for s in (1, 165, 1000, 14_400, 86_400, 10**6, 10**7)])
def test_a_figure_has_at_most_400_points(length):
    step = gathering.step_for(length.total_seconds())
    assert length.total_seconds() / step <= 400 or step == 86_400


def test_four_hours_are_asked_for_minute_by_minute():
    assert gathering.step_for(4 * 3600) == 60


def test_data_that_fills_a_small_part_is_asked_for_again_with_a_finer_step():
    data = Data({'process_resident_memory_bytes{service="sessions"}'}, at("15:14"), at("15:19"))
    found = gathering.fetch(data, "sessions", {}, at("14:15"), at("18:15"))
    assert isinstance(found, Found)
    assert found.step <= 2
    assert 100 <= len(found.series[0].points) <= 500
    assert at("15:12") <= found.window_from <= at("15:14") and at("15:19") <= found.window_to <= at("15:21")


def test_the_catalogues_labels_come_first_then_service_then_job():
    assert gathering.selectors("sessions", {"job": "s", "env": 'p"rod'}) == [
        'process_resident_memory_bytes{env="p\\"rod",job="s"}'
    ]
    data = Data({'process_resident_memory_bytes{job="sessions"}'}, at("14:15"), at("18:15"))
    found = gathering.fetch(data, "sessions", {}, at("14:15"), at("18:15"))
    assert found.query == 'process_resident_memory_bytes{job="sessions"}'
    assert [asked[0] for asked in data.asked] == [
        'process_resident_memory_bytes{service="sessions"}',
        'process_resident_memory_bytes{job="sessions"}',
    ]


def test_without_samples_or_telemetry_the_reason_is_told():
    data = Data(set(), at("14:15"), at("18:15"))
    missing = gathering.fetch(data, "sessions", {}, at("14:15"), at("18:15"))
    assert isinstance(missing, Nothing)
    assert "Test has no samples" in missing.reason
    assert "no metrics are connected" in gathering.fetch(None, "sessions", {}, at("14:15"), at("18:15")).reason


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("up", ("up", [])),
        ('a:b{x="1"}', ("a:b", [("x", "=", "1")])),
        (
            'm{a="1", b!="2",c=~"x|y" , d!~"\\"q"}',
            ("m", [("a", "=", "1"), ("b", "!=", "2"), ("c", "=~", "x|y"), ("d", "!~", '"q')]),
        ),
        ("m{}", ("m", [])),
    ],
)
def test_selectors_are_understood(query, wanted):
    assert parsed(query) == wanted


@pytest.mark.parametrize("query", ["rate(up[5m])", "a + b", 'm{a="1"', "m{a=1}", "", "m[5m]", "sum(m)"])
def test_what_computes_is_refused_by_a_recording(query):
    with pytest.raises(Unanswered, match="plain selectors only"):
        parsed(query)


def test_who_does_not_answer_once_is_not_waited_for_again():
    asked = []

    class Down:
        source = "Down"

        def query_range(self, query, start, end, step):
            asked.append(query)
            raise Silent("Prometheus at x could not be asked: it took too long")

    answers = gathering.fetch_all(Down(), {"sessions": {}, "shop": {}, "database": {}}, at("14:15"), at("18:15"))
    assert len(asked) == 1
    assert [(answer.service, "took too long" in answer.reason) for answer in answers] == [
        ("sessions", True),
        ("shop", True),
        ("database", True),
    ]


def test_a_refused_question_does_not_keep_from_the_next():
    class Picky(Data):
        def query_range(self, query, start, end, step):
            if "sessions" in query:
                raise Unanswered("refused")
            return super().query_range(query, start, end, step)

    data = Picky({'process_resident_memory_bytes{service="shop"}'}, at("14:15"), at("18:15"))
    refused, found = gathering.fetch_all(data, {"sessions": {}, "shop": {}}, at("14:15"), at("18:15"))
    assert isinstance(refused, Nothing)
    assert isinstance(found, Found)


def test_slow_answers_do_not_hold_the_worker_for_ever(monkeypatch):
    monkeypatch.setattr(gathering, "BUDGET", -1.0)
    (late,) = gathering.fetch_all(Data(set(), at("14:15"), at("18:15")), {"sessions": {}}, at("14:15"), at("18:15"))
    assert "took more than" in late.reason
