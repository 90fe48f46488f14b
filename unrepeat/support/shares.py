"""Shares of people: how sure one can be of them, and how they are said. Pure."""

from __future__ import annotations

import math

FEW = 100  # a share of fewer is told with its interval


def wilson(numerator: int, denominator: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927), 95 % by default; (0, 1) when there is no denominator."""
    if not denominator:
        return 0.0, 1.0
    share, spread = numerator / denominator, z * z / denominator
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / denominator + spread / (4 * denominator))
    return max(0.0, middle - half), min(1.0, middle + half)


def percent(numerator: int, denominator: int) -> str:
    """`84 %`; never `0 %` of some nor `100 %` of not all; a dash of none."""
    if not denominator:
        return "–"
    share = numerator / denominator
    if 0 < share < 0.005:
        return "under 1\u00a0%"
    if 0.995 <= share < 1:
        return "over 99\u00a0%"
    return f"{share * 100:.0f}\u00a0%"


def interval(low: float, high: float) -> str:
    """`70 to 91 %`; with a digit after the point where both are small: `0.2 to 0.5 %`."""
    digits = 1 if high < 0.1 else 0
    return f"{low * 100:.{digits}f} to {high * 100:.{digits}f}\u00a0%"


def number(count: int) -> str:
    """With a thin space between thousands, as the pages write counts."""
    return f"{count:,}".replace(",", "\u202f")
