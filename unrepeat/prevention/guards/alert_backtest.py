"""A Prometheus alerting rule over recordings: early enough in the failure, silent in health."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from unrepeat.prevention import kind
from unrepeat.prevention.backtest import offered, promtool
from unrepeat.prevention.backtest.judged import Judged, judge
from unrepeat.prevention.backtest.recorded import Folder, Unreadable, open_folder
from unrepeat.prevention.backtest.rule import Rule, rules_from
from unrepeat.prevention.kind import Outcome, Target, TargetKind, Tools, broken
from unrepeat.support.problems import Problem

TITLE = "An alerting rule over recorded outages"
HELP = (
    "Runs a Prometheus alerting rule over recordings with the real promtool. Proven when it fires early enough in the recorded "
    "failure and is silent in the recording of the fix. Afterwards green means: it still fires in time and is silent in the "
    "healthy recordings; red: the failure would not be seen in time any more, or it would wake somebody for nothing."
)
SAFE = True
HEAVY = True  # promtool works on this machine as long as a run lasts
TARGETS: tuple[TargetKind, ...] = ("now", "recording")
Name = Annotated[str, Field(min_length=1, max_length=120)]


class Spec(kind.Spec):
    """The rule, the recording of the failure in which it must fire early enough, and those in which it must be silent."""

    rule: Annotated[
        Rule,
        Field(description="alert, expr, for, labels, annotations; or the text of a Prometheus rule file."),
    ]
    recording: Annotated[Name, Field(description="The name of the recording of the failure.")]
    at_least_minutes: Annotated[float, Field(ge=0, le=10_080, description="How early it must fire.")] = 0.0
    before: Annotated[
        Literal["harm", "detected", "alert"],
        Field(description="Before what: the first users are hurt, people know, or the alert of then fires."),
    ] = "harm"
    healthy: Annotated[
        tuple[Name, ...], Field(max_length=20, description="Recordings in which it must be silent.")
    ] = ()
    alert: Annotated[str, Field(max_length=200, description="Which alert of a rule file with several is meant.")] = ""


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """On a recording: red when it fires (early enough, where that can be told). Now: see HELP."""
    try:
        if target.kind == "recording" and target.folder is not None:
            one = _judge(spec, open_folder(target.folder, target.words), tools.seconds, failure=True)
            return one.as_proof()
        if target.kind == "now":
            return _now(spec, tools)
    except promtool.Unusable as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy, problem.output)
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    return broken("An alerting rule is run over recordings.", "Name a recording: `unrepeat recording list` shows them.")


def promtool_file(spec: Spec, tools: Tools, recording: str = "") -> str:
    """The test file for `promtool test rules` that says the same as this guard on one recording; that of the failure by default."""
    return offered.test_file(
        rules_from(spec.rule, spec.alert),
        _known(recording or spec.recording, tools),
        before=spec.before,
        at_least=timedelta(minutes=spec.at_least_minutes),
        silent=bool(recording) and recording != spec.recording,
    )


def rules_file(spec: Spec) -> str:
    """The rule file that belongs to `promtool_file`, to be kept as rules.yml."""
    return rules_from(spec.rule, spec.alert).text


def _now(spec: Spec, tools: Tools) -> Outcome:
    """The failure first, then each healthy recording, within one time."""
    until = time.monotonic() + tools.seconds
    judged = [_judge(spec, _known(spec.recording, tools), tools.seconds, failure=True)]
    for name in spec.healthy:
        left = until - time.monotonic()
        judged.append(_judge(spec, _known(name, tools), max(left, 0.1), failure=False))
    seen = judged[0].caught and not any(one.fired.first for one in judged[1:])
    said = " ".join(one.said for one in judged)
    return Outcome(
        "green" if seen else "red",
        said,
        "" if seen else "The failure would not be seen in time, or people would be woken for nothing: mend the rule.",
        "\n".join(one.fired.output for one in judged),
        {name: value for one in judged for name, value in one.figures.items()},
        {name: value for one in judged for name, value in one.environment.items()},
    )


def _judge(spec: Spec, recording: Folder, seconds: float, *, failure: bool) -> Judged:
    return judge(
        rules_from(spec.rule, spec.alert),
        recording,
        before=spec.before,
        at_least=timedelta(minutes=spec.at_least_minutes),
        seconds=seconds,
        failure=failure,
    )


def _known(name: str, tools: Tools) -> Folder:
    found = tools.recordings.get(name)
    if found is None:
        known = ", ".join(sorted(tools.recordings)) or "none yet"
        raise Unreadable(
            f"There is no recording “{name[:60]}” here.",
            f"Known: {known}.",
            "Take it in with `unrepeat recording add`.",
        )
    return open_folder(found.folder, name)
