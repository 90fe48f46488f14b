"""What every act has in common. Pure; the acts are in `acts.py` and `measure_acts.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Act:
    """What all acts share: a `name` that page, API and terminal use."""

    name: ClassVar[str]
