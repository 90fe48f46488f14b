"""Does the retrieval hold on questions it was not tuned on: knobs chosen on other questions, and half of the aliases taken away."""

from __future__ import annotations

import hashlib
import random
import statistics
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unrepeat.support.search_rank import Knobs

FOLDS = 5
HALVES = 3
MARK = "setting: "
CERTAINTY = "setting: certainty: "


def settings() -> Iterator[tuple[str, Knobs]]:
    """The shipped knobs, and each alone turned down and up."""
    from unrepeat.support.search_rank import KNOBS

    yield "shipped", KNOBS
    choices: dict[str, tuple[Any, ...]] = {
        "alias": (0.5, 0.6, 0.85),
        "pair": (0.0, 0.2, 0.6),
        "again": (0.0, 0.4),
        "often": (0.8, 1.8),
        "length": (0.5, 0.9),
    }
    for name, values in choices.items():
        for value in values:
            yield f"{name}={value:g}", replace(KNOBS, **{name: value})
    for views in ((0.0, 0.0, 0.0, 1.0), (0.5, 1.0, 0.5, 1.0), (0.2, 0.5, 0.5, 1.0), (0.2, 1.0, 1.0, 1.0)):
        yield f"views={views}", replace(KNOBS, views=views)


def certainties() -> Iterator[tuple[str, Knobs]]:
    """The shipped knobs of certainty, and others near them."""
    from unrepeat.support.search_rank import CERTAIN

    yield "shipped", CERTAIN
    for cause, pair, alias, often in product((0.5, 0.75, 1.0), (0.6, 1.0), (0.7, 1.0), (1.2, 2.0, 3.0)):
        knobs = replace(CERTAIN, views=(0.0, 0.0, cause, 1.0), pair=pair, alias=alias, often=often)
        yield f"cause={cause:g} pair={pair:g} alias={alias:g} often={often:g}", knobs


@contextmanager
def certain_by(knobs: Knobs) -> Iterator[None]:
    """Certainty is scored by these knobs meanwhile."""
    from unrepeat.support import search_related

    room: Any = search_related
    whole, room.CERTAIN = room.CERTAIN, knobs
    try:
        yield
    finally:
        room.CERTAIN = whole


@contextmanager
def half_of_the_aliases() -> Iterator[Iterator[str]]:
    """Each time round the aliases are another random half of their sets; afterwards they are whole again."""
    from unrepeat.support import search_aliases, search_related

    room: Any = search_related
    whole = room.aliases
    read = tomllib.loads(search_aliases.FILE.read_text(encoding="utf-8"))

    def halves() -> Iterator[str]:
        for at in range(HALVES):
            chance = random.Random(at)
            half: dict[str, Any] = {
                section: {name: said for name, said in sets.items() if chance.random() < 0.5}
                for section, sets in read.items()
            }
            few = search_aliases.Aliases(half["same"], half["kinds"])
            room.aliases = lambda _, few=few: few
            yield f"half of the aliases, {at + 1}"

    try:
        yield halves()
    finally:
        room.aliases = whole


def report(questions: Sequence[Mapping[str, Any]], places: Mapping[str, Sequence[int]]) -> None:
    """MRR where each fold of the questions is scored with the setting that was best on the other folds."""
    folds = _folds(questions)
    gains = {
        name: [1 / place if place else 0.0 for place in found]
        for name, found in places.items()
        if name.startswith(MARK) and not name.startswith(CERTAINTY)
    }
    held: list[float] = []
    for fold in range(FOLDS):
        best = max(gains, key=lambda name: sum(g for g, of in zip(gains[name], folds, strict=True) if of != fold))
        held += [gain for gain, of in zip(gains[best], folds, strict=True) if of == fold]
    print(f"MRR, {FOLDS}-fold, knobs chosen on the other folds: {statistics.fmean(held):.3f}")
    means = {name.removeprefix(MARK): statistics.fmean(values) for name, values in gains.items()}
    print(f"MRR over {len(means)} settings of the knobs: {min(means.values()):.3f} to {max(means.values()):.3f}")
    print(f"FIGURE retrieval_mrr_cross_validated={statistics.fmean(held):.3f} unit=ratio against=none")


def report_certainty(
    questions: Sequence[Mapping[str, Any]], sure: Mapping[str, tuple[list[bool], list[float], list[float]]]
) -> None:
    """Area where each fold is scored with the knobs of certainty that were best on the others. `sure`: whether the first hit was
    right, the certainty with the reports, and without them, by setting.
    """
    folds = _folds(questions)

    def area(name: str, among: set[int]) -> tuple[float, int]:
        right, there, gone = sure[name]
        one = [value for value, good, of in zip(there, right, folds, strict=True) if good and of in among]
        other = [value for value, of in zip(gone, folds, strict=True) if of in among]
        above = [(a > b) + 0.5 * (a == b) for a in one for b in other]
        return (statistics.fmean(above) if above else 0.0), len(above)

    held = []
    for fold in range(FOLDS):
        others = {name: area(name, set(range(FOLDS)) - {fold})[0] for name in sure}
        held.append(area(max(others, key=others.__getitem__), {fold}))
    areas = [area(name, set(range(FOLDS)))[0] for name in sure]
    crossed = sum(value * count for value, count in held) / max(1, sum(count for _, count in held))
    print(f"abstention area, {FOLDS}-fold, knobs chosen on the other folds: {crossed:.3f}")
    print(
        f"abstention area over {len(areas)} settings: {min(areas):.3f} to {max(areas):.3f}, mean {statistics.fmean(areas):.3f}"
    )
    print(f"FIGURE abstention_auc_cross_validated={crossed:.3f} unit=area against=none")


def _folds(questions: Sequence[Mapping[str, Any]]) -> list[int]:
    return [int(hashlib.sha256(question["qid"].encode()).hexdigest(), 16) % FOLDS for question in questions]
