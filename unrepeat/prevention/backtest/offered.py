"""The test file that people take into their own rule repository: it says there what the guard says here."""

from __future__ import annotations

from datetime import timedelta

from unrepeat.prevention.backtest import promtool, testfile
from unrepeat.prevention.backtest.harmed import moments
from unrepeat.prevention.backtest.judged import WORDS, Before
from unrepeat.prevention.backtest.recorded import Folder, samples
from unrepeat.prevention.backtest.replayed import Rules, end_of, firing_of, refuse_the_clock
from unrepeat.prevention.backtest.testfile import Asked


def test_file(rules: Rules, recording: Folder, *, before: Before, at_least: timedelta, silent: bool) -> str:
    """A file for `promtool test rules`: the alert must have fired in time in a failure, and never in health.

    Its first lines say where it is from. Keep the rules beside it as rules.yml.
    """
    refuse_the_clock(rules)
    sampled = samples(recording, rules.reads())
    end, moment = end_of(sampled), getattr(moments(recording), before)
    firing = firing_of(rules.alert)
    head = f"Made by Unrepeat from the recording {recording.name}; run it with: promtool test rules FILE"
    if silent or recording.healthy or moment is None:
        asked = Asked(f"count(count_over_time({firing}[{end + 60}s]))", end)
        said = f"{head}\nNothing was wrong in it: {rules.alert} must be silent."
    else:
        deadline = int((moment - at_least).timestamp() - sampled.first)
        one = ({"labels": "{}", "value": 1},)
        asked = Asked(f"count(count_over_time({firing}[{max(deadline, 0) + 60}s])) > bool 0", max(deadline, 0), one)
        early = f"{at_least.total_seconds() / 60:g} min before {WORDS[before]} ({moment:%Y-%m-%d %H:%M} UTC)"
        said = f"{head}\n{rules.alert} must have fired at the latest {early}."
    return testfile.document(promtool.RULES, recording.name, sampled, [asked], said=said)
