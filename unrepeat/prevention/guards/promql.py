"""A PromQL expression with a limit: over the live Prometheus, a window of it, or a recording."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from unrepeat.investigation.telemetry import Point, Series, Unanswered
from unrepeat.investigation.telemetry.prometheus import Prometheus
from unrepeat.prevention import kind
from unrepeat.prevention.backtest import promtool
from unrepeat.prevention.backtest.recorded import METRICS, open_folder
from unrepeat.prevention.backtest.replayed import replayed, rules_of, stretched
from unrepeat.prevention.kind import Outcome, Target, TargetKind, Tools, broken
from unrepeat.support import clock
from unrepeat.support.config import config
from unrepeat.support.problems import Problem

TITLE = "A number in Prometheus"
HELP = (
    "Asks Prometheus (or Thanos, Mimir, VictoriaMetrics) for an expression and compares it with a limit: red when any of its "
    "series is over (or under) it for as long as the text says. Over a recording, Prometheus' own promtool evaluates it."
)
SAFE = True
TARGETS: tuple[TargetKind, ...] = ("now", "window", "recording")
MOST_STEPS = 2_000  # of one range query; Prometheus itself refuses over 11,000
HOLDS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
ALERT = "the guard"


class Spec(kind.Spec):
    """Red when `expr` compared with `threshold` by `op` holds for `for_seconds`."""

    expr: Annotated[str, Field(min_length=1, max_length=8192, description="A PromQL expression that gives numbers.")]
    op: Annotated[Literal[">", "<", ">=", "<="], Field(description="The comparison that means red.")]
    threshold: Annotated[float, Field(allow_inf_nan=False, description="The limit.")]
    for_seconds: Annotated[
        float, Field(ge=0, le=86_400 * 7, description="How long it must hold; 0: one moment is enough.")
    ] = 0.0
    absent: Annotated[
        Literal["broken", "green"], Field(description="What it means when the expression gives no series at all.")
    ] = "broken"
    unit: Annotated[str, Field(max_length=40, description="The unit of the number, for what the run says.")] = ""


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """Ask, compare, say."""
    try:
        if target.kind == "recording" and target.folder is not None:
            return _recorded(spec, target, tools)
        if target.kind == "window" and target.window is not None:
            return _live(spec, *target.window)
        if target.kind == "now":
            now = clock.now()
            return _live(spec, now - timedelta(seconds=spec.for_seconds), now)
    except promtool.Unusable as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy, problem.output)
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    return broken("A number in Prometheus is asked now, over a window, or over a recording.", "Name one of these.")


def _live(spec: Spec, start: datetime, end: datetime) -> Outcome:
    if not config().prometheus_url:
        return broken("No Prometheus is connected to this server.", "Set UNREPEAT_PROMETHEUS_URL.")
    source = Prometheus(config().prometheus_url)
    step = _step(spec.for_seconds, (end - start).total_seconds())
    try:
        series = source.query_range(f"(\n{spec.expr}\n)", start, end, step)
    except Unanswered as error:
        return broken(f"{error}.", "See that Prometheus runs and that the expression is right.")
    points = [point for one in series for point in one.points]
    if not points:
        return _nothing(spec, source.source)
    worst = _worst(spec, [value for _, value in points])
    held = _longest(spec, series, step)
    red = held is not None and held[1] >= spec.for_seconds - step / 10
    said = f"{_extreme(spec)} {_shown(spec, worst)}; {_limit(spec)}."
    if red and held:
        said += f" Over the limit: {_named(held[0])}." if held[0].labels else ""
    elif held and spec.for_seconds:
        said += f" It held for {held[1]:g} s at most."
    figures = {"worst": worst, "threshold": spec.threshold, "series": float(len(series))}
    figures |= {"held_seconds": held[1]} if held else {}
    return Outcome("red" if red else "green", said, "", _table(spec, series), figures, {"source": source.source})


def _recorded(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """The same over a recording: the limit as an alerting rule that the real promtool evaluates."""
    assert target.folder is not None
    recording = open_folder(target.folder, target.words)
    condition = f"(\n{spec.expr}\n) {spec.op} {spec.threshold!r}"
    rules = rules_of({"alert": ALERT, "expr": condition, "for": f"{spec.for_seconds * 1000:.0f}ms"})
    pick = "max" if spec.op in (">", ">=") else "min"
    more = {"worst": f"{pick}({pick}_over_time((\n{spec.expr}\n)[{{span}}]))"}
    fired = replayed(rules, recording, seconds=tools.seconds, more=more)
    worst = fired.more["worst"]
    if worst is None:
        return _nothing(spec, f"The recording {recording.name}")
    said = f"In {recording.name}: {_extreme(spec).lower()} {_shown(spec, worst)}; {_limit(spec)}."
    if fired.first is not None:
        said += f" It held from {fired.first:%H:%M} UTC, for {fired.minutes:.3g} min in all."
    said += stretched(recording, (spec.expr,))
    figures = {"worst": worst, "threshold": spec.threshold, "held_seconds": fired.minutes * 60}
    figures |= fired.moments()
    environment = {
        "promtool": promtool.version(promtool.program()),
        f"metrics of {recording.name}": str((recording.manifest.get("files") or {}).get(METRICS, "")),
    }
    return Outcome("red" if fired.first else "green", said, "", fired.output, figures, environment)


def _nothing(spec: Spec, source: str) -> Outcome:
    said = f"{source} has no series for this expression."
    if spec.absent == "green":
        return Outcome("green", f"{said} The guard's text says that this is good.", figures={"series": 0.0})
    return broken(
        said,
        'See that the service is scraped and the expression is right; `absent = "green"` says that no series is good.',
    )


def _step(hold: float, span: float) -> float:
    """Seconds (whole milliseconds) between two values: fine enough to see whether the limit holds, never more than MOST_STEPS of them."""
    if not hold:
        return max(1.0, min(15.0, span / 10), span / MOST_STEPS)
    fine = max(1.0, min(15.0, hold / 10), span / MOST_STEPS)
    return max(1, int(hold * 1000 / max(1, round(hold / fine)))) / 1000


def _longest(spec: Spec, series: list[Series], step: float) -> tuple[Series, float] | None:
    """The series in which the limit held longest without a gap, and for how many seconds; None when it never held."""
    held = [(one, length) for one in series if (length := _run(spec, one.points, step)) is not None]
    return max(held, key=lambda pair: pair[1], default=None)


def _run(spec: Spec, points: tuple[Point, ...], step: float) -> float | None:
    longest: float | None = None
    began: float | None = None
    before = float("-inf")
    for at, value in points:
        if not HOLDS[spec.op](value, spec.threshold):
            began = None
        elif began is None or at - before > 1.5 * step:
            began = at
        if began is not None:
            longest = max(longest or 0.0, at - began)
        before = at
    return longest


def _worst(spec: Spec, values: list[float]) -> float:
    return max(values) if spec.op in (">", ">=") else min(values)


def _extreme(spec: Spec) -> str:
    return "Highest" if spec.op in (">", ">=") else "Lowest"


def _limit(spec: Spec) -> str:
    how_long = f" for {spec.for_seconds:g} s" if spec.for_seconds else ""
    return f"red is {spec.op} {_shown(spec, spec.threshold)}{how_long}"


def _shown(spec: Spec, value: float) -> str:
    return f"{value:.4g}{f' {spec.unit}' if spec.unit else ''}"


def _named(series: Series) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(series.labels.items()))[:300]


def _table(spec: Spec, series: list[Series]) -> str:
    """The newest value of each series, the worst first, for the run's output."""
    newest = [(one.points[-1], _named(one) or "(no labels)") for one in series if one.points]
    newest.sort(key=lambda row: row[0][1], reverse=spec.op in (">", ">="))
    return "\n".join(
        f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} {value:g} {name}" for (at, value), name in newest[:200]
    )
