"""How the kinds of something are listed: for people as a table, for programs as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from unrepeat.terminal._console import console, records


def show(told: Mapping[str, tuple[str, str]], what: str, *, as_json: bool) -> None:
    """Print each kind with its title and help; `what` heads the titles."""
    if as_json:
        print(json.dumps([{"kind": k, "title": t, "help": h} for k, (t, h) in told.items()], ensure_ascii=False))
        return
    table = records("kind", what, "how to set it up", wraps=(what, "how to set it up"))
    for name, words in told.items():
        table.add_row(name, *words)
    console().print(table)
