"""Where tables are printed."""

from __future__ import annotations

import os

from rich.console import Console

WIDE = 160  # columns of a file or a CI log, which have no width of their own


def console(*, stderr: bool = False) -> Console:
    """Of a terminal's own width; elsewhere wide enough that a table's sentences stay on their lines. COLUMNS says otherwise."""
    screen = Console(stderr=stderr)
    return screen if screen.is_terminal or "COLUMNS" in os.environ else Console(stderr=stderr, width=WIDE)
