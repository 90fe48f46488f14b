"""From a ranking to what is said in an incident's log: who is under suspicion, who is cleared, and the plain sentence why. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from unrepeat.incidents.entries import SuspectKind
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.state import State
from unrepeat.investigation.lenses import Finding, Scene, Tables
from unrepeat.investigation.lenses._words import amount, duration, from_to, listed
from unrepeat.investigation.ranking import Cleared, Ranking, Suspect
from unrepeat.investigation.weights import weights

Verdict = Literal["suspect", "cleared"]
IDLE = 0.005  # cores, below which nobody wants to know how many
SHOWN = 3  # numbers that are told and kept with one statement


@dataclass(frozen=True, slots=True)
class Statement:
    """One verdict of the machine. `columns` are the ones that show it, the best first."""

    verdict: Verdict
    kind: SuspectKind
    name: str
    reason: str
    columns: tuple[str, ...]
    score: float = 0.0


def statements(ranking: Ranking, scene: Scene, alarmed: Iterable[str]) -> list[Statement]:
    """All that the ranking allows to say. A service under alert (`alarmed`) is cleared only when another one explains it."""
    raised = [_raised(one, scene) for one in _named(ranking, scene)]
    change = _change(ranking, scene, raised[0].name if raised else "")
    names = {one.name for one in raised}
    alarmed = set(alarmed)
    cleared = [
        statement
        for one in ranking.cleared
        if one.kind == "service" and one.subject not in names and (one.because or one.subject not in alarmed)
        if (statement := _cleared(one, ranking, scene, names)) is not None
    ]
    innocent = [
        Statement("cleared", "change", _summary(scene.tables, one.subject), _sentence(_why(one), scene), ())
        for one in ranking.cleared
        if one.kind == "change" and _before_alert(scene.tables, one.subject)
    ]
    return [*raised, *([change] if change else []), *cleared, *innocent]


def news(said: Sequence[Statement], state: State) -> list[Statement]:
    """What of it the log does not have yet. A person's verdict stands; the machine repeats nothing and seldom changes its mind."""
    return [one for one in said if _is_news(one, state)]


def look_next(ranking: Ranking, scene: Scene) -> str:
    """What to look at next, in one line for people."""
    first = next(iter(_named(ranking, scene)), None)
    if first is None and ranking.verdict.says == "outside":
        return f"Look outside: {_outside(ranking)}"
    if first is None or not first.findings:
        return "Nothing stands out in the numbers yet: look at what users see first."
    what = _measure(scene, first.findings[0])
    change = next((one for one in scene.tables.changes if ranking.changes and one.key == ranking.changes[0].name), None)
    then = f", then at what {change.summary} changed" if change is not None else ""
    return f"Look at {what} of {first.name}{then}."


def _outside(ranking: Ranking) -> str:
    said = ranking.verdict.sentence.removeprefix("No change is guilty. ")
    return said[:1].lower() + said[1:]


def _is_news(one: Statement, state: State) -> bool:
    known = state.suspects.get((one.kind, one.name))
    if known is None:
        return True
    if known.by != MACHINE or known.verdict in (one.verdict, "guilty"):
        return False
    if sum(by == MACHINE for _, _, by, _ in known.story) >= weights().say.often:
        return False
    return one.verdict == "cleared" or one.kind == "change" or one.score >= weights().say.returns


def _named(ranking: Ranking, scene: Scene) -> list[Suspect]:
    """The first service, and others that stand close behind it."""
    explained = {one.subject for one in ranking.cleared if one.kind == "service"}
    outside = ranking.verdict.says == "outside"
    loud = [
        one
        for one in ranking.services
        if one.score >= scene.weights.say.service
        and one.name not in explained
        and any(_speaks(finding, outside) for finding in one.findings)
    ]
    limit = scene.weights.verdict.second * loud[0].score if loud else 0.0
    return [one for one in loud[: 1 + scene.weights.say.beside] if one is loud[0] or one.score > limit]


def _speaks(finding: Finding, outside: bool) -> bool:
    """Whether a finding may name its service. What is only used more says nothing when the cause comes from outside."""
    return not outside or finding.lens not in ("resources", "slowness")


def _raised(one: Suspect, scene: Scene) -> Statement:
    told: dict[str, Finding] = {}
    for finding in one.findings:
        told.setdefault(finding.lens, finding)
    best = list(told.values())[:2]
    reason = " ".join(_sentence(finding.sentence, scene) for finding in best)
    columns = dict.fromkeys(column for finding in best for column in finding.source[:2])
    return Statement("suspect", "service", one.name, reason, tuple(columns)[:SHOWN], one.score)


def _change(ranking: Ranking, scene: Scene, service: str) -> Statement | None:
    """The change of the first suspect that may have done it. Whether it did is for people to decide."""
    best = ranking.changes[0] if ranking.changes else None
    known = {one.key: one for one in scene.tables.changes}
    if best is None or not service or best.name not in known:
        return None
    change, guilty = known[best.name], scene.weights.changes.guilty
    if (change.service != service and best.score < guilty) or best.score < scene.weights.say.change * guilty:
        return None
    against = next((one for one in ranking.services if one.name == service), None)
    shown = next((f for f in against.findings if f.source), None) if against else None
    before = duration(scene.tables.alert - change.at)
    since = ""
    if shown is not None and math.isfinite(shown.onset) and shown.onset >= change.at:
        since = f", and {_measure(scene, shown)} of {service} went wrong after it"
    standing = " The numbers support it as the cause." if best.score >= guilty else ""
    reason = f"{change.summary} was shipped {before} before the alert{since}.{standing}"
    columns = tuple(shown.source[:1]) if shown is not None else ()
    return Statement("suspect", "change", change.summary, reason, columns, best.score)


