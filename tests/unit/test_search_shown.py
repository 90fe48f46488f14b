"""What a person typed, and how what was found is shown: marked, cut to the stretch that holds most, with the other words. No database."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from unrepeat.support.search_shown import ROOM, by_meaning, by_words
from unrepeat.support.search_terms import Term, terms
from unrepeat.support.search_text import stems


def said(pieces) -> str:
    return "".join(text for text, _ in pieces)


def marks(pieces) -> list[str]:
    return [text for text, hit in pieces if hit]


def asked(*words: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Each was asked and found in the same words."""
    return [(tuple(stems(word)), tuple(stems(word))) for word in words]


def test_terms_are_what_a_person_means():
    assert terms('memory "session service" -nginx high-memory') == [
        Term(("memory",)),
        Term(("session", "service")),
        Term(("nginx",), absent=True),
        Term(("high", "memory")),
    ]
    assert terms("-only -absent") == []


def test_the_stretch_holds_most_of_what_was_asked():
    body = f"The disk again. {'Nothing new here. ' * 30}The disk was full and the queue stood still. {'More. ' * 99}"
    shown = by_meaning("disk queue", "Disk", body, asked("disk", "queue"))
    assert marks(shown.excerpt) == ["disk", "queue"]
    assert said(shown.excerpt).startswith("… The disk was full") and said(shown.excerpt).endswith("\u00a0…")
    assert marks(shown.title) == ["Disk"]


def test_words_stand_on_one_line():
    shown = by_words("Leak", "first line\nthe   leak\n\nand its end", terms("leak"))
    assert said(shown.excerpt) == "first line the leak and its end"


def test_other_words_than_asked_are_told_in_the_words_of_both():
    why = [(("enospc",), ("disk", "full")), (("queue",), ("queue",))]
    shown = by_meaning("ENOSPC on the queue", "Queue dead", "Its disk looked full.", why)
    assert shown.other_words == () and marks(shown.title) == ["Queue"]
    shown = by_meaning("ENOSPC on the queue", "Queue dead", "A full disk: the disk was full.", why)
    assert shown.other_words == (("ENOSPC", "disk was full"),)
    assert "disk was full" in marks(shown.excerpt)


@given(
    st.text(max_size=900), st.lists(st.sampled_from(["leak", "a b", "disk", "é", "漢"]), max_size=3), st.integers(0, 30)
)
def test_whatever_the_text_an_excerpt_is_a_part_of_it_and_not_long(text, wanted, at):
    body = f"{text[:at]} {' leak disk '.join([*wanted, text])}"
    whole = " ".join(body.split())
    for shown in (by_words("t", body, terms("leak disk")), by_meaning("leak", "t", body, asked("leak", "disk"))):
        part = said(shown.excerpt).removeprefix("… ").removesuffix("\u00a0…")
        assert part in whole and len(part) <= ROOM
        assert all(mark.strip() for mark in marks(shown.excerpt))


def test_a_long_text_full_of_the_word_is_shown_at_once():
    body = "leak " * 20_000
    began = time.process_time()
    by_words("Leak", body, terms("leak"))
    assert time.process_time() - began < 1
