"""`unrepeat guard`: declare guards, tie them to measures, prove them on the failure and on the fix, and run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from unrepeat.prevention import declared
from unrepeat.prevention.kind import kind_of
from unrepeat.support.problems import Invalid, NotFound
from unrepeat.terminal import _checking as checking
from unrepeat.terminal import _guard_view as view
from unrepeat.terminal import _proving as proving
from unrepeat.terminal._console import console
from unrepeat.terminal._desk import Local, desk
from unrepeat.terminal.check import body_of, pairs, target_here

app = App(name="guard", help="Declare guards, prove them on the failure and on the fix, and run them.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, the same as the API's.")]
Url = Annotated[str, Parameter(help="The server; default: UNREPEAT_URL, else this machine's database.")]
Set = Annotated[
    list[str] | None,
    Parameter(name="--set", negative="", help="NAME=VALUE for {NAME} in commands, or a field's value."),
]
Recordings = Annotated[list[Path] | None, Parameter(negative="", help="Folders of recordings; default: recordings/.")]


@app.command(name="list")
def list_guards(
    *,
    service: Annotated[str, Parameter(help="Only those of this service.")] = "",
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """List the guards in service: colour, proof, and the measures that they watch over."""
    found = desk(url).guards(service)
    if as_json:
        view.print_json({"items": found, "count": len(found)})
        return
    view.listing(console(styled=True), found)


@app.command
def show(name: str, *, url: Url = "", as_json: AsJson = False) -> None:
    """Show the guard NAME: its text, its newest runs and proofs."""
    asked = desk(url)
    found, runs, proofs = asked.guard(name), asked.runs(name), asked.proofs(name)
    if as_json:
        view.print_json(found | {"newest_runs": runs, "newest_proofs": proofs})
        return
    view.whole(console(styled=True), found, runs, proofs)


@app.command
def declare(
    name: str = "",
    *,
    file: Annotated[
        Path | None, Parameter(help="A file like unrepeat.toml: all its guards, or the one called NAME.")
    ] = None,
    kind: Annotated[str, Parameter(help="Without a file: its kind.")] = "",
    service: Annotated[str, Parameter(help="The service that it guards.")] = "",
    every: Annotated[int, Parameter(help="Seconds between runs by the server; 0: it does not run it by itself.")] = 0,
    measure: Annotated[
        list[str] | None, Parameter(negative="", help="PM-12/3 or INC-12/3: what it watches over.")
    ] = None,
    set_: Set = None,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """Declare the guard NAME by its fields (--set field=value; JSON values are taken as such), or the guards of a file.

    A guard that has another text afterwards is unproven again.
    """
    asked = desk(url)
    if file is not None:
        blocks = declared.parse(_text(file))
        wanted = [block for block in blocks if name in ("", block.name)]
        if not wanted:
            raise NotFound(f"{file} declares no guard {name}.", remedy="Look into the file for its names.")
        made = [asked.declare(block.name, body_of(block)) for block in wanted]
    elif name and kind:
        spec = {key: _value(value) for key, value in pairs(set_ or []).items()}
        body = {"kind": kind, "spec": spec, "service": service, "every": every, "measures": measure or []}
        made = [asked.declare(name, body | {"origin": "terminal"})]
    else:
        raise Invalid("Nothing was declared.", "Neither a file nor NAME and --kind were given.", "Give one of them.")
    if as_json:
        view.print_json({"items": made})
        return
    for one in made:
        what = "is new" if one["new"] else "has another text, and is unproven" if one["changed"] else "is as it was"
        print(f"{one['name']} {what}.")


@app.command
def tie(name: str, measure: str, *, url: Url = "") -> None:
    """Let the guard NAME watch over MEASURE: PM-12/3 is measure 3 of postmortem 12, INC-12/3 of incident 12."""
    desk(url).act(name, "tie", {"measure": measure.upper()})
    print(f"{name} watches over {measure.upper()}.")


@app.command
def untie(name: str, measure: str, *, reason: Annotated[str, Parameter(help="Why.")] = "", url: Url = "") -> None:
    """Let the guard NAME watch over MEASURE no more."""
    desk(url).act(name, "untie", {"measure": measure.upper(), "reason": reason})
    print(f"{name} does not watch over {measure.upper()}.")


@app.command
def retire(
    name: str, *, reason: Annotated[str, Parameter(help="Why it is not needed any more.")], url: Url = ""
) -> None:
    """Take the guard NAME out of service: it verifies no measure any more. Its runs and proofs stay."""
    desk(url).act(name, "retire", {"reason": reason})
    print(f"{name} is out of service.")


@app.command
def prove(
    name: str,
    *,
    failure: Annotated[
        str, Parameter(help="What shows the failure: a git ref, version:2.0, recording:NAME, a window.")
    ],
    fix: Annotated[str, Parameter(help="What shows it gone, in the same words.")],
    repo: Annotated[Path, Parameter(help="The checkout: its unrepeat.toml, its git repository.")] = Path(),
    bring: Annotated[
        list[Path] | None,
        Parameter(
            negative="", help="Files of this checkout to copy into both: tests that the failure did not have yet."
        ),
    ] = None,
    set_: Set = None,
    recordings: Recordings = None,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """Run the guard NAME on the failure and on the fix. Only red on the one and green on the other proves it; exit status 1 else.

    Git refs are checked out beside the repository for the time of the run. A guard that the server may run, and that is meant to
    look at what only the server has, is proven there.
    """
    asked = desk(url)
    trial = proving.Trial(failure, fix, repo.resolve(), tuple(bring or ()), pairs(set_ or []))
    proof = proving.prove(asked, name, trial, recordings)
    if as_json:
        view.print_json(proof)
    else:
        view.proof(console(styled=True), name, proof)
    if not proof["proven"]:
        raise SystemExit(1)


@app.command
def run(
    name: str,
    *,
    path: Annotated[Path, Parameter(help="The checkout.")] = Path(),
    set_: Set = None,
    recordings: Recordings = None,
    url: Url = "",
    as_json: AsJson = False,
) -> None:
    """Run the guard NAME now, here, and keep the result; a kind that the server runs is run by the server that is named.

    Exit status 1 when it is red, 2 when it could not say.
    """
    asked, path = desk(url), path.resolve()
    guard = proving.planned(asked, name, path)
    if kind_of(guard.kind).SAFE and not isinstance(asked, Local):
        result = proving.run_there(asked, name)
    else:
        found = proving.recordings_for(asked, recordings, path)
        done = checking.run(guard, target_here(path, pairs(set_ or [])), found)
        taken = asked.report(guard.service, [done.result])[0]
        if not taken["kept"]:
            problem = taken["problem"]
            raise Invalid(problem["what"], problem["why"], problem["remedy"])
        result = done.result | {"flaky": taken["flaky"]}
    if as_json:
        view.print_json(result)
    else:
        view.ran(console(styled=True), name, result)
    raise SystemExit({"green": 0, "red": 1}.get(result["colour"], 2))


@app.command
def promtool(
    name: str,
    *,
    rules: Annotated[
        bool, Parameter(negative="", help="Print the rule file instead, to be kept as rules.yml.")
    ] = False,
    repo: Annotated[Path, Parameter(help="The checkout.")] = Path(),
    recordings: Recordings = None,
    url: Url = "",
) -> None:
    """Print the file for `promtool test rules` that says the same as the guard NAME (an alert_backtest), for your rules' repository."""
    print(proving.promtool_file(desk(url), name, repo.resolve(), recordings, rules=rules))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read.", f"{error}.", "Name a file like unrepeat.toml.") from error


def _value(text: str) -> object:
    """What was said, as JSON when it is some; else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
