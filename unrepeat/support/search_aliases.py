"""Other words for what was asked: sets of the same meaning, and sorts with the things of that sort. Pure but for one file.

The file is `aliases.toml` beside this module; its head says how it reads. Users add a file of their own (see `aliases`).
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from unrepeat.support.problems import Problem
from unrepeat.support.search_text import stems

FILE = Path(__file__).with_name("aliases.toml")

Phrase = tuple[str, ...]
"""Stems that stand one after the other."""


@dataclass(frozen=True, slots=True)
class Found:
    """Words of a question that the aliases know: from `start` to before `end`, in the set `name`, and what else says so."""

    start: int
    end: int
    name: str
    others: tuple[Phrase, ...]


class Aliases:
    """Which phrases stand for which others."""

    def __init__(self, same: Mapping[str, Iterable[str]], kinds: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
        self._others: dict[Phrase, dict[str, tuple[Phrase, ...]]] = defaultdict(dict)
        for name, said in same.items():
            phrases = _phrases(said)
            for phrase in phrases:
                self._others[phrase][name] = tuple(other for other in phrases if other != phrase)
        for name, kind in kinds.items():
            called, things = _phrases(kind.get("called", ())), _phrases(kind.get("such_as", ()))
            for phrase in called:
                self._others[phrase][name] = tuple(other for other in (*called, *things) if other != phrase)
            for phrase in things:
                self._others[phrase][name] = called
        self.longest = max(map(len, self._others), default=0)

    def of(self, question: list[str]) -> Iterator[Found]:
        """What the aliases know of a question's stems. A longer phrase hides the shorter ones that lie within it."""
        covered: list[tuple[int, int]] = []
        for length in range(self.longest, 0, -1):
            for start in range(len(question) - length + 1):
                end = start + length
                if any(s <= start and end <= e for s, e in covered if e - s > length):
                    continue
                sets = self._others.get(tuple(question[start:end]), {})
                if sets:
                    covered.append((start, end))
                for name, others in sets.items():
                    yield Found(start, end, name, others)


def _phrases(said: Iterable[str]) -> tuple[Phrase, ...]:
    """Stems of each phrase. One of several words of which but one is left (`not found`) would stand for too much, and goes."""
    found = {tuple(stems(text)): len(text.split()) for text in said}
    return tuple(phrase for phrase, typed in found.items() if len(phrase) > 1 or (phrase and typed == 1))


@lru_cache(maxsize=4)
def aliases(extra: Path | None = None) -> Aliases:
    """Ours and the user's own: a line of `extra` with a name of ours takes the place of ours."""
    same: dict[str, Any] = {}
    kinds: dict[str, Any] = {}
    for file in [FILE, *([extra] if extra else [])]:
        read = _read(file)
        same.update(read.get("same", {}))
        kinds.update(read.get("kinds", {}))
    return Aliases(same, kinds)


def _read(file: Path) -> dict[str, Any]:
    try:
        read = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem("The aliases of the search cannot be read.", f"{file}: {error}", "Correct the file.") from error
    if wrong := _wrong(read):
        raise Problem(
            "The aliases of the search cannot be read.",
            f"{file}: {wrong}",
            'Write [same] lines such as disk_full = ["ENOSPC", "disk full"], and [kinds] lines with called = [...] and such_as = [...].',
        )
    return read


def _wrong(read: dict[str, Any]) -> str | None:
    """What is not as the file's head says."""
    if unknown := set(read) - {"same", "kinds"}:
        return f"there is no section [{min(unknown)}]."
    for name, said in read.get("same", {}).items():
        if not _texts(said):
            return f"{name} is not a list of words."
    for name, kind in read.get("kinds", {}).items():
        if not isinstance(kind, dict) or set(kind) != {"called", "such_as"} or not all(map(_texts, kind.values())):
            return f"{name} does not have the two lists called and such_as."
    return None


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
