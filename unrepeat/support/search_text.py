"""Text as stems: how the library splits, folds and shortens words, the same for both databases. Pure.

A word is letters and digits. `OOMKilled` and `max_connections` are split into their parts and kept whole as well, so that an
alert's name finds prose. Endings go by Porter's rules (1980), written anew here.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_HUMP = re.compile(r"[a-z\d][A-Z]|[A-Z]{2}[a-z]")
_MANY = re.compile(r"[A-Z]+s")  # APIs, VMs
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=(?:s|t|re|ve|ll|d)\b)")
LONGEST_WORD = 40  # characters; longer ones are digests and paths, which nobody searches for by half

COMMON = frozenset(
    """a about after again all also although always an and any are as at back be because been before being between both but by came
    can cannot come could did do does doing due during each either else even ever every few for from further gave get getting
    given goes going got had has have having he her here his how however i if in into is it its itself just kept like made make
    making many may me might more most much must my near need never no not now of off on once one only onto or other our over
    own part per put quite rather s said same saw say see seem seen several she should since so some soon still such t take taken
    than that the their them then there these they thing this those though through thus to together too took toward under until up
    upon us use used using very via want was way we well went were what when where whether which while who whole whose why will
    with within without would yet you your""".split()  # noqa: SIM905 (to be read as a text)
)


def words(text: str) -> list[str]:
    """The words of a text in their order, lower case and without accents; parts of a joined word follow it."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    found: list[str] = []
    for word in _WORD.findall(_APOSTROPHE.sub("", text)):
        if len(word) > LONGEST_WORD:
            continue
        found.append(word.casefold())
        if _HUMP.search(word) and not _MANY.fullmatch(word):
            parts = [part.casefold() for part in _JOINED.findall(word)]
            found += [part for part in parts if len(part) > 2 and part != found[-1]]
    return found


def stems(text: str) -> list[str]:
    """The stems of a text's words, common words left out."""
    return [stem(word) for word in words(text) if word not in COMMON]


_VOWELS = "aeiou"
_STEP2 = [("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"), ("alli", "al"),
          ("entli", "ent"), ("ousli", "ous"), ("eli", "e"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate"), ("alism", "al"),
          ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("logi", "log")]  # fmt: skip
_STEP3 = [("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", "")]
_STEP4 = ("ement", "ance", "ence", "able", "ible", "ment", "sion", "tion", "ant", "ent", "ism", "ate", "iti", "ous", "ive", "ize",
          "al", "er", "ic", "ou")  # fmt: skip
"""The longest first."""


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its endings: `throttled`, `throttling` and `throttles` are one."""
    if len(word) <= 2 or not word.isalpha() or not word.isascii():
        return word
    word = _plural(word)
    word = _past(word)
    if word.endswith("y") and _has_vowel(word[:-1]) and word[-2] not in _VOWELS:
        word = word[:-1] + "i"
    word = _replaced(word, _STEP2)
    word = _replaced(word, _STEP3)
    for ending in _STEP4:
        if word.endswith(ending):
            rest = word[: -len(ending)] + (ending[0] if ending in {"sion", "tion"} else "")
            word = rest if _measure(rest) > 1 else word
            break
    if word.endswith("e"):
        rest = word[:-1]
        if _measure(rest) > 1 or (_measure(rest) == 1 and not _short(rest)):
            word = rest
    if word.endswith("ll") and _measure(word[:-1]) > 1:
        word = word[:-1]
    return word


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word and _has_vowel(rest):
            if rest.endswith(("at", "bl", "iz")):
                return rest + "e"
            if len(rest) > 1 and rest[-1] == rest[-2] and rest[-1] not in "lsz" + _VOWELS:
                return rest[:-1]
            return rest + "e" if _measure(rest) == 1 and _short(rest) else rest
    return word


def _replaced(word: str, pairs: list[tuple[str, str]]) -> str:
    for ending, instead in pairs:
        if word.endswith(ending):
            rest = word[: -len(ending)]
            return rest + instead if _measure(rest) > 0 else word
    return word


def _consonants(word: str) -> str:
    """The word as v (vowel) and c (consonant); y is a vowel after a consonant."""
    kinds = ""
    for at, letter in enumerate(word):
        vowel = letter in _VOWELS or (letter == "y" and at > 0 and kinds[at - 1] == "c")
        kinds += "v" if vowel else "c"
    return kinds


def _measure(word: str) -> int:
    """How often a vowel is followed by a consonant."""
    return _consonants(word).count("vc")


def _has_vowel(word: str) -> bool:
    return "v" in _consonants(word)


def _short(word: str) -> bool:
    return _consonants(word).endswith("cvc") and word[-1] not in "wxy"
