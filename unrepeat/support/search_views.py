"""The views of a report that is one text: what it is about, and what it says of causes, by its sentences. Pure.

Reports written here have both as sections of their own (`postmortems`); this is for text that comes from elsewhere.
"""

from __future__ import annotations

import re

_SENTENCES = re.compile(r"(?<=[.!?])\s+(?=[A-Z*`\"'(\[])|\n\s*\n|\n(?=\s*[-*#|•])")
_CAUSES = re.compile(
    r"\b(?:caus(?:e|ed|es|ing)|because|due to|led to|lead to|leading to|result(?:ed|ing|s)? (?:in|from)|trigger(?:ed|s|ing)?"
    r"|as a result|the (?:problem|issue|bug) (?:was|is)|which meant|bug|unable to|turned out|fail(?:ed|ure|s|ing)? (?:to|of|over)"
    r"|introduced|contributed)\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\b\d{1,2}[:h]\d\d\b")
_SHORTEST = 30  # characters; less is a heading
SUMMARY_WORDS, SUMMARY_CHARACTERS, CAUSE_CHARACTERS = 90, 1500, 3000


def sentences(text: str) -> list[str]:
    """Sentences, list items and headings, one by one."""
    return [piece.strip() for piece in _SENTENCES.split(text) if piece.strip()]


def summary(text: str) -> str:
    """The first sentences that are neither headings nor lines of a timeline."""
    said: list[str] = []
    length = 0
    for sentence in sentences(text):
        if len(sentence) <= _SHORTEST or _CLOCK.search(sentence[:25]):
            continue
        said.append(sentence)
        length += len(sentence.split())
        if length > SUMMARY_WORDS:
            break
    return " ".join(said)[:SUMMARY_CHARACTERS]


def cause(text: str) -> str:
    """The sentences that say why."""
    return " ".join(sentence for sentence in sentences(text) if _CAUSES.search(sentence))[:CAUSE_CHARACTERS]
