"""How well a document answers a question: words, other words for them, in three views. Pure; the database finds the candidates.

A question becomes ideas: each of its words, each phrase the aliases know, each two neighbouring words. An idea is worth what it is
rare (as in BM25); an alias is worth a little less than the word itself, and never rarer than it. A document is read in views: its
title, its summary, what it says of causes, and the whole. Each view gives its own BM25; a weighted sum fuses them.
"""

from __future__ import annotations

import math
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from unrepeat.support.search_aliases import Aliases, Phrase
from unrepeat.support.search_text import stems

VIEWS = ("title", "summary", "cause", "whole")
LONGEST_QUESTION = 60
"""Stems of a question that count; of a longer one, the first."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """What was tuned; `bench.retrieval` shows what each does."""

    views: tuple[float, float, float, float] = (0.2, 1.0, 0.5, 1.0)
    alias: float = 0.7
    """An alias's worth beside the word itself."""
    pair: float = 0.4
    """The worth of two neighbouring words that are neighbours in the document too."""
    again: float = 0.2
    """The worth of a second way of saying the same."""
    often: float = 1.2
    """BM25's k: how soon saying it again stops counting."""
    length: float = 0.75
    """BM25's b: how far a long view is held against a document."""


KNOBS = Knobs()


@dataclass(frozen=True, slots=True)
class Idea:
    """One thing that was asked, and the ways to say it, each with its worth (1: as asked)."""

    asked: Phrase
    forms: Mapping[Phrase, float]
    pair: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """An idea in this library: its forms with their rarity times their worth; `most`: the best that a document can get of it."""

    asked: Phrase
    forms: Mapping[Phrase, float]
    most: float
    pair: bool


@dataclass(frozen=True, slots=True)
class Scored:
    """A document's score, and what of the question was found in which words."""

    doc: int
    score: float
    why: tuple[tuple[Phrase, Phrase], ...] = ()


@dataclass(frozen=True, slots=True)
class Library:
    """What scoring needs to know of all documents: their number, and the mean length of each view in stems."""

    documents: int
    lengths: tuple[float, float, float, float] = field(default=(1.0, 1.0, 1.0, 1.0))


def ideas(text: str, aliases: Aliases, knobs: Knobs = KNOBS) -> list[Idea]:
    """What a text asks for."""
    asked = stems(text)[:LONGEST_QUESTION]
    forms: dict[Phrase, dict[Phrase, float]] = {}
    for word in asked:
        forms.setdefault((word,), {(word,): 1.0})
    for found in aliases.of(asked):
        phrase = tuple(asked[found.start : found.end])
        said = forms.setdefault(phrase, {phrase: 1.0})
        for other in found.others:
            said.setdefault(other, knobs.alias)
    pairs = {pair for pair in pairwise(asked) if pair[0] != pair[1]}
    return [
        *(Idea(phrase, said) for phrase, said in forms.items()),
        *(Idea(pair, {pair: knobs.pair}, pair=True) for pair in sorted(pairs)),
    ]


def weighed(asked: Iterable[Idea], counts: Mapping[Phrase, int], documents: int) -> list[Weighed]:
    """The ideas by their rarity: `counts` says how many documents have a form. What no document has, keeps its weight in `most`."""
    found = []
    for idea in asked:
        own = counts.get(idea.asked, 0)
        ceiling = rarity(own, documents) if own else math.inf
        worth = {
            form: weight * min(rarity(counts[form], documents), ceiling)
            for form, weight in idea.forms.items()
            if counts.get(form)
        }
        most = ceiling if own else max(worth.values(), default=0.0 if len(idea.asked) > 1 else rarity(0, documents))
        found.append(Weighed(idea.asked, worth, most, idea.pair))
    return found


def rarity(having: int, documents: int) -> float:
    """How much it says that a document has a word that so many have."""
    return math.log(1 + (documents - having + 0.5) / (having + 0.5))


@dataclass(frozen=True, slots=True)
class Counted:
    """How often what was asked stands in a document, by form and view, and how long the views are in stems."""

    times: Mapping[Phrase, Sequence[int]]
    lengths: Sequence[int]


class Counter:
    """Counts the forms of one question in documents, once for all that is scored by them."""

    def __init__(self, asked: Iterable[Weighed]) -> None:
        ways: dict[Phrase, bool] = {}  # whether it is enough to know that it stands there
        for idea in asked:
            for form in idea.forms:
                ways[form] = ways.get(form, True) and idea.pair
        self._words = [form for form in ways if len(form) == 1]
        self._phrases = [(form, f" {' '.join(form)} ", pair) for form, pair in ways.items() if len(form) > 1]

    def count(self, views: Sequence[str], bag: Mapping[str, int]) -> Counted:
        """In a document, by its views, each a line of stems (in the order of `VIEWS`), and their bag (`read_bag`)."""
        times: dict[Phrase, Sequence[int]] = {form: _unpacked(bag[form[0]]) for form in self._words if form[0] in bag}
        lines = [f" {view} " for view in views]
        for form, said, pair in self._phrases:
            if form[0] in bag and form[1] in bag and said in lines[-1]:
                times[form] = _ONCE if pair else [line.count(said) for line in lines]
        return Counted(times, _unpacked(bag[_LENGTHS]))