def _cleared(one: Cleared, ranking: Ranking, scene: Scene, raised: set[str]) -> Statement | None:
    if one.because:
        shown = next((f for f in ranking.findings if f.service == one.subject and f.because == one.because), None)
        columns = list(shown.source[:1]) if shown is not None else []
        against = next((other for other in ranking.services if other.name == one.because), None)
        columns += [column for f in (against.findings[:1] if against else ()) for column in f.source[:1]]
        return Statement("cleared", "service", one.subject, _sentence(one.sentence, scene), tuple(columns))
    shown_by = _shown_by(one.subject, scene)
    if len(shown_by) < scene.weights.say.numbers:
        return None  # too little is known to say that all is well
    unusual = [column for column in shown_by if _is_unusual(scene, column)]
    if unusual:
        return _explained(one.subject, unusual, scene, raised)
    series = scene.tables.series
    told = [
        f"{plain_name(series[column].indicator, series[column].measure.name)} {_level(scene, column)}"
        for column in shown_by[:SHOWN]
    ]
    looked = sum(1 for one_series in series if one_series.service == one.subject)
    reason = f"Nothing at {one.subject} left its usual band: {looked} numbers looked at, among them {listed(told)}."
    return Statement(
        "cleared", "service", one.subject, reason, tuple(series[column].column for column in shown_by[:SHOWN])
    )


def _amount(value: float, unit: str) -> str:
    return "hardly any" if unit == "cores" and value < IDLE else amount(value, unit)


def _is_unusual(scene: Scene, column: int) -> bool:
    """Whether people would not believe that a number is as usual, though it strayed as far before: twice as bad, and by enough to matter."""
    measure = scene.tables.series[column].measure
    level, usual = float(scene.contrast.level[column]), float(scene.contrast.usual[column])
    worse = usual - level if measure.worse == "down" else level - usual
    return measure.side in ("inside", "outside") and worse >= max(
        (scene.weights.say.worse - 1) * abs(usual), 2 * measure.least
    )


def _explained(service: str, unusual: list[int], scene: Scene, raised: set[str]) -> Statement | None:
    """A service that is unusual only in its latency, and whose suspected callee accounts for it."""
    series, contrast = scene.tables.series, scene.contrast
    if any(series[column].measure.name != "latency" for column in unusual):
        return None
    mine = unusual[0]
    extra = float(contrast.level[mine] - contrast.usual[mine])
    for theirs, other in enumerate(series):
        below = float(contrast.level[theirs] - contrast.usual[theirs])
        called = other.service in raised and other.service in scene.callees.get(service, ())
        if called and other.measure.name == "latency" and below >= (1 - scene.weights.clear.own_share) * extra:
            moved = from_to(float(contrast.usual[mine]), float(contrast.level[mine]), "seconds")
            reason = (
                f"Requests to {service}: {series[mine].indicator} {moved}. Slow only because {other.service} is slow."
            )
            return Statement("cleared", "service", service, reason, (series[mine].column, other.column))
    return None


_TELLING = ("memory", "latency", "errors", "fullness", "queue or pool", "traffic", "CPU")


def _level(scene: Scene, column: int) -> str:
    unit = scene.tables.series[column].measure.unit
    level, usual = (_amount(float(kind[column]), unit) for kind in (scene.contrast.level, scene.contrast.usual))
    return f"{level} (as usual)" if level == usual else f"{level} (usually {usual})"


def _shown_by(service: str, scene: Scene) -> list[int]:
    """The numbers of a service by which people see that it is well: one of each kind first, the one that went furthest."""
    contrast = scene.contrast
    mine = [
        column
        for column, series in enumerate(scene.tables.series)
        if series.service == service
        and series.measure.name in _TELLING
        and contrast.seen_before[column] >= scene.weights.say.samples
        and contrast.seen_during[column] >= 1
        and math.isfinite(float(contrast.level[column]))
        and np.ptp(scene.tables.values[np.isfinite(scene.tables.values[:, column]), column]) > 0
    ]
    mine.sort(key=lambda column: -float(contrast.far[column]))
    first = {scene.tables.series[column].measure.name: column for column in reversed(mine)}
    kinds = [first[name] for name in _TELLING if name in first]
    return [*kinds, *(column for column in mine if column not in kinds)]


def _sentence(text: str, scene: Scene) -> str:
    """A finding's sentence with the plain names of the numbers."""
    for series in scene.tables.series:
        name = f"{series.indicator} of {series.service}"
        if name in text:
            text = text.replace(name, f"{plain_name(series.indicator, series.measure.name)} of {series.service}")
    return text[:1].upper() + text[1:]


def _measure(scene: Scene, finding: Finding) -> str:
    known = {series.column: series for series in scene.tables.series}
    series = known.get(finding.source[0]) if finding.source else None
    if series is None:
        return "the numbers"
    return f"the {plain_name(series.indicator, series.measure.name)}"


def plain_name(indicator: str, measure: str) -> str:
    """What people call a number: `memory`, `open files`, `average time`."""
    if measure == "traffic":
        return "traffic"
    if measure == "memory":
        return "virtual memory" if "virtual" in indicator else "memory"
    if "fds" in indicator:
        return "open files"
    return "CPU" if measure == "CPU" else indicator.rstrip(",").replace("_", " ")


def _why(one: Cleared) -> str:
    return one.sentence.partition(": ")[2] or one.sentence


def _before_alert(tables: Tables, key: str) -> bool:
    return any(change.key == key and change.at <= tables.alert for change in tables.changes)


def _summary(tables: Tables, key: str) -> str:
    return next((change.summary for change in tables.changes if change.key == key), key)
