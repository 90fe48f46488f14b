"""What can happen to the shop: one file a story, found by its name. `flash_sale.py` is played by `python -m lab run --story flash-sale`.

A story has TITLE (one line), ABOUT_SECONDS (for the bar), and `play(stage) -> Played`. It finds the shop running under its usual traffic.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Protocol

from rich.console import Console

from lab.stage import Stage

DEFAULT = "never-twice"


class Played(Protocol):
    """What a story measured. `complaints`: what was not as it has to be, in words."""

    complaints: list[str]

    def figures(self) -> list[str]:
        """The FIGURE lines; what was not measured has none."""

    def show(self, console: Console) -> None:
        """The same for people."""

    def as_json(self) -> dict[str, Any]:
        """All of it, as plain JSON values."""


class Story(Protocol):
    """What a file here holds."""

    TITLE: str
    ABOUT_SECONDS: float

    def play(self, stage: Stage) -> Played:
        """Let it happen, and measure."""


def names() -> list[str]:
    """All stories, as the command line calls them."""
    return sorted(found.name.replace("_", "-") for found in pkgutil.iter_modules(__path__))


def story(name: str) -> Story:
    """The story of that name; it must be one of `names()`."""
    module: Any = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    found: Story = module
    return found
