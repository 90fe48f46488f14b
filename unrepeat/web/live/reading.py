"""What the streams read: new entries of watched incidents, as JSON text, ready to be sent. Runs in the hub's thread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from unrepeat.incidents import queries
from unrepeat.web.api.body import plain
from unrepeat.web.api.generated import logged_plain

EVERYTHING = 0  # the number that stands for all incidents together
LOOK_BACK = 200  # newest entries looked at for the stream of all incidents


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to send: its seq (for all incidents together: its row), and its JSON."""

    number: int
    text: str


def news(known: Mapping[int, int]) -> dict[int, list[Item]]:
    """What there may be to send: incident -> entries after the seq known of it; key 0: the newest rows of all logs, oldest first."""
    numbers = [number for number in known if number != EVERYTHING]
    grown = queries.last_seqs(numbers) if numbers else {}
    found = {number: log_after(number, known[number]) for number, last in grown.items() if last > known[number]}
    if EVERYTHING in known:
        found[EVERYTHING] = newest()
    return found


def log_after(number: int, after: int) -> list[Item]:
    """An incident's entries after a seq."""
    return [
        Item(logged.seq, json.dumps(logged_plain(logged), default=plain, ensure_ascii=False))
        for logged in queries.log_of(number, after)
    ]


def newest() -> list[Item]:
    """The rows written last over all logs, oldest first."""
    rows = reversed(queries.newest_entries(LOOK_BACK))
    return [Item(row, json.dumps({"incident": incident, "seq": seq})) for row, incident, seq in rows]


def last_of(number: int) -> int:
    """The last seq of an incident (NotFound when there is none), or the last row of all logs."""
    if number == EVERYTHING:
        return max((row for row, _, _ in queries.newest_entries(1)), default=0)
    return int(queries.incident(number).last_seq)
