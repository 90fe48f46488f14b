"""Showing what was found: the words marked, the stretch of text that holds most of them, and why, in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice, takewhile

from unrepeat.support.search_aliases import Phrase
from unrepeat.support.search_terms import WORD, Term, plain
from unrepeat.support.search_text import COMMON, stem, words

READ = 2_500  # characters of a body in which what was found by meaning is looked for
ROOM = 200  # characters of a stretch
_LEAD = 40  # of them before the first word that was found; up to twice that, when its sentence begins there
_MOST = 200  # words at which a stretch is tried
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "es", "s", "ly", "e")
_FEWEST = 3  # letters that stay when an ending goes

Why = Sequence[tuple[Phrase, Phrase]]
"""What was asked, and the words in which it was found."""
Piece = tuple[str, bool]
"""Some text, and whether it is what was searched for."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where something that was asked stands in a text, from `start` to before `stop`, and in which form."""

    start: int
    stop: int
    form: Phrase


@dataclass(frozen=True, slots=True)
class Shown:
    """A found document: title and excerpt in pieces, marked; what was found in other words than asked (asked, found)."""

    title: tuple[Piece, ...]
    excerpt: tuple[Piece, ...]
    other_words: tuple[tuple[str, str], ...] = ()


def by_meaning(question: str, title: str, body: str, why: Why) -> Shown:
    """A document that was found by what it is about."""
    beginning = _one_line(body[:READ])
    in_title, in_body = spots(title, why), spots(beginning, why)
    said: dict[Phrase, str] = {}
    for text, found in ((title, in_title), (beginning, in_body)):
        for spot in found:
            said.setdefault(spot.form, text[spot.start : spot.stop])
    return Shown(marked(title, in_title), stretch(beginning, in_body), tuple(_other_words(question, said, why)[:3]))


def by_words(title: str, body: str, wanted: Sequence[Term]) -> Shown:
    """A document that was found by exact words."""
    body = _one_line(body)
    return Shown(marked(title, beginnings(title, wanted)), stretch(body, beginnings(body, wanted)))


def spots(text: str, why: Why) -> list[Spot]:
    """Where the forms stand, in order; a longer phrase comes before the words in it."""
    wanted = {form for _, form in why}
    sizes: dict[str, set[int]] = {}
    for form in wanted:
        sizes.setdefault(form[0], set()).add(len(form))
    known = [(found, one) for found in WORD.finditer(text) for one in _stems_of(found.group())]
    marks: list[Spot] = []
    for at, (found, one) in enumerate(known):
        if one not in sizes or (marks and found.start() < marks[-1].stop):
            continue
        for size in sorted(sizes[one], reverse=True):
            form = tuple(one for _, one in known[at : at + size])
            if form in wanted:
                marks.append(Spot(found.start(), known[at + size - 1][0].end(), form))
                break
    return marks


def beginnings(text: str, wanted: Iterable[Term]) -> list[Spot]:
    """Where the words stand that begin with the stem of a wanted one, in order."""
    stems = {_without_ending(word) for term in wanted if not term.absent for word in term.words}
    pattern = rf"(?<![^\W_])(?:{'|'.join(sorted(map(re.escape, stems)))})[^\W_]*"
    folded = text.lower() if text.isascii() else "".join(map(_letter, text))
    return [Spot(found.start(), found.end(), (found.group(),)) for found in re.finditer(pattern, folded)]


def marked(text: str, marks: Iterable[Spot]) -> tuple[Piece, ...]:
    """The text in pieces, with these spots marked."""
    pieces: list[Piece] = []
    end = 0
    for spot in marks:
        pieces += [(text[end : spot.start], False), (text[spot.start : spot.stop], True)]
        end = spot.stop
    return tuple(piece for piece in [*pieces, (text[end:], False)] if piece[0])


def stretch(text: str, marks: Sequence[Spot]) -> tuple[Piece, ...]:
    """The stretch of a text of one line, of about `ROOM` characters, that holds most of what was found, marked."""
    best = max(range(len(marks[:_MOST])), key=lambda at: (_held(marks, at), -at), default=None)
    start = 0 if best is None else _beginning(text, marks[best].start)
    shown = text[start : start + ROOM]
    if start + ROOM < len(text):
        shown = (shown.rsplit(None, 1) or [""])[0]
    end = start + len(shown)
    inside = [
        Spot(mark.start - start, min(mark.stop, end) - start, mark.form) for mark in marks if start <= mark.start < end
    ]
    before, after = [("… ", False)] if start else [], [("\u00a0…", False)] if end < len(text) else []
    return (*before, *marked(shown, inside), *after)


def _beginning(text: str, found: int) -> int:
    """Where a stretch begins that shows what was found: with its sentence, if that began a little before, else with a word."""
    if found <= 2 * _LEAD:
        return 0
    stops = [text.rfind(stop, found - 2 * _LEAD, found) for stop in (". ", "! ", "? ")]
    if max(stops) >= 0:
        return max(stops) + 2
    return max(found - 2 * _LEAD, text.rfind(" ", 0, found - _LEAD) + 1)


def _held(marks: Sequence[Spot], at: int) -> int:
    """How many different things stand in the stretch that begins with this spot."""
    end = marks[at].start + ROOM - 2 * _LEAD
    return len({mark.form for mark in takewhile(lambda mark: mark.start < end, islice(marks, at, None))})


def _other_words(question: str, said: dict[Phrase, str], why: Why) -> list[tuple[str, str]]:
    """For what was found in other words than it was asked: the words of the question, and those of the text."""
    why = [(asked, form) for asked, form in why if asked != form and form in said]
    asked = {
        spot.form: question[spot.start : spot.stop] for spot in reversed(spots(question, [(a, a) for a, _ in why]))
    }
    return [(asked[a], said[form]) for a, form in why if a in asked]


def _one_line(text: str) -> str:
    return " ".join(text.split())


@lru_cache(maxsize=50_000)
def _stems_of(word: str) -> tuple[str, ...]:
    """The stems of one word as it stands in a text; none of a common one."""
    return tuple(stem(part) for part in words(word) if part not in COMMON)


@cache
def _letter(char: str) -> str:
    """A character without case and accent, still one character."""
    folded = plain(char)
    return folded if len(folded) == 1 else char


def _without_ending(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _FEWEST:
            return word.removesuffix(ending)
    return word
