"""Bars and stacks by month, and bars that lie, for words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unrepeat.postmortems.charts._axes import n, picture, value_ticks
from unrepeat.postmortems.charts._labels import fit, width
from unrepeat.postmortems.plain import xml

TOP, FOOT, HIGH = 28.0, 30.0, 230.0
ROW = 26.0
NARROW_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Layer:
    """One part of each bar: what it is called, how it looks (a class of the style sheet), and its numbers."""

    name: str
    look: str
    values: tuple[int, ...]


def stacks(name: str, title: str, said: str, months: Sequence[str], layers: Sequence[Layer], wide: float) -> str:
    """A bar for each month, its layers one upon the other, the first one lowest. Where it is narrow, only the last months."""
    skip = 0 if wide > 500 else max(0, len(months) - NARROW_MONTHS)
    months = months[skip:]
    shown = [Layer(one.name, one.look, one.values[skip:]) for one in layers]
    totals = [sum(one.values[i] for one in shown) for i in range(len(months))]
    ticks = [tick for tick in value_ticks(float(max([*totals, 1])), 4) if tick.is_integer()]
    left, right = 14.0 + width(f"{ticks[-1]:,.0f}"), wide - 6
    bottom, unit = HIGH - FOOT, (HIGH - FOOT - TOP) / max(ticks[-1], 1.0)
    step = (right - left) / max(len(months), 1)
    drawn = _scale(ticks, left, right, bottom, unit)
    for i, month in enumerate(months):
        x, foot = left + step * i + step * 0.14, bottom
        for layer in shown:
            tall = layer.values[i] * unit
            if tall:
                foot -= tall
                hint = xml(f"{month}: {layer.values[i]} {layer.name}")
                drawn.append(
                    f'<rect class="layer {layer.look}" x="{n(x)}" y="{n(foot)}" width="{n(step * 0.72)}" height="{n(max(tall, 0.8))}"'
                    f"><title>{hint}</title></rect>"
                )
    return picture(name, (wide, HIGH), title, said, drawn + _months(months, left, step, bottom) + _legend(shown, left))


def _scale(ticks: Sequence[float], left: float, right: float, bottom: float, unit: float) -> list[str]:
    drawn = []
    for tick in ticks:
        y = bottom - tick * unit
        drawn.append(
            f'<line class="{"axis" if not tick else "grid"}" x1="{n(left)}" x2="{n(right)}" y1="{n(y)}" y2="{n(y)}"/>'
        )
        drawn.append(
            f'<text class="tick" x="{n(left - 6)}" y="{n(y + 4)}" text-anchor="end">{tick:,.0f}</text>'.replace(
                ",", "\u202f"
            )
        )
    return drawn


NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _months(months: Sequence[str], left: float, step: float, bottom: float) -> list[str]:
    drawn = []
    every = 1 if step > 30 else 2 if step > 15 else 3
    for i, month in enumerate(months):
        year, number = month.split("-")
        if i % every == 0:
            x = left + step * (i + 0.5)
            drawn.append(
                f'<text class="tick" x="{n(x)}" y="{n(bottom + 14)}" text-anchor="middle">{NAMES[int(number) - 1]}</text>'
            )
        if number == "01" or (i == 0 and "-01" not in "".join(month[4:] for month in months[1:4])):
            drawn.append(
                f'<text class="tick strong" x="{n(left + step * i + step * 0.14)}" y="{n(bottom + 27)}">{year}</text>'
            )
    return drawn


def _legend(layers: Sequence[Layer], left: float) -> list[str]:
    drawn, x = [], left
    for layer in reversed(layers):
        drawn.append(f'<rect class="layer {layer.look}" x="{n(x)}" y="4" width="10" height="10"/>')
        drawn.append(f'<text class="label" x="{n(x + 14)}" y="13">{xml(layer.name)}</text>')
        x += 14 + width(layer.name) + 14
    return drawn


Row = tuple[str, Sequence[tuple[str, int]]]


def lying(name: str, title: str, said: str, rows: Sequence[Row], wide: float, legend: Sequence[Layer] = ()) -> str:
    """A bar for each row: words, and parts as (look, number) beside each other; the number stands at the end."""
    most = max([sum(count for _, count in parts) for _, parts in rows] + [1])
    above = wide <= 500  # words above the bar, not beside it
    left = 0.0 if above else min(max([width(words) for words, _ in rows] + [60.0]) + 14, wide * 0.5)
    room = wide - left - 50
    y, drawn = 26.0 if legend else 4.0, _legend(legend, 0.0)
    for words, parts in rows:
        total = sum(count for _, count in parts)
        drawn.append(
            f'<text class="label" x="0" y="{n(y + 13)}">{xml(fit(words, wide if above else left - 10))}</text>'
        )
        if above:
            y += 18
        x = left
        for look, count in parts:
            long = room * count / most
            if count:
                drawn.append(
                    f'<rect class="layer {look}" x="{n(x)}" y="{n(y + 3)}" width="{n(max(long, 1))}" height="13"/>'
                )
            x += long
        drawn.append(f'<text class="value" x="{n(x + 6)}" y="{n(y + 14)}">{total:,}</text>'.replace(",", "\u202f"))
        y += ROW
    return picture(name, (wide, max(y, 20.0)), title, said, drawn)
