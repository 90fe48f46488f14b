"""Rules over recordings: the real promtool says when they fire; the test file that is made for it says what the recording holds."""

from __future__ import annotations

import math
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from unrepeat.prevention.backtest import promtool, testfile
from unrepeat.prevention.backtest.recorded import Sampled, open_folder
from unrepeat.prevention.backtest.replayed import replayed, rules_of
from unrepeat.prevention.backtest.rule import rules_in
from unrepeat.prevention.backtest.testfile import Asked, asks_the_clock, metric_names
from unrepeat.prevention.guards import alert_backtest
from unrepeat.prevention.kind import Recorded, Target, Tools, checked

LEAK = Path(__file__).parents[2] / "lab" / "recordings" / "2024-08-12-memory-leak"
needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
VISITS = {"alert": "Visits", "expr": "sessions_tracked_visits / sessions_live > 12", "for": "5m"}
OF_THEN = "process_resident_memory_bytes > on(service) group_left() (0.8 * service_memory_budget_bytes)"


def tools() -> Tools:
    """The recording of 12 August is known as `leak`."""
    return Tools(60.0, {"leak": Recorded("leak", LEAK)})


def backtest(rule, target=None, **more):
    """A rule against the recording."""
    spec = checked("alert_backtest", {"rule": rule, "recording": "leak", **more})
    return alert_backtest.run(spec, target or Target("recording", "leak", folder=LEAK), tools())


@needs_promtool
def test_the_alert_of_then_fires_in_the_minute_in_which_it_fired_in_life():
    fired = replayed(rules_of({"alert": "High memory usage", "expr": OF_THEN}), open_folder(LEAK), seconds=60)
    assert fired.first == datetime(2024, 8, 12, 15, 15, tzinfo=UTC)
    assert fired.last.replace(second=0) <= datetime(2024, 8, 12, 17, 52, tzinfo=UTC)


@needs_promtool
def test_a_better_rule_would_have_spoken_before_anybody_was_hurt():
    outcome = backtest(VISITS, at_least_minutes=15)
    assert outcome.colour == "red"
    assert "fired at 14:46 UTC, 19 min before the first users were hurt (15:05): in time." in outcome.said
    assert outcome.figures["minutes_before"] == 19
    assert outcome.environment["promtool"]


@needs_promtool
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"at_least_minutes": 30}, "19 min before the first users were hurt (15:05); 30 min are wanted: too late."),
        (
            {"before": "alert", "at_least_minutes": 30},
            "29 min before the alert of then fired (15:15); 30 min are wanted",
        ),
    ],
)
def test_one_that_speaks_too_late_would_not_have_caught_it(changed, said):
    outcome = backtest(VISITS, **changed)
    assert outcome.colour == "green"
    assert said in outcome.said
    now = backtest(VISITS, Target(), **changed)
    assert now.colour == "red"
    assert now.remedy


@needs_promtool
def test_the_rule_of_then_was_too_late_for_the_users():
    assert "10 min after the first users were hurt (15:05): too late." in backtest({"alert": "X", "expr": OF_THEN}).said


@needs_promtool
def test_the_words_for_a_rate_on_a_stretched_clock():
    rule = {"alert": "Traffic", "expr": "sum(rate(shop_requests_total[10m])) > 1e9"}
    assert "stretched 60-fold: its rates per second are a 60th of those measured" in backtest(rule).said
    assert "stretched" not in backtest(VISITS).said


@needs_promtool
@pytest.mark.parametrize(
    ("expr", "asks"), [("time() - process_start_time_seconds > 60", "time()"), ("hour() > 8 and up == 0", "hour()")]
)
def test_a_rule_that_asks_the_clock_is_not_guessed_at(expr, asks):
    outcome = backtest({"alert": "X", "expr": expr})
    assert outcome.colour == "broken"
    assert asks in outcome.said
    assert "1970" in outcome.said


@needs_promtool
@pytest.mark.parametrize("changed", [{}, {"before": "alert"}, {"at_least_minutes": 15}])
def test_the_file_for_the_user_s_own_repository_says_the_same_there(tmp_path, changed):
    spec = checked("alert_backtest", {"rule": VISITS, "recording": "leak", **changed})
    (tmp_path / "rules.yml").write_text(alert_backtest.rules_file(spec))
    (tmp_path / "tests.yml").write_text(alert_backtest.promtool_file(spec, tools()))
    assert ran(tmp_path) == 0
    late = checked("alert_backtest", {"rule": VISITS, "recording": "leak", "at_least_minutes": 60})
    (tmp_path / "tests.yml").write_text(alert_backtest.promtool_file(late, tools()))
    assert ran(tmp_path) == 1
    assert (tmp_path / "tests.yml").read_text().startswith("# Made by Unrepeat from the recording leak")


