"""How a check is shown to people, and as JSON."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unrepeat.prevention.kind import Target
from unrepeat.terminal._checking import Checked
from unrepeat.terminal._desk import Desk, Plain
from unrepeat.terminal._outbox import Sent

STYLES = {"red": "bold red", "green": "green", "broken": "bold yellow", "": "dim"}


def show(said: Console, told: Console, done: list[Checked], target: Target, sent: Sent, server: Desk | None) -> None:
    """The table, what would come back, and what became of the results."""
    table = Table(
        "guard", "kind", "colour", "what it says", "proof", "seconds", title=f"unrepeat check on {target.words}"
    )
    for one in done:
        table.add_row(one.guard.name, one.guard.kind, _colour(one), escape(_says(one)), _proof(one), _seconds(one))
    said.print(table)
    for one in done:
        for sentence in one.repeats:
            said.print(f"[bold red]{escape(one.guard.name)}[/] {escape(sentence)}", highlight=False, soft_wrap=True)
        if one.colour == "broken" and one.outcome:
            said.print(
                f"[yellow]{escape(one.guard.name)}[/]: {escape(one.outcome.remedy)}", highlight=False, soft_wrap=True
            )
        if one.trouble:
            told.print(
                f"{escape(one.guard.name)}: the server did not keep the result: {escape(one.trouble)}", style="yellow"
            )
    counts = {colour: sum(one.colour == colour for one in done) for colour in ("green", "red", "broken", "")}
    words = [f"{counts['green']} green", f"{counts['red']} red", f"{counts['broken']} broken"]
    words += [f"{counts['']} left to the server"] if counts[""] else []
    said.print(", ".join(words) + ".", highlight=False)
    if sent.waiting:
        why = f" {sent.why.what} {sent.why.why}" if sent.why else ""
        told.print(f"Results of {sent.waiting} check(s) wait to be sent.{escape(why)}", style="yellow")
    elif server is not None and sent.taken:
        told.print(f"{len(sent.taken)} result(s) were sent to {server.where}.")


def plain(done: list[Checked], target: Target, sent: Sent) -> Plain:
    """The check as JSON has it."""
    guards = [
        {
            "name": one.guard.name,
            "kind": one.guard.kind,
            "service": one.guard.service,
            "digest": one.guard.digest,
            "colour": one.colour or None,
            "said": one.outcome.said if one.outcome else "",
            "remedy": one.outcome.remedy if one.outcome else "",
            "figures": dict(one.outcome.figures) if one.outcome else {},
            "place": {"path": one.place.path, "line": one.place.line},
            "measures": [measure["ref"] for measure in one.guard.measures],
            "proven": one.guard.proven,
            "flaky": one.flaky,
            "repeats": one.repeats,
            "seconds": one.result.get("seconds", 0.0),
        }
        for one in done
    ]
    return {
        "target": target.words,
        "ref": target.ref,
        "guards": guards,
        "sent": len(sent.taken),
        "waiting": sent.waiting,
    }


def _colour(one: Checked) -> str:
    if one.outcome is None:
        last = (one.guard.known or {}).get("colour") or "not run yet"
        return f"[dim]server: {last}[/]"
    flaky = " [bold magenta]flaky[/]" if one.flaky else ""
    return f"[{STYLES[one.colour]}]{one.colour}[/]{flaky}"


def _says(one: Checked) -> str:
    if one.outcome is None:
        return "The server runs it."
    place = f" ({one.outcome.place.path}:{one.outcome.place.line})" if one.outcome.place else ""
    flaky = " It was red and green on this commit." if one.flaky else ""
    return f"{one.outcome.said}{place}{flaky}"


def _proof(one: Checked) -> str:
    known = one.guard.known
    if known is None:
        return "[dim]unknown[/]"
    if known["digest"] != one.guard.digest:
        return "[yellow]other text[/]"
    return "proven" if known["proven"] else "[yellow]unproven[/]"


def _seconds(one: Checked) -> str:
    return f"{one.result['seconds']:.1f}" if one.result else ""
