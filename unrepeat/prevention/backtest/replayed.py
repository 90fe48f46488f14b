"""When a rule fires in a recording: asked of the real promtool, in one call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

from unrepeat.prevention.backtest import promtool, testfile
from unrepeat.prevention.backtest.recorded import Folder, Sampled, samples
from unrepeat.prevention.backtest.testfile import Asked

SLOWEST = ("rate(", "irate(", "deriv(")  # per second of the recording's clock


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule file as promtool reads it, the alert that is asked about, and all its expressions."""

    text: str
    alert: str
    expressions: tuple[str, ...]
    records: frozenset[str] = frozenset()  # metrics that the file itself makes

    def reads(self) -> frozenset[str] | None:
        """The metrics that a recording must give; None for all."""
        names = testfile.metric_names(self.expressions)
        return None if names is None else names - self.records


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule did in a recording. `first` and `last`: when it fired (UTC), None for never. `minutes`: for how long in all.

    `since`: from when on what it fired for held; `first` is that and the rule's own `for`.
    """

    since: datetime | None
    first: datetime | None
    last: datetime | None
    minutes: float
    until: datetime  # the recording's end
    output: str = ""
    more: Mapping[str, float | None] = field(default_factory=dict)  # what else was asked, by name

    def moments(self) -> dict[str, float]:
        """When it fired first and since when that held, in Unix seconds, as figures of a run; empty for never."""
        told = {"fired_at": self.first, "held_since_at": self.since}
        return {name: at.timestamp() for name, at in told.items() if at is not None}


def rules_of(rule: Mapping[str, Any]) -> Rules:
    """One alerting rule as a rule file."""
    text = yaml.safe_dump({"groups": [{"name": "unrepeat", "rules": [dict(rule)]}]}, sort_keys=False, width=1_000_000)
    return Rules(text, str(rule["alert"]), (str(rule["expr"]),))


def replayed(rules: Rules, recording: Folder, *, seconds: float, more: Mapping[str, str] | None = None) -> Fired:
    """Run a rule over a recording. `more`: other questions by name, in which `{span}` stands for the whole of it as a subquery.

    Raises promtool's Unusable and the recording's Unreadable.
    """
    promtool.program()
    refuse_the_clock(rules)
    return fired(rules, [rules.alert], recording, seconds=seconds, more=more)[rules.alert]


def fired(
    rules: Rules, alerts: Sequence[str], recording: Folder, *, seconds: float, more: Mapping[str, str] | None = None
) -> dict[str, Fired]:
    """When each of a rule file's alerts fires in a recording, by its name, in one call of promtool. Raises as `replayed`."""
    sampled = samples(recording, rules.reads())
    end, whole = end_of(sampled), span_of(sampled)
    four = {alert: [Asked(text, end) for text in _questions(alert, whole)] for alert in alerts}
    others = {name: Asked(text.replace("{span}", whole), end) for name, text in (more or {}).items()}
    asked = [question for questions in four.values() for question in questions] + list(others.values())
    document = testfile.document(promtool.RULES, recording.name, sampled, [promtool.CONTROL, *asked])
    said = promtool.ask(rules.text, document, asked, seconds=seconds)
    known = {name: said.values[question] for name, question in others.items()}
    return {
        alert: Fired(
            _moment(said.values[since], sampled),
            _moment(said.values[first], sampled),
            _moment(said.values[last], sampled),
            (said.values[often] or 0.0) * sampled.spacing / 60,
            datetime.fromtimestamp(sampled.last, UTC),
            said.output,
            known,
        )
        for alert, (since, first, last, often) in four.items()
    }


def _questions(alert: str, whole: str) -> tuple[str, str, str, str]:
    """Since when what an alert fires for held, when it fires first, last, and at how many steps."""
    firing = firing_of(alert)
    held = f"ALERTS_FOR_STATE{{alertname={_quoted(alert)}}} and ignoring(alertstate) {firing}"
    return (
        f"min(min_over_time(({held})[{whole}]))",
        f"min(min_over_time(timestamp({firing})[{whole}]))",
        f"max(max_over_time(timestamp({firing})[{whole}]))",
        f"count_over_time(count({firing})[{whole}])",
    )


def refuse_the_clock(rules: Rules) -> None:
    """Unusable when a rule asks what time it is."""
    if asks := testfile.asks_the_clock(rules.expressions):
        raise promtool.Unusable(
            f"The rule asks {asks}, which a recording cannot answer.",
            "promtool's clock begins in 1970, whenever the recording was made.",
            "Let the rule compare samples with each other, for example with timestamp() or offset.",
        )


def firing_of(alert: str) -> str:
    """The selector of an alert that fires."""
    return f'ALERTS{{alertname={_quoted(alert)},alertstate="firing"}}'


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def end_of(sampled: Sampled) -> int:
    """The second of promtool's clock at which a recording ends."""
    return round(sampled.slot(sampled.last) * sampled.spacing)


def span_of(sampled: Sampled) -> str:
    """The whole recording, a step for each sample, as the range of a subquery."""
    return f"{end_of(sampled) + round(sampled.spacing)}s:{sampled.spacing:.0f}s"


def stretched(recording: Folder, expressions: Sequence[str]) -> str:
    """The sentence about a stretched clock that belongs to what a rule with rates says; empty for most."""
    if recording.stretch == 1 or not any(name in text for text in expressions for name in SLOWEST):
        return ""
    return f" This recording's clock is stretched {recording.stretch:g}-fold: its rates per second are a {recording.stretch:g}th of those measured."


def _moment(second: float | None, sampled: Sampled) -> datetime | None:
    return None if second is None else datetime.fromtimestamp(sampled.first + second, UTC)
