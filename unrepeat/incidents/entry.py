"""What every entry of a log has in common, and how it stands in its log. Pure; the kinds are in `entries.py` and `measure_entries.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Entry:
    """What all entries share; the subclasses say what happened."""

    kind: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry in its log. `at`: when it happened; `recorded_at`: when we learned it. `by`: a person, a source, or `unrepeat`."""

    seq: int
    at: datetime
    recorded_at: datetime
    by: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Happened:
    """An entry on its way into a log, with a time and an author of its own (empty: those of the whole act)."""

    entry: Entry
    at: datetime
    by: str = ""
