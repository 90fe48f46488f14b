"""Showing what was found by meaning: the words marked, the stretch of text that holds most of them, and why, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from unrepeat.support.search_aliases import Phrase
from unrepeat.support.search_text import COMMON, stem, words

READ = 2_500  # characters of a body in which the best stretch is looked for
_WORD = re.compile(r"[^\W_]+")

Why = Iterable[tuple[Phrase, Phrase]]
Piece = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something that was asked stands in a text, from `start` to before `stop`, and in which form."""

    start: int
    stop: int
    form: Phrase


def spots(text: str, why: Why) -> list[Spot]:
    """Where the forms stand, in order; a longer phrase comes before the words in it."""
    wanted = {form for _, form in why}
    longest = max(map(len, wanted), default=0)
    known = [(found.start(), found.end(), one) for found in _WORD.finditer(text) for one in _stems_of(found.group())]
    marks: list[Spot] = []
    for at, (start, _, _) in enumerate(known):
        if marks and start < marks[-1].stop:
            continue
        for size in range(min(longest, len(known) - at), 0, -1):
            form = tuple(one for _, _, one in known[at : at + size])
            if form in wanted:
                marks.append(Spot(start, known[at + size - 1][1], form))
                break
    return marks


@lru_cache(maxsize=50_000)
def _stems_of(word: str) -> tuple[str, ...]:
    """The stems of one word as it stands in a text; none of a common one."""
    return tuple(stem(part) for part in words(word) if part not in COMMON)


def marked(text: str, why: Why) -> tuple[Piece, ...]:
    """The text in pieces, with the words marked in which the question was found."""
    return _pieces(text, spots(text, why))


def stretch(text: str, why: Why, room: int = 200) -> tuple[Piece, ...]:
    """The stretch of about `room` characters near the beginning of a text that holds most of what was asked, marked."""
    why = tuple(why)
    text = " ".join(text[:READ].split())
    found = spots(text, why)

    def holds(one: Spot) -> tuple[int, int]:
        return len({other.form for other in found if one.start <= other.start < one.start + room - 40}), -one.start

    best = max(found[:200], key=holds, default=None)
    start = max(0, best.start - 40) if best else 0
    while 0 < start < len(text) and not text[start - 1].isspace():
        start -= 1
    shown = text[start : start + room]
    if start + room < len(text):
        shown = shown.rsplit(None, 1)[0]
    before, after = "… " if start else "", " …" if start + len(shown) < len(text.rstrip()) else ""
    return marked(f"{before}{shown}{after}", why)


def in_words(question: str, text: str, why: Why) -> list[tuple[str, str]]:
    """For what was found in other words than it was asked: the words of the question, and those of the text."""
    why = tuple((a, form) for a, form in why if a != form)
    if not why:
        return []
    said = {spot.form: text[spot.start : spot.stop] for spot in reversed(spots(text[:READ], why))}
    asked = {
        spot.form: question[spot.start : spot.stop] for spot in reversed(spots(question, ((a, a) for a, _ in why)))
    }
    return [(asked[a], said[form]) for a, form in why if a in asked and form in said]


def _pieces(text: str, marks: Iterable[Spot]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    end = 0
    for spot in marks:
        pieces += [(text[end : spot.start], False), (text[spot.start : spot.stop], True)]
        end = spot.stop
    return tuple(piece for piece in [*pieces, (text[end:], False)] if piece[0])