_ONCE = (0, 0, 0, 1)


class Scorer:
    """Scores documents for one question."""

    def __init__(self, asked: Sequence[Weighed], library: Library, knobs: Knobs = KNOBS) -> None:
        self._library, self._knobs = library, knobs
        self._views = [(view, weight) for view, weight in enumerate(knobs.views) if weight]
        self._asked = asked
        self._of: dict[Phrase, list[tuple[int, float]]] = {}
        for at, idea in enumerate(asked):
            for form, worth in idea.forms.items():
                self._of.setdefault(form, []).append((at, worth))

    def score(self, page: Counted) -> float:
        """The score of a document."""
        knobs = self._knobs
        damp = [
            knobs.often * (1 - knobs.length + knobs.length * length / mean)
            for length, mean in zip(page.lengths, self._library.lengths, strict=True)
        ]
        total = 0.0
        for at, found in self._found(page).items():
            total += found[0][0] if self._asked[at].pair else self._gained(found, page.times, damp)
        return total

    def why(self, page: Counted) -> tuple[tuple[Phrase, Phrase], ...]:
        """What of the question stands in a document, and in which words; what says most comes first."""
        said = {at: max(found) for at, found in self._found(page).items() if not self._asked[at].pair}
        ordered = sorted(said.items(), key=lambda reason: (-reason[1][0], reason[0]))
        return tuple((self._asked[at].asked, form) for at, (_, form) in ordered)

    def _found(self, page: Counted) -> dict[int, list[tuple[float, Phrase]]]:
        """The forms of each idea that the document has, and what they are worth."""
        found: dict[int, list[tuple[float, Phrase]]] = {}
        for form in page.times:
            for at, worth in self._of.get(form, ()):
                found.setdefault(at, []).append((worth, form))
        return found

    def _gained(
        self, found: Sequence[tuple[float, Phrase]], times: Mapping[Phrase, Sequence[int]], damp: Sequence[float]
    ) -> float:
        """An idea's part of the score: in each view its best form, and a little of the others."""
        often, again = self._knobs.often, self._knobs.again
        total = 0.0
        for view, weight in self._views:
            best = others = 0.0
            for worth, form in found:
                if n := times[form][view]:
                    value = worth * n * (often + 1) / (n + damp[view])
                    if value > best:
                        best, others = value, others + best
                    else:
                        others += value
            total += weight * (best + again * others)
        return total


_MOST = 65_535  # times that a stem is counted in a view
_LENGTHS = " "  # no stem


def bag_of(views: Sequence[str]) -> str:
    """How often each stem stands in each view, and the views' lengths, packed: scoring need not read the lines word by word."""
    counts = [Tally(view.split()) for view in views]
    packed = {word: _packed([one[word] for one in counts]) for word in set().union(*counts)}
    return msgspec.json.encode({**packed, _LENGTHS: _packed([one.total() for one in counts])}).decode()


def read_bag(bag: str) -> dict[str, int]:
    """The bag, to score with."""
    return msgspec.json.decode(bag, type=dict[str, int])


def _packed(numbers: Sequence[int]) -> int:
    """Four small numbers in one; 15 bits the last, so that it fits 63 bits."""
    return sum(min(_MOST if at < 3 else _MOST >> 1, number) << 16 * at for at, number in enumerate(numbers))


def _unpacked(packed: int) -> tuple[int, int, int, int]:
    return packed & _MOST, packed >> 16 & _MOST, packed >> 32 & _MOST, packed >> 48


def confidence(best: Sequence[float], asked: Sequence[Weighed]) -> float:
    """How likely (0 to 1) it is that the best hit is the right one, from the scores by `CERTAIN`, the best hit's first.

    The sign is how much of what was asked the best hit holds, less half of what the others hold of it: a question of common
    words finds many documents that are as good.
    """
    mass = sum(idea.most for idea in asked if not idea.pair)
    if not best or best[0] <= 0 or not mass:
        return 0.0
    others = best[1:]
    stands_out = (best[0] - 0.5 * sum(others) / max(1, len(others))) / mass
    return 1 / (1 + math.exp(-(CONFIDENCE[0] + CONFIDENCE[1] * stands_out)))


CERTAIN = Knobs(views=(0.0, 0.0, 0.5, 1.0), alias=1.0, pair=1.0, often=2.0)
"""By what certainty is scored. Title and summary are parts of the whole, and would count its words again; another word for the same
thing, neighbours that stay neighbours, and words that come up again and again are good signs of the same failure."""
BESIDE = 20  # hits that are scored so: the best, and those beside it
SURE = 0.5
"""From here on a first hit is taken to be like what was asked; below it may be chance."""
CONFIDENCE = (-6.9, 7.4)
"""Fitted on questions with and without their reports, both weighing alike: constant, weight of the sign."""
