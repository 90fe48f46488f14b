"""The title of an incident that an alert opens. Pure."""

from __future__ import annotations

import re

from unrepeat.incidents.checks import TITLE, shortened

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def headline(name: str, service: str, summary: str) -> str:
    """What the alert says of itself, in one line; else its name in words and its service: `High memory usage on sessions`."""
    said = " ".join(summary.split())
    if said and said.lower() != name.strip().lower():
        return shortened(said, TITLE)
    where = f" on {service}" if service and service.lower() not in name.lower() else ""
    return shortened(f"{_in_words(name)}{where}", TITLE) or "An alert without a name"


def _in_words(name: str) -> str:
    """`HighMemoryUsage` and `high_memory_usage` as `High memory usage`; a name with spaces stays."""
    name = name.strip()
    if " " in name:
        return name
    words = [part for part in re.split(r"[_\-.\s]+", _HUMP.sub(" ", name)) if part]
    said = " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    return said[:1].upper() + said[1:]
