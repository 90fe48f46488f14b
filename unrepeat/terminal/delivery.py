"""`unrepeat delivery`: what came in as it came, and what could not be read."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from unrepeat.support.problems import Invalid, NotFound
from unrepeat.support.words import printable
from unrepeat.terminal._console import console, records

if TYPE_CHECKING:
    from unrepeat.arrivals.models import Delivery

app = App(name="delivery", help="Look at deliveries as they came in, and have unreadable ones read again.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
STATES = ("waiting", "read", "unreadable")


@app.command(name="list")
def list_deliveries(
    *,
    unreadable: Annotated[bool, Parameter(negative="", help="Only those that could not be read.")] = False,
    limit: Annotated[int, Parameter(help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the newest deliveries."""
    from unrepeat.arrivals import queries

    rows = queries.deliveries(max(limit, 1), unreadable=unreadable)
    if as_json:
        print(json.dumps([_row(row) for row in rows], ensure_ascii=False))
        return
    table = records("nr", "source", "received (UTC)", "state", "note or reason", wraps=("source", "note or reason"))
    for row in rows:
        told = _row(row)
        table.add_row(str(row.pk), told["source"], f"{row.received_at:%Y-%m-%d %H:%M:%S}", told["state"], row.reason)
    console().print(table)


@app.command
def show(
    number: int,
    *,
    body: Annotated[bool, Parameter(negative="", help="Print the body alone, byte for byte.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the delivery NUMBER: when it came, its headers, its body."""
    from unrepeat.arrivals import queries

    row = queries.delivery(number)
    raw = bytes(row.body)
    if body:
        sys.stdout.buffer.write(raw)
        return
    text = raw.decode(errors="backslashreplace")
    if as_json:
        print(json.dumps({**_row(row), "headers": row.headers, "body": text}, ensure_ascii=False))
        return
    print(
        f"Delivery {row.pk} from {row.source.name} ({row.source.kind}), received {row.received_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    print(f"{STATES[row.state]}{f': {row.reason}' if row.reason else ''}\n")
    for name, value in sorted(row.headers.items()):
        print(printable(f"{name}: {value}"))
    print(f"\n{printable(text)}")


@app.command
def reread(
    *numbers: int,
    all_unreadable: Annotated[bool, Parameter(negative="", help="All that could not be read.")] = False,
) -> None:
    """Read unreadable deliveries again: those with the NUMBERS, or all. For after a fix."""
    from unrepeat.arrivals import commands, queries
    from unrepeat.arrivals.reading import read_waiting

    if bool(numbers) == all_unreadable:
        raise Invalid("It is not said what to read again.", "There is no number.", "Give numbers, or --all-unreadable.")
    before = {number: queries.delivery(number) for number in numbers}
    readable = [number for number, row in before.items() if STATES[row.state] != "unreadable"]
    if readable:
        raise NotFound(
            f"Delivery {readable[0]} is not among the unreadable ones.",
            "Only what could not be read is read again.",
            "`unrepeat delivery list --unreadable` shows them.",
        )
    waiting = commands.reread(list(numbers) or None)
    while read_waiting():
        pass
    left = sum(row.unreadable for row in queries.sources()) if all_unreadable else _unreadable(numbers)
    print(f"{waiting} read again; {left} still cannot be read.")


def _unreadable(numbers: tuple[int, ...]) -> int:
    from unrepeat.arrivals import queries

    return sum(STATES[queries.delivery(number).state] == "unreadable" for number in numbers)


def _row(row: Delivery) -> dict[str, Any]:
    return {
        "number": row.pk,
        "source": row.source.name,
        "received_at": row.received_at.isoformat(),
        "state": STATES[row.state],
        "reason": row.reason,
    }
