"""What an entry whose words were blanked still does: the fold takes it as the entry it was, with empty words. Pure."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

from unrepeat.incidents.entries import KINDS, Entry, Redacted, Unknown


def without_words(left: Redacted) -> Entry | None:
    """The entry that was blanked, with empty words; None when what it did cannot be told from its numbers."""
    known = KINDS.get(left.was)
    if known is None or known in (Redacted, Unknown):
        return None
    values: dict[str, Any] = {}
    for name, written, optional in _shape(left.was):
        if name in left.kept:
            values[name] = left.kept[name]
        elif written == "str":
            values[name] = ""
        elif not optional:
            return None
    return known(**values)


@cache
def _shape(kind: str) -> tuple[tuple[str, str, bool], ...]:
    """Name, written type and whether it may be left out, for each field of a kind."""
    return tuple(
        (f.name, str(f.type), f.default is not dataclasses.MISSING or f.default_factory is not dataclasses.MISSING)
        for f in dataclasses.fields(KINDS[kind])
    )
