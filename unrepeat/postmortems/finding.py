"""Finding published reports: by what they are about, best first, or by the exact words; with what was found marked, and why.

A search by meaning says so when nothing in the library is like it: no report has all that was asked, and the best one is not
sure enough (`SURE`). "In quotes", -without and beginnings of words are the exact search's business.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import QuerySet

from unrepeat.postmortems import store
from unrepeat.postmortems.models import Postmortem
from unrepeat.support.search_rank import SURE, Scored
from unrepeat.support.search_related import Answer
from unrepeat.support.search_shown import Shown, by_meaning, by_words
from unrepeat.support.search_terms import terms
from unrepeat.support.search_text import stems

MOST = 60  # reports that a search by meaning finds
MOST_EXACT = 500  # and one by exact words, the newest
NEAREST = 3  # reports that are shown when nothing is like it
FAINT = 0.1  # of certainty: a related report may be less like it than one that a search finds
TAIL = 0.4  # of the best one's score: less is not like it
_EXACT = re.compile(r"\"|(?<!\S)-\w")


@dataclass(frozen=True, slots=True)
class Found:
    """Report numbers in the order to show, best (or, exact, newest) first. `more`: there are others.

    `unlike`: nothing is like it, and `docs` are only the nearest. `sure`: how likely (0 to 1) the first is what was meant.
    """

    docs: list[int]
    more: bool = False
    unlike: bool = False
    sure: float = 0.0
    why: dict[int, Scored] = field(default_factory=dict)


def find(text: str, among: QuerySet[Postmortem] | None = None) -> Found:
    """The reports for what a person typed; only `among` those, when given."""
    if _EXACT.search(text):
        return _exact(text, among)
    answer = store.RELATED.find(text, MOST, only=None if among is None else store.numbers(among))
    asked = {(stem,) for stem in stems(text)}
    whole = [hit for hit in answer.hits if asked <= _covered(hit)]
    if whole or answer.sure >= SURE:
        least = TAIL * answer.hits[0].score
        like = [hit for hit in answer.hits if hit in whole or (answer.sure >= SURE and hit.score >= least)]
        return _found(like, answer.sure, more=len(answer.hits) == MOST)
    exact = _exact(text, among)
    if exact.docs or not answer.hits:
        return exact
    return _found(list(answer.hits[:NEAREST]), answer.sure, unlike=True)


def related(text: str, *, without: Collection[int] = (), limit: int = 4) -> list[Scored]:
    """Published reports about the same as a text, best first; none when even the best shares too little with it."""
    answer = store.RELATED.find(text, limit, without=without)
    if answer.sure < FAINT:
        return []
    return [hit for hit in answer.hits if hit.score >= TAIL * answer.hits[0].score]


def alike(text: str, limit: int = 4) -> Answer:
    """The published reports about the same as a text, and how sure the first is the right one."""
    return store.RELATED.find(text, limit)


def shown(text: str, found: Found, docs: Collection[int]) -> dict[int, Shown]:
    """How these reports are shown, by number."""
    told, typed = {}, terms(text)
    for doc, (title, body) in store.SEARCH.texts(docs).items():
        hit = found.why.get(doc)
        told[doc] = by_meaning(text, title, body, hit.why) if hit else by_words(title, body, typed)
    return told


def _exact(text: str, among: QuerySet[Postmortem] | None) -> Found:
    only = None if among is None else among.order_by().values("pk").query.sql_with_params()
    newest = store.SEARCH.newest(text, MOST_EXACT, only)
    return Found(newest.docs, newest.more)


def _found(hits: list[Scored], sure: float, *, more: bool = False, unlike: bool = False) -> Found:
    return Found([hit.doc for hit in hits], more, unlike, sure, {hit.doc: hit for hit in hits})


def _covered(hit: Scored) -> set[tuple[str, ...]]:
    """The words of the question that a report has, by themselves or as part of a phrase, in these or in other words."""
    return {(stem,) for asked, _ in hit.why for stem in asked}
