"""Where words go on a chart, so that none lies on another. Pure. Widths are estimates for an 11-pixel sans."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

SIZE = 11.0  # pixels
_NARROW = set("iIl.,:;'|!()[]{} jftr·")
_WIDE = set("mwMW@%—")
GAP = 4.0  # pixels between words and what they stand beside
Side = Literal["right", "left"]


def width(text: str, size: float = SIZE) -> float:
    """How wide the text will be, in pixels; a little too wide rather than too narrow."""
    return sum(_em(char) for char in text) * size


def _em(char: str) -> float:
    if unicodedata.east_asian_width(char) in "WF":
        return 1.15
    if char in _NARROW:
        return 0.38
    return 0.95 if char in _WIDE else 0.7 if char.isupper() else 0.62


def fit(text: str, room: float, size: float = SIZE) -> str:
    """The text, cut with an ellipsis when it is wider than `room` pixels."""
    if width(text, size) <= room:
        return text
    kept = ""
    for char in text:
        if width(f"{kept}{char}…", size) > room:
            break
        kept += char
    return f"{kept.rstrip()}…"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an item's words go: which row (0 is nearest), on which side of its mark, and what is left of them."""

    row: int
    side: Side
    text: str


Box = tuple[float, float]  # from x, to x


def pack(items: Sequence[tuple[float, str]], left: float, right: float, mark: float = 6.0) -> list[Placed]:
    """Rows and sides for marks at x with words beside them (in order of x), so that in a row nothing lies on anything."""
    rows: list[list[Box]] = []
    placed = []
    for x, text in items:
        said = fit(text, (right - left) * 0.7)
        placed.append(_first_free(rows, x, said, (left, right), mark))
    return placed


def _first_free(rows: list[list[Box]], x: float, text: str, edges: Box, mark: float) -> Placed:
    sides: tuple[Side, Side] = ("right", "left")
    for row in range(len(rows) + 1):
        if row == len(rows):
            rows.append([])
        for side in sides:
            box = _box(x, text, side, mark)
            inside = edges[0] <= box[0] and box[1] <= edges[1]
            if (inside or not text) and all(box[1] < other[0] or other[1] < box[0] for other in rows[row]):
                rows[row].append(box)
                return Placed(row, side, text)
    rows.append([_box(x, text, "right", mark)])
    roomier: Side = "right" if edges[1] - x > x - edges[0] else "left"
    room = (edges[1] - x if roomier == "right" else x - edges[0]) - mark - GAP
    return Placed(len(rows) - 1, roomier, fit(text, room))


def _box(x: float, text: str, side: Side, mark: float) -> Box:
    long = mark + GAP + width(text) if text else mark
    return (x - mark, x + long) if side == "right" else (x - long, x + mark)


def above(items: Sequence[tuple[float, str]], left: float, right: float) -> list[Placed]:
    """Rows and sides for words at the top of vertical lines: none lies on another, nor across a line that passes through its row."""
    texts = [fit(text, (right - left) * 0.6) for _, text in items]
    xs = [x for x, _ in items]
    found = _search(xs, texts, (left, right), [])
    return found or [
        Placed(i, "right" if x < (left + right) / 2 else "left", t)
        for i, (x, t) in enumerate(zip(xs, texts, strict=True))
    ]


def _search(xs: list[float], texts: list[str], edges: Box, chosen: list[Placed]) -> list[Placed] | None:
    """Depth first, low rows first."""
    i = len(chosen)
    if i == len(xs):
        return chosen
    sides: tuple[Side, Side] = ("right", "left")
    for row in range(len(xs)):
        for side in sides:
            option = Placed(row, side, texts[i])
            if _stands(xs, edges, [*chosen, option]):
                whole = _search(xs, texts, edges, [*chosen, option])
                if whole:
                    return whole
    return None


def _stands(xs: list[float], edges: Box, chosen: list[Placed]) -> bool:
    new = len(chosen) - 1
    box = _words(xs[new], chosen[new])
    if box[0] < edges[0] or box[1] > edges[1]:
        return False
    for other, placed in enumerate(chosen[:-1]):
        theirs = _words(xs[other], placed)
        if placed.row == chosen[new].row and not (box[1] + GAP < theirs[0] or theirs[1] + GAP < box[0]):
            return False
        if placed.row >= chosen[new].row and box[0] - 2 < xs[other] < box[1] + 2:
            return False
        if chosen[new].row >= placed.row and theirs[0] - 2 < xs[new] < theirs[1] + 2:
            return False
    return True


def _words(x: float, placed: Placed) -> Box:
    long = GAP + width(placed.text)
    return (x + GAP / 2, x + long) if placed.side == "right" else (x - long, x - GAP / 2)
