"""`unrepeat catalogue`: the services and teams, and what depends on what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from unrepeat.support.problems import Invalid
from unrepeat.terminal._console import console, records

if TYPE_CHECKING:
    from unrepeat.duty.models import Service

app = App(name="catalogue", help="The services and teams, and what depends on what.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]


@app.command
def load(file: Path) -> None:
    """Take services, teams and dependencies over from the TOML FILE. What it does not mention stays as it is."""
    from unrepeat.duty import commands

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read.", f"{error}.", "Name a text file in TOML.") from error
    loaded = commands.load_catalogue(text)
    print(
        f"Services: {loaded.services_new} new, {loaded.services_known} brought up to date. "
        f"Teams: {loaded.teams_new} new, {loaded.teams_known} brought up to date. "
        f"Dependencies: {loaded.dependencies}."
    )
    if loaded.elsewhere:
        print(f"Not in this file, and left as they are: {', '.join(loaded.elsewhere)}.")


@app.command
def show(*, as_json: AsJson = False) -> None:
    """Show all services: who owns them, and what they depend on."""
    from unrepeat.duty import queries

    rows = [_row(service) for service in queries.services()]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    columns = ("service", "title", "team", "depends on", "repository")
    table = records(*columns, wraps=columns)
    for row in rows:
        table.add_row(row["name"], row["title"], row["team"], ", ".join(row["depends_on"]), row["repository"])
    console().print(table)


def _row(service: Service) -> dict[str, Any]:
    return {
        "name": service.name,
        "title": service.title,
        "team": service.team.name if service.team else "",
        "depends_on": sorted(dependency.needs.name for dependency in service.dependencies.all()),
        "repository": service.repository,
        "labels": service.labels,
    }
