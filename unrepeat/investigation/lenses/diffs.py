"""What a change does and whether it can touch the symptom: its diff read beside the words of the errors."""

from __future__ import annotations

import math
from collections import Counter

from unrepeat.investigation.lenses._diffs import is_inert, read_diff, words_of
from unrepeat.investigation.lenses._findings import Finding
from unrepeat.investigation.lenses._scene import Scene
from unrepeat.investigation.lenses._tables import Change
from unrepeat.investigation.lenses._words import listed

TITLE = "What the diff does"
_BAD = ("ERROR", "FATAL", "CRITICAL", "PANIC", "WARN", "WARNING")


def look(scene: Scene) -> list[Finding]:
    """One finding a change whose diff is known: against it for what it does, for it where it does nothing that could hurt."""
    changes = [change for change in scene.tables.changes if change.diff or is_inert(change.files)]
    if not changes:
        return []
    said = _said(scene)
    heard = words_of(said)
    words = {change.key: _words(change) for change in changes}
    rare = _rarity(words)
    return [_finding(scene, change, said, words[change.key] & heard, rare) for change in changes]


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


def _rarity(words: dict[str, frozenset[str]]) -> dict[str, float]:
    """How telling a word is: found in one change it tells much, found in all of them nothing."""
    seen: Counter[str] = Counter()
    for mine in words.values():
        seen.update(mine)
    most = math.log(1 + len(words))
    return {word: math.log((1 + len(words)) / (1 + count)) / most for word, count in seen.items()}


def _words(change: Change) -> frozenset[str]:
    return words_of(" ".join((change.summary, " ".join(change.files), change.diff)))


def _finding(scene: Scene, change: Change, said: str, common: frozenset[str], rare: dict[str, float]) -> Finding:
    reading = read_diff(change.diff, change.files)
    names = {name.rpartition("/")[2] for name in change.files}
    traced = sorted(name for name in names if name and name in said)
    own = words_of(change.service) | words_of(" ".join(service for service in scene.slow))
    shared = sorted(common - own, key=lambda word: (-rare.get(word, 0.0), word))
    touch = min(1.0, sum(rare.get(word, 0.0) for word in shared) / scene.weights.diffs.words)
    if traced:
        touch = 1.0
    score = (
        scene.weights.diffs.most
        * reading.weight
        * (scene.weights.diffs.untouched + (1 - scene.weights.diffs.untouched) * touch)
    )
    if traced:
        link = f" The errors name {listed(traced)}."
    elif shared and touch > scene.weights.diffs.untouched:
        link = f" It shares the words {listed(shared[:3])} with the errors."
    else:
        link = " Nothing in it meets the errors."
    what = change.summary or change.key[:8]
    return Finding(
        lens="diffs",
        kind="change",
        subject=change.key,
        service=change.service,
        score=score,
        sentence=f"“{what}” {reading.why}.{link}",
        source=tuple(change.files),
    )