def ran(folder: Path) -> int:
    """The exit status of `promtool test rules`, as somebody types it."""
    return subprocess.run(
        ["promtool", "test", "rules", "tests.yml"], cwd=folder, capture_output=True, check=False
    ).returncode


@needs_promtool
def test_a_rule_file_with_recording_rules_is_taken_as_it_is():
    text = """
groups:
  - name: sessions
    rules:
      - {record: 'sessions:visits:each', expr: sessions_tracked_visits / sessions_live}
      - {alert: Visits, expr: 'sessions:visits:each > 12', for: 5m}
      - {alert: Never, expr: 'sessions:visits:each > 12000'}
"""
    assert "fired at 14:46 UTC" in backtest(text, alert="Visits").said
    assert "it never fired" in backtest(text, alert="Never").said
    unclear = backtest(text)
    assert unclear.colour == "broken"
    assert "Never, Visits" in unclear.said
    assert sorted(rules_in(text)[1]) == ["Never", "Visits"]


sample = st.one_of(st.floats(width=32), st.integers(-5, 5).map(float), st.just(math.nan), st.just(math.inf))


@needs_promtool
@given(st.lists(st.dictionaries(st.integers(0, 12), sample, min_size=1, max_size=8), min_size=1, max_size=4))
@settings(max_examples=25)
def test_promtool_reads_every_sample_where_it_was(series):
    told = {
        ("m", f'{{"i": "{i}", "odd": "a \\"b\\" {{c}}"}}'): [
            (1000.0 + 15 * slot, value) for slot, value in sorted(points.items())
        ]
        for i, points in enumerate(series)
    }
    sampled = Sampled(told, 15.0, 1000.0, 1000.0 + 15 * 12)
    asked = []
    for i in range(len(series)):
        asked.append(Asked(f'sum(count_over_time(m{{i="{i}"}}[1h]))', 15 * 12))
        asked.append(Asked(f'max(max_over_time(timestamp(m{{i="{i}"}})[1h:15s]))', 15 * 12))
    answers = promtool.ask(
        "groups: []", testfile.document(promtool.RULES, "t", sampled, [promtool.CONTROL, *asked]), asked, seconds=30
    )
    for i, points in enumerate(series):
        assert answers.values[asked[2 * i]] == len(points)
        assert answers.values[asked[2 * i + 1]] == 15 * max(points)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("a / on(x) b > 5", {"a", "on", "x", "b"}),
        ('rate(a{job="b"}[5m]) > 0', {"rate", "a", "job", "b", "m"}),
        ('{__name__=~"a.*"}', None),
        ('sum by (x) ({job="b"})', None),
        ("absent(a{})", {"absent", "a"}),
        ('a{x="{"} > 1', {"a", "x"}),
    ],
)
def test_the_metrics_that_an_expression_may_mean(expression, names):
    found = metric_names([expression])
    assert found is None if names is None else names <= found


def test_what_asks_the_clock():
    assert asks_the_clock(["a > 1", "time() - b"]) == "time()"
    assert asks_the_clock(["day_of_week( ) == 1"]) == "day_of_week()"
    assert asks_the_clock(['a{x="time()"}', "timestamp(a)", "hour(a)"]) == ""


def test_equal_samples_are_counted_and_gaps_are_stale():
    sampled = Sampled({}, 60.0, 0.0, 600.0)
    assert (
        testfile.values([(0, 5.0), (60, 5.0), (120, 5.0), (300, 1.5), (360, -2.0)], sampled)
        == "5+0x2 stale _x1 1.5 -2 stale"
    )
    assert testfile.values([(540, 1.0), (600, 1.0)], sampled) == "_x9 1+0x1"
    seldom = [(0, 1.0), (180, 2.0), (360, 3.0)]  # every three minutes, in slots of one
    assert testfile.values(seldom, sampled) == "1 _x2 2 _x2 3 _x2 stale"
    assert testfile.values([*seldom[:2], (600, 4.0)], sampled) == "1 _x2 2 _x2 stale _x3 4"
    parsed = yaml.safe_load(testfile.document("rules.yml", "t", sampled, [Asked("up", 60)], said="a\nb"))
    assert parsed["evaluation_interval"] == "60s"
