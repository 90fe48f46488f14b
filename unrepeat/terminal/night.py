"""`unrepeat night`: would today's guards and alert rules catch each past incident? Asked every night, or now."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress
from rich.table import Table

if TYPE_CHECKING:
    from unrepeat.prevention.coverage.matrix import Cell, Matrix

app = App(
    name="night", help="Would today's guards and alert rules catch each past incident? Asked every night, or now."
)
MARKS = {"caught": "●", "late": "◐", "missed": "○", "broken": "✕", "gone": "–"}


@app.default
def night(
    *,
    show: Annotated[bool, Parameter(negative="", help="Only show the last answers, and ask nothing.")] = False,
    page: int = 1,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")] = False,
) -> None:
    """Ask all guards and rules about all published reports with a recording, and print the matrix. Exit status 1: something is no longer caught."""
    from unrepeat.prevention.coverage import matrix as coverage

    if not show:
        _ask()
    found = coverage.matrix(page)
    if as_json:
        print(json.dumps(asdict(found), ensure_ascii=False, default=str))
    else:
        _tell(found, Console(highlight=False, soft_wrap=True))
    if found.lost:
        sys.exit(1)


def _ask() -> None:
    from unrepeat.prevention.coverage import night as nightly

    total = len(nightly.questions())
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Asking", total=total)
        nightly.whole_night(lambda question: progress.update(task, advance=1, description=escape(question.name)))
    nightly.stand()


def _tell(found: Matrix, console: Console) -> None:
    if not found.lines:
        console.print("Nothing can be asked yet: no published report has a recording.")
        console.print("`unrepeat recording add FOLDER --incident N` takes one in; `unrepeat guard` makes guards.")
        return
    for line in found.lines:
        when = f", {line.started_at:%Y-%m-%d}" if line.started_at else ""
        console.print(f"\n[bold]PM-{line.postmortem} {escape(line.headline)}[/bold]{when}")
        table = Table("", "guard or rule", "answer", "since", box=None, pad_edge=False)
        for column in found.columns:
            if cell := line.cells.get(column.subject):
                table.add_row(MARKS[cell.result], escape(column.name), escape(_said(cell)), f"{cell.since:%Y-%m-%d}")
        console.print(table)
        if line.lost:
            console.print("[bold]No longer caught by anything.[/bold]")
    console.print(f"\n{found.covered} of {found.total} past incidents would be caught.")
    if found.more_columns:
        console.print(f"{found.more_columns} guards and rules are not shown; --json has the numbers.")
    if found.pages > 1:
        console.print(f"page {found.page} of {found.pages}; --page shows another")


def _said(cell: Cell) -> str:
    if cell.result in ("caught", "late") and cell.lead is not None:
        answer = f"{abs(cell.lead):.3g} min {'before' if cell.lead >= 0 else 'after'} people knew"
    else:
        never = "never fired" if cell.first_fired_at is None else f"{cell.said} {cell.remedy}"
        answer = {"missed": never, "gone": "not asked any more"}.get(cell.result, cell.said)
    return f"{answer} (caught before)" if cell.lost else answer
