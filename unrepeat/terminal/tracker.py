"""`unrepeat tracker`: where measures have their tickets."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.table import Table

from unrepeat.terminal import _kinds
from unrepeat.terminal._console import console

app = App(name="tracker", help="Say where measures have their tickets: GitHub, GitLab, or an address that is told.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
By = Annotated[str, Parameter(help="Who does this.")]


@app.command
def kinds(*, as_json: AsJson = False) -> None:
    """List the kinds of trackers, and what each needs."""
    from unrepeat.prevention.tickets.tracking import tracker_kinds

    told = {name: (kind.TITLE, kind.HELP) for name, kind in tracker_kinds().items()}
    _kinds.show(told, "what it is", as_json=as_json)


@app.command
def add(
    name: str,
    *,
    kind: Annotated[str, Parameter(help="What it is; `unrepeat tracker kinds` lists them.")],
    project: Annotated[str, Parameter(help="The repository or project there, for example shop/sessions.")] = "",
    url: Annotated[str, Parameter(help="Address of its API, or of the webhook; default: the public one.")] = "",
    automatic: Annotated[bool, Parameter(negative="", help="Make a ticket for each new measure.")] = False,
    token_stdin: Annotated[
        bool,
        Parameter(negative="", help="Read the token (of a webhook: the secret) from standard input, else it is asked."),
    ] = False,
    by: By = "terminal",
) -> None:
    """Add the tracker NAME. Its token is kept sealed, and shown never."""
    from unrepeat.prevention.tickets import tracker_commands

    token = _read_token(asked=not token_stdin)
    added = tracker_commands.add(name, kind, url=url, project=project, token=token, automatic=automatic, by=by)
    what = "each new measure gets a ticket" if added.automatic else "`unrepeat tracker ticket` makes tickets"
    print(f"Added {added.name}: {added.project or added.url}; {what}.")


@app.command(name="list")
def list_trackers(*, as_json: AsJson = False) -> None:
    """List the trackers: where, how many tickets, when last asked, and what is wrong."""
    from unrepeat.prevention.tickets import tracker_queries

    rows = tracker_queries.trackers()
    if as_json:
        print(json.dumps([_row(row) for row in rows], ensure_ascii=False))
        return
    table = Table("name", "kind", "project", "tickets", "automatic", "last asked (UTC)", "trouble")
    for row in rows:
        asked = f"{row.polled_at:%Y-%m-%d %H:%M:%S}" if row.polled_at else "never"
        automatic = "yes" if row.automatic else "no"
        table.add_row(row.name, row.kind, row.project or row.url, str(row.tickets), automatic, asked, row.trouble)
    console().print(table)


@app.command
def token(
    name: str,
    *,
    token_stdin: Annotated[bool, Parameter(negative="", help="Read it from standard input, else it is asked.")] = False,
) -> None:
    """Give the tracker NAME another token (a webhook: another secret); what failed with the one before is tried again."""
    from unrepeat.prevention.tickets import tracker_commands

    tracker_commands.set_token(name, _read_token(asked=not token_stdin))
    print(f"The token of {name} is set; it is asked again at once.")


@app.command
def remove(name: str) -> None:
    """Follow the tracker NAME no more. Its tickets stay where they are, and in the logs."""
    from unrepeat.prevention.tickets import tracker_commands

    tracker_commands.remove(name)
    print(f"{name} is followed no more.")


@app.command
def ticket(
    incident: int, measure: int, *, to: Annotated[str, Parameter(help="The tracker.")], by: By = "terminal"
) -> None:
    """Have a ticket made for the measure MEASURE of the incident INCIDENT; the worker makes it."""
    from unrepeat.prevention.tickets import tracker_commands

    tracker_commands.make_ticket(incident, measure, to, by=by)
    print(f"A ticket for measure {measure} of incident {incident} is being made in {to}.")


@app.command
def link(incident: int, measure: int, url: str, *, by: By = "terminal") -> None:
    """Link the ticket at URL with the measure MEASURE of the incident INCIDENT."""
    from unrepeat.prevention.tickets import tracker_commands

    made = tracker_commands.link_ticket(incident, measure, url, by=by)
    print(f"Measure {measure} of incident {incident} follows {made.url}.")


def _row(row: Any) -> dict[str, Any]:
    names = ("name", "kind", "url", "project", "automatic", "tickets", "trouble")
    asked = row.polled_at.isoformat() if row.polled_at else None
    return {**{name: getattr(row, name) for name in names}, "asked_at": asked}


def _read_token(*, asked: bool) -> str:
    if asked and sys.stdin.isatty():
        from getpass import getpass

        return getpass("Token: ").strip()
    return sys.stdin.read().strip()
