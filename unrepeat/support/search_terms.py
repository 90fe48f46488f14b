"""What a person typed into a search for exact words, as terms. Pure.

Words are compared without case and accents; "in quotes" is a phrase; -word must not occur; all others must. Common words (the, and, of)
outside quotes are left out.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

WORD = re.compile(r"[^\W_]+")
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_POSSESSIVE = re.compile(r"['’]s\b")
_COMMON = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "in", "is", "it", "its", "of"]
) | {"on", "or", "that", "the", "this", "to", "was", "were", "with"}


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand together in a document, or (`absent`) must not. One word alone also stands for longer ones."""

    words: tuple[str, ...]
    absent: bool = False


def terms(text: str) -> list[Term]:
    """What a person typed, as terms; empty when there is no word in it, or only words that must not occur."""
    found = []
    for minus, phrase, word in _TERM.findall(text[:400])[:20]:
        words = tuple(WORD.findall(_POSSESSIVE.sub("", plain(phrase or word))))
        if words and not (len(words) == 1 and words[0] in _COMMON):
            found.append(Term(words[:10], bool(minus)))
    return found if any(not term.absent for term in found) else []


def plain(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
