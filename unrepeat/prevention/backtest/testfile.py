"""The file that `promtool test rules` reads, made from a recording's metrics. Pure.

promtool's clock begins at 0 where the recording begins. Samples stand in slots, one every `spacing` seconds; a series whose next
sample is further away than its samples usually are is marked stale, as Prometheus does with a target that has gone.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low
from typing import Any

import yaml

from unrepeat.prevention.backtest.recorded import Sampled

_WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_NAMELESS = re.compile(r"(?<![\w:\s])\s*\{|^\s*\{|\b(?:by|without|on|ignoring|and|or|unless)\s+\{|__name__")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|`[^`]*`')
_CLOCK = re.compile(r"\b(time|hour|minute|day_of_month|day_of_week|day_of_year|days_in_month|month|year)\s*\(\s*\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """An expression, the second of promtool's clock at which it is evaluated, and what must come out (nothing by default)."""

    expr: str
    at: int
    expected: Sequence[Mapping[str, Any]] = ()


def metric_names(expressions: Iterable[str]) -> frozenset[str] | None:
    """The metrics that expressions can mean: every word in them. None, for all, when a selector has no name."""
    names: set[str] = set()
    for expression in expressions:
        if _NAMELESS.search(_STRING.sub('""', expression)):
            return None
        names |= set(_WORD.findall(expression))
    return frozenset(names)


def asks_the_clock(expressions: Iterable[str]) -> str:
    """The function of an expression that asks what time it is, empty when none does: promtool's clock begins in 1970."""
    for expression in expressions:
        if found := _CLOCK.search(_STRING.sub('""', expression)):
            return f"{found[1]}()"
    return ""


def input_series(sampled: Sampled) -> list[dict[str, str]]:
    """All series in promtool's compact notation."""
    return [
        {"series": selector(name, labels), "values": values(points, sampled)}
        for (name, labels), points in sampled.series.items()
    ]


def selector(name: str, labels: str) -> str:
    """A series as promtool reads it, from its labels in JSON."""
    pairs = ", ".join(
        f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in json.loads(labels or "{}").items()
    )
    return f"{name}{{{pairs}}}" if pairs else name


def values(points: Sequence[tuple[float, float]], sampled: Sampled) -> str:
    """The samples of one series, equal ones in a row counted, gaps as `_`."""
    slots = sorted({sampled.slot(at): value for at, value in points}.items())
    usual = max(1, median_low([b[0] - a[0] for a, b in pairwise(slots)] or [1]))
    told: list[str] = []
    expected, same, count = 0, "", 0
    for slot, value in slots:
        text = _number(value)
        if slot == expected and text == same:
            count += 1
        else:
            told += [_times(same, count), *_gap(slot - expected, usual if expected else 0)]
            same, count = text, 1
        expected = slot + 1
    left = sampled.slot(sampled.last) + 1 - expected
    told += [_times(same, count), *([*_nothing(usual - 1), "stale"] if left >= usual else [])]
    return " ".join(part for part in told if part)


def document(rule_file: str, name: str, sampled: Sampled, asked: Sequence[Asked], *, said: str = "") -> str:
    """The test file: the rules, one test with a recording's series, and what is asked of it. `said`: its first lines, as comments."""
    made = {
        "rule_files": [rule_file],
        "evaluation_interval": f"{sampled.spacing:.0f}s",
        "tests": [
            {
                "name": name,
                "interval": f"{sampled.spacing:.0f}s",
                "input_series": input_series(sampled),
                "promql_expr_test": [
                    {"expr": one.expr, "eval_time": f"{one.at}s", "exp_samples": [dict(e) for e in one.expected]}
                    for one in asked
                ],
            }
        ],
    }
    notes = "".join(f"# {line}\n" for line in said.splitlines())
    return notes + str(yaml.dump(made, Dumper=_dumper(), sort_keys=False, width=1_000_000, allow_unicode=True))


def _dumper() -> Any:
    return getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def _gap(missing: int, usual: int) -> list[str]:
    """Slots without a sample. `usual`: how many slots the series' samples lie apart; 0: it has not begun yet."""
    if not usual or missing + 1 <= 1.5 * usual:
        return _nothing(missing)
    return [*_nothing(usual - 1), "stale", *_nothing(missing - usual)]


def _nothing(slots: int) -> list[str]:
    return [f"_x{slots}"] if slots > 0 else []


def _times(text: str, count: int) -> str:
    """`v` once, or `v+0x(n-1)`, which every promtool reads as n of them."""
    if text in ("NaN", "+Inf", "-Inf"):
        return " ".join([text] * count)
    return f"{text}+0x{count - 1}" if count > 1 else text


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
