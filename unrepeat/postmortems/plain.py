"""Text from the outside, made fit for a document. Pure.

All that the log holds may be hostile (an alert's summary is whatever somebody's exporter said): here it loses what no reader
needs (control characters, marks that turn the direction of writing), gets a bound, and is escaped for Markdown and XML.
HTML pages are escaped by Django's templates.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from html import escape
from urllib.parse import urlsplit

_DIRECTION = {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)}
_MARKDOWN = re.compile(r"[\\`*\[\]<>&|~]|(?<![^\W_])_|_(?![^\W_])")  # an underscore inside a word is no emphasis
_LINE_START = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))", re.MULTILINE)


def clean(text: str, limit: int = 300) -> str:
    """One line of at most `limit` characters, without control characters and without marks that turn the reading direction."""
    kept = text[: limit * 4 + 100]
    if not kept.isprintable():
        kept = "".join(map(_harmless, kept))
    line = " ".join(kept.split())
    return line if len(line) <= limit and len(text) <= limit * 4 + 100 else f"{line[: limit - 1].rstrip()}…"


def clean_prose(text: str) -> str:
    """Prose as people write it: lines stay, control characters other than newline and tab go."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in lines if c in "\n\t" or _harmless(c) == c).strip("\n")


@cache
def _harmless(char: str) -> str:
    if char in _DIRECTION or char in "\ufffe\uffff":
        return ""
    category = unicodedata.category(char)
    return " " if category in ("Cc", "Zl", "Zp", "Cs") else char


def markdown(text: str) -> str:
    """The text as it stands, when it is read as Markdown."""
    escaped = _MARKDOWN.sub(lambda found: f"\\{found[0]}", text)
    return _LINE_START.sub(lambda f: f"{f[1]}{f[2]}\\" if f[2].isdigit() else f"{f[1]}\\{f[2]}", escaped)


def code(text: str) -> str:
    """The text as a Markdown code span, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """The text as a fenced block of Markdown, whatever backticks it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def xml(text: str) -> str:
    """The text as it stands inside XML (SVG), in content and in attributes."""
    return escape(text, quote=True)


def web_link(url: str) -> str:
    """The address when it leads to the web (http or https, with a host); otherwise nothing, and so no link."""
    if len(url) > 2000 or any(c.isspace() or _harmless(c) != c for c in url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def listed(names: list[str]) -> str:
    """Names as people list them: `a`, `a and b`, `a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
