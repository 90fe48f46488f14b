"""How guards, their runs and proofs are shown in the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from unrepeat.terminal._desk import Plain

STYLES = {"red": "bold red", "green": "green", "broken": "bold yellow"}


def listing(console: Console, guards: list[Plain]) -> None:
    """A table of guards."""
    table = Table("guard", "kind", "service", "colour", "proof", "watches over", "run (UTC)")
    for one in guards:
        refs = ", ".join(measure["ref"] for measure in one["measures"]) or "[yellow]no measure[/]"
        table.add_row(
            one["name"], one["kind"], escape(one["service"]), _colour(one), proof_word(one), refs, moment(one["ran_at"])
        )
    console.print(table)


def whole(console: Console, one: Plain, runs: list[Plain], proofs: list[Plain]) -> None:
    """One guard with its text, newest runs and proofs."""
    console.print(
        f"[bold]{escape(one['name'])}[/] {one['kind']} of {escape(one['service']) or 'no service'}: {_colour(one)}",
        highlight=False,
    )
    console.print(f"{proof_word(one)}; declared in {one['origin']} {escape(one['place'])}".rstrip(), highlight=False)
    if one["retired_at"]:
        console.print(f"[yellow]Out of service since {moment(one['retired_at'])} UTC.[/]")
    if one["ran_said"]:
        console.print(escape(one["ran_said"]), highlight=False)
    console.print_json(json.dumps(one["spec"], ensure_ascii=False, default=str))
    for measure in one["measures"]:
        console.print(
            f"{measure['ref']} ({measure['state']}): {escape(measure['text'])}", highlight=False, soft_wrap=True
        )
    if runs:
        _runs(console, runs)
    for trial in proofs:
        proof(console, one["name"], trial)


def _runs(console: Console, runs: list[Plain]) -> None:
    table = Table("run", "at (UTC)", "side", "colour", "on", "what it says", "seconds")
    for one in runs:
        table.add_row(
            str(one["number"]), moment(one["at"]), one["side"], _colour(one), escape(one["target"]),
            escape(one["said"]), f"{one['seconds']:.1f}",
        )  # fmt: skip
    console.print(table)


def proof(console: Console, name: str, trial: Plain) -> None:
    """A trial: both runs, and what they come to."""
    for word, side in (("failure", trial["failure"]), ("fix", trial["fix"])):
        console.print(
            f"on the {word}, {escape(side['target'])}: {_colour(side)}. {escape(side['said'])}",
            highlight=False,
            soft_wrap=True,
        )
        if side["colour"] == "broken" and side["remedy"]:
            console.print(f"  {escape(side['remedy'])}", highlight=False, soft_wrap=True)
    style = "bold green" if trial["proven"] else "bold yellow"
    console.print(
        f"[{style}]{escape(name)} {'is proven' if trial['proven'] else 'is not proven'}.[/] {escape(trial['said'])}",
        highlight=False,
        soft_wrap=True,
    )


def ran(console: Console, name: str, result: Plain) -> None:
    """One run."""
    flaky = " [bold magenta]It was red and green on this commit: flaky.[/]" if result.get("flaky") else ""
    console.print(
        f"{escape(name)} is {_colour(result)}. {escape(result['said'])}{flaky}", highlight=False, soft_wrap=True
    )
    if result["colour"] != "green" and result.get("remedy"):
        console.print(escape(result["remedy"]), highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """JSON as the API writes it."""
    from unrepeat.web.api.body import plain

    print(json.dumps(value, ensure_ascii=False, default=plain))


def moment(value: str | datetime | None) -> str:
    """A time in UTC; a dash for none."""
    if value is None:
        return "–"
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{at:%Y-%m-%d %H:%M:%S}"


def proof_word(one: Mapping[str, Any]) -> str:
    """Whether a guard is proven."""
    return "[green]proven[/]" if one["proven"] else "[yellow]unproven[/]"


def _colour(one: Mapping[str, Any]) -> str:
    colour = one["colour"]
    flaky = " [bold magenta]flaky[/]" if one.get("flaky") else ""
    return f"[{STYLES[colour]}]{colour}[/]{flaky}" if colour else "[dim]not run yet[/]"
