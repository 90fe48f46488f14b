"""What a change does and whether it can touch the symptom: its diff read beside the words of the errors."""

from __future__ import annotations

import math

from unrepeat.investigation.lenses._diffs import Reading, is_inert, read_diff, words_of
from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Change
from unrepeat.investigation.lenses._words import listed

TITLE = "What the diff does"
_BAD = ("ERROR", "FATAL", "CRITICAL", "PANIC", "WARN", "WARNING")


def look(scene: Scene) -> list[Finding]:
    """One finding a change before the alert whose diff is known: against it for what it does, for it where it does nothing that could hurt."""
    early = [change for change in scene.tables.changes if change.at <= scene.tables.alert]
    changes = [change for change in early if change.diff or is_inert(change.files)]
    if not changes:
        return []
    said = _said(scene)
    heard = words_of(said)
    texts = {change.key: _text(change) for change in changes}
    spoken = [text.lower() for text in texts.values()]
    found = []
    for change in changes:
        reading = read_diff(change.diff, change.files)
        if reading.weight > scene.weights.diffs.idle:
            shared = _shared(scene, change, words_of(texts[change.key]) & heard, spoken)
            found.append(_finding(scene, change, reading, _traced(change, said), shared))
        else:
            found.append(_finding(scene, change, reading, [], {}))
    return found


def _said(scene: Scene) -> str:
    """What the errors of the harm say, each once, and the names of the indicators that moved."""
    start = scene.tables.times[scene.contrast.before][-1] if scene.contrast.before.any() else scene.tables.alert
    lines = {
        f"{line.text} {line.details}"
        for line in scene.tables.log_lines
        if line.at >= start and line.severity.upper() in _BAD
    }
    moved = [
        series.indicator
        for column, series in enumerate(scene.tables.series)
        if scene.contrast.far[column] >= scene.weights.score.worth_saying
    ]
    return " ".join([*sorted(lines), *moved])


def _text(change: Change) -> str:
    return " ".join((change.summary, " ".join(change.files), change.diff))


def _traced(change: Change, said: str) -> list[str]:
    """Files of a change that the errors name."""
    names = {name.rpartition("/")[2] for name in change.files}
    return sorted(name for name in names if name and name in said)


def _shared(scene: Scene, change: Change, common: frozenset[str], spoken: list[str]) -> dict[str, float]:
    """Words that a change has in common with the errors, with how telling they are: found in all changes, a word tells nothing."""
    own = words_of(" ".join((change.service, *scene.known)))
    most = math.log(1 + len(spoken))
    telling = {
        word: math.log((1 + len(spoken)) / (1 + sum(word in text for text in spoken))) / most for word in common - own
    }
    return dict(sorted(telling.items(), key=lambda item: (-item[1], item[0])))


def _finding(scene: Scene, change: Change, reading: Reading, traced: list[str], shared: dict[str, float]) -> Finding:
    tuning = scene.weights.diffs
    touch = 1.0 if traced else min(1.0, sum(shared.values()) / tuning.words)
    if traced:
        link = f" The errors name {listed(traced)}."
    elif shared and touch > tuning.untouched:
        link = f" It shares the words {listed(list(shared)[:3])} with the errors."
    else:
        link = " Nothing in it meets the errors." if reading.weight > tuning.idle else ""
    return Finding(
        lens="diffs",
        kind="change",
        subject=change.key,
        service=change.service,
        score=tuning.most * reading.weight * (tuning.untouched + (1 - tuning.untouched) * touch),
        sentence=f"“{change.summary or change.key[:8]}” {reading.why}.{link}",
        source=tuple(change.files),
    )
