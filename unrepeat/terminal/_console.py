"""How words and tables stand in the terminal. Words of others are shown as they are: nothing in them is markup."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table


def console() -> Console:
    """A console that takes nothing in a text for markup, an emoji's name or something to colour."""
    return Console(markup=False, emoji=False, highlight=False)


def records(*columns: str, wraps: tuple[str, ...] = ()) -> Table:
    """A table with a line a record. On a narrow terminal only the columns in `wraps` give way, and lose nothing."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=name not in wraps, overflow="fold", min_width=6 if name in wraps else None)
    return table
