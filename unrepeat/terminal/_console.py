"""How words and tables stand in the terminal. Words of others are shown as they are: nothing in them is markup."""

from __future__ import annotations

import os

from rich import box
from rich.console import Console
from rich.table import Table

WIDE = 160  # columns of a file or a CI log, which have no width of their own


def console(*, stderr: bool = False, styled: bool = False) -> Console:
    """A console of a terminal's own width; elsewhere wide enough that a table's sentences stay on their lines. COLUMNS says otherwise.

    It takes nothing in a text for markup, an emoji's name or something to colour, unless `styled`: then the words of others are to
    be escaped.
    """
    made = Console(stderr=stderr, markup=styled, emoji=False, highlight=styled)
    if not made.is_terminal and "COLUMNS" not in os.environ:
        made.width = WIDE
    return made


def records(*columns: str, wraps: tuple[str, ...] = ()) -> Table:
    """A table with a line a record. On a narrow terminal only the columns in `wraps` give way, and lose nothing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=name not in wraps, overflow="fold", min_width=6 if name in wraps else None)
    return table
