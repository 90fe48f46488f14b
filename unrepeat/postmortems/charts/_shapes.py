"""The shapes of the look, as they stand on a chart: each means one thing, and a colour only repeats it. Pure."""

from __future__ import annotations

from unrepeat.postmortems.charts._axes import n
from unrepeat.postmortems.plain import xml

_FILL = {
    "alert": "#b3261e",
    "guilty": "#b3261e",
    "change": "#1f5eff",
    "page": "#1b1d21",
    "note": "#8a919c",
    "suspect": "#8a5a00",
    "cleared": "#1b6e3c",
    "verified": "#1b6e3c",
}


def shape(kind: str, x: float, y: float, hint: str = "", role: str = "") -> str:
    """A shape around (x, y), about 10 pixels wide; `hint` is what a pointer over it shows."""
    colour = _FILL.get(kind, _FILL["note"])
    fill = f'fill="{colour}"'
    line = f'fill="none" stroke="{colour}" stroke-width="1.9"'
    drawn = {
        "alert": f'<rect x="{n(x - 4.5)}" y="{n(y - 4.5)}" width="9" height="9" {fill}/>',
        "page": f'<path d="M{n(x)} {n(y - 5)} {n(x + 5.2)} {n(y + 4.3)}H{n(x - 5.2)}z" {fill}/>',
        "change": f'<path d="M{n(x)} {n(y - 5.5)} {n(x + 5.5)} {n(y)} {n(x)} {n(y + 5.5)} {n(x - 5.5)} {n(y)}z" {fill}/>',
        "cleared": f'<circle class="hollow" cx="{n(x)}" cy="{n(y)}" r="4" {line}/>',
        "suspect": f'<circle class="hollow" cx="{n(x)}" cy="{n(y)}" r="4" {line}/>'
        f'<path d="M{n(x)} {n(y - 4)}a4 4 0 0 1 0 8z" {fill}/>',
        "guilty": f'<circle cx="{n(x)}" cy="{n(y)}" r="4.8" {fill}/>',
        "verified": f'<path class="hollow" d="M{n(x - 4.5)} {n(y)} {n(x - 1.2)} {n(y + 3.6)} {n(x + 4.8)} {n(y - 4)}" {line}/>',
    }.get(kind, f'<circle cx="{n(x)}" cy="{n(y)}" r="3" {fill}/>')
    title = f"<title>{xml(hint)}</title>" if hint else ""
    return f'<g class="shape {kind}{f" {role}" if role else ""}">{title}{drawn}</g>'


def words(text: str, x: float, y: float, *, anchor: str = "start", look: str = "label") -> str:
    """Words on a chart; names from outside keep their own direction of writing."""
    return f'<text class="{look}" x="{n(x)}" y="{n(y)}" text-anchor="{anchor}">{xml(text)}</text>'
