"""The pictures of the insights page: numbers in, SVG text out. Pure; byte-stable; colours come from the look (web/plots.css)."""

from __future__ import annotations

from dataclasses import dataclass

WIDE, NARROW = 1000.0, 340.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture in two widths with its table. `said` tells it in one sentence; `caption`: where the numbers are from."""

    name: str
    title: str
    said: str
    caption: str
    wide: str
    narrow: str
    head: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    empty: bool = False
