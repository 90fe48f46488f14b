"""`unrepeat postmortem`: list, show, write and publish reports."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from unrepeat.support import words
from unrepeat.terminal._console import console, records

if TYPE_CHECKING:
    from unrepeat.postmortems.library import Row

app = App(name="postmortem", help="List, show, write and publish postmortems.")
AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
By = Annotated[str, Parameter(help="Who does it; default: the name you are signed in with on this machine.")]


@app.command(name="list")
def list_reports(
    *,
    text: Annotated[str, Parameter(help="Only published reports with these words.")] = "",
    page: int = 1,
    as_json: AsJson = False,
) -> None:
    """List reports, newest first."""
    from unrepeat.postmortems import library

    shelf = library.shelf(text, page=page) if text else library.all_reports(page)
    if as_json:
        print(json.dumps([_row(row) for row in shelf], ensure_ascii=False, default=str))
        return
    if not shelf.rows:
        print("No report found." if text else "No report yet: a draft is made when an incident is resolved.")
        return
    table = records(
        "number", "headline", "when (its zone)", "length", "service", "state", wraps=("headline", "service")
    )
    for row in shelf:
        when = (
            f"{words.day(row.started_at, row.zone)}, {words.clock_time(row.started_at, row.zone)}"
            if row.started_at
            else "–"
        )
        state = f"published, revision {row.revision}" if row.revision else "draft"
        table.add_row(str(row.number), row.headline, when, words.span(row.duration), row.service, state)
    console().print(table)
    if shelf.pages > 1:
        print(f"page {shelf.page} of {shelf.pages}; --page shows another")


@app.command
def show(
    number: int,
    *,
    format_: Annotated[
        Literal["html", "md"] | None, Parameter(name="--format", help="Default: md on the screen, both with --out.")
    ] = None,
    out: Annotated[Path | None, Parameter(help="Folder to write the files into.")] = None,
    draft: Annotated[
        bool, Parameter(negative="", help="The draft as it is now, although a revision is published.")
    ] = False,
    revision: Annotated[int | None, Parameter(help="One published revision.")] = None,
) -> None:
    """Print postmortem NUMBER, or write it into a folder: the newest published revision, else the draft."""
    from unrepeat.postmortems import queries
    from unrepeat.postmortems.formats import folder, html, markdown

    if revision is not None:
        report = queries.revision(number, revision)
    else:
        report = queries.report(number) if draft else queries.current(number)
    if out is not None:
        for path in folder.save(report, out, (format_,) if format_ else ("html", "md")):
            print(f"wrote {path}")
        return
    sys.stdout.write(html.render(report) if format_ == "html" else markdown.document(report).text)


@app.command
def write(
    number: int, section: str, file: Annotated[Path, Parameter(allow_leading_hyphen=True)], *, by: By = ""
) -> None:
    """Write SECTION of postmortem NUMBER from FILE (Markdown; - reads standard input)."""
    from unrepeat.postmortems import commands

    text = sys.stdin.read() if str(file) == "-" else _read(file)
    seq = commands.write(number, section, text, by=by or getpass.getuser())
    print(f"Section {section} of postmortem {number} stands at version {seq}.")


@app.command
def publish(number: int, *, by: By = "") -> None:
    """Publish postmortem NUMBER: freezes its facts, prose and figures into the next revision."""
    from unrepeat.postmortems import commands, queries

    revision = commands.publish(number, by=by or getpass.getuser())
    print(
        f"Postmortem {number} is published as revision {revision}, SHA-256 {queries.revision(number, revision).digest}."
    )


def _read(file: Path) -> str:
    from unrepeat.support.problems import Invalid, NotFound

    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            f"There is no file {file}.", "Nothing was written.", "Name the file that holds the text, or -."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read.", f"{error}.", "Give a text file in UTF-8.") from error


def _row(row: Row) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name not in ("title", "excerpt")}


@app.command
def reindex() -> None:
    """Put all published reports into the search anew: what they say, what they are about, the signs by which repeats are known."""
    from django.db import transaction

    from unrepeat.postmortems import shelving

    done, last = 0, 0
    while True:
        with transaction.atomic():
            step = shelving.reindex(last)
        if step is None:
            break
        done, last = done + 1, step
        print(f"indexed up to PM-{last}")
    print("all published reports are indexed" if done else "no report is published yet")
