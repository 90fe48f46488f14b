"""`unrepeat check`: runs the guards that the server may not run, in CI or on your own machine."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from unrepeat.prevention import declared
from unrepeat.prevention.kind import Target
from unrepeat.support.http import Unreachable
from unrepeat.support.problems import Invalid, NotAllowed, NotFound, Problem
from unrepeat.terminal import _check_files as files
from unrepeat.terminal import _check_view as view
from unrepeat.terminal import _checking as checking
from unrepeat.terminal import _git as git
from unrepeat.terminal import _outbox as outboxes
from unrepeat.terminal._console import console
from unrepeat.terminal._desk import Desk, Plain, Remote, desk
from unrepeat.terminal._outbox import Outbox, Sent

app = App(name="check", help="Run the guards of a checkout, and say what would come back.")
RED, BROKEN = 1, 2  # exit statuses


@app.default
def check(
    *,
    service: Annotated[str, Parameter(help="Of which service; default: the one that unrepeat.toml names.")] = "",
    path: Annotated[Path, Parameter(help="The checkout.")] = Path(),
    only: Annotated[list[str] | None, Parameter(negative="", help="Only the guard of this name.")] = None,
    junit: Annotated[Path | None, Parameter(help="Write the results there as JUnit XML.")] = None,
    sarif: Annotated[Path | None, Parameter(help="Write the results there as SARIF 2.1.0.")] = None,
    github: Annotated[bool, Parameter(negative="", help="Print GitHub's annotations.")] = False,
    set_: Annotated[
        list[str] | None, Parameter(name="--set", negative="", help="NAME=VALUE for {NAME} in commands: version=2.0.")
    ] = None,
    recordings: Annotated[
        list[Path] | None, Parameter(negative="", help="Folders of recordings, for backtests; default: recordings/.")
    ] = None,
    url: Annotated[str, Parameter(help="The server; default: UNREPEAT_URL.")] = "",
    offline: Annotated[bool, Parameter(negative="", help="Ask no server; results wait for the next check.")] = False,
    declare: Annotated[
        bool, Parameter(help="Tell the server of texts in unrepeat.toml that it does not have, if the token may.")
    ] = True,
    outbox: Annotated[
        Path | None, Parameter(help="Where results wait; default: .unrepeat/outbox in the checkout.")
    ] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")] = False,
) -> None:
    """Run the guards of a checkout: those of its unrepeat.toml, and those of the server for its service that a runner must run.

    Exit status 0: all green. 1: a guard is red, and the output says which report would repeat. 2: none is red, but one could not
    say, or there is nothing to check; that must not pass for green. Results go to the server, or wait until it can be reached.
    """
    try:
        asked = _Asked(service, path.resolve(), tuple(only or ()), pairs(set_ or []), recordings, url, outbox)
        made = _check(asked, offline=offline, declare=declare)
        _write(made, junit, sarif)
    except Problem as problem:
        for sentence in (problem.what, problem.why, problem.remedy):
            print(sentence, file=sys.stderr)
        sys.exit(BROKEN)
    if as_json:
        print(json.dumps(view.plain(made.done, made.target, made.sent), ensure_ascii=False))
    else:
        view.show(
            console(styled=True), console(stderr=True, styled=True), made.done, made.target, made.sent, made.server
        )
    for line in files.github(made.done) if github else ():
        print(line)
    colours = {one.colour for one in made.done}
    sys.exit(RED if "red" in colours else BROKEN if "broken" in colours else 0)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to check, and with what."""

    service: str
    path: Path
    only: tuple[str, ...]
    variables: dict[str, str]
    recordings: list[Path] | None
    url: str
    outbox: Path | None


@dataclass(frozen=True, slots=True)
class _Made:
    """The check that was made. `server` None: none was asked."""

    done: list[checking.Checked]
    target: Target
    sent: Sent
    server: Desk | None


def _check(asked: _Asked, *, offline: bool, declare: bool) -> _Made:
    told, path = console(stderr=True, styled=True), asked.path
    blocks = [block for block in read_blocks(path) if asked.service in ("", block.service)]
    services = sorted({asked.service} if asked.service else {block.service for block in blocks if block.service})
    box = Outbox(asked.outbox or path / ".unrepeat" / "outbox")
    server, known = (None, []) if offline else _known(services, asked.url, box.folder.parent, told)
    if server is not None and declare:
        known = _declare(server, blocks, known, told)
    if isinstance(server, Remote):
        outboxes.keep_known(box.folder.parent, known)
    guards = [one for one in checking.plan(blocks, known) if asked.service in ("", one.service)]
    guards = [one for one in guards if not asked.only or one.name in asked.only]
    if not guards:
        raise NotFound(
            "There is nothing to check.",
            f"{path} has no {declared.FILE} with guards, and the server was not asked or has none for this service.",
            "Name the service (--service), the checkout (--path) and the server (UNREPEAT_URL), or declare a guard.",
        )
    target = target_here(path, asked.variables)
    folders = asked.recordings if asked.recordings is not None else [path / "recordings"]
    with told.status("") as bar:
        found = checking.recordings_in([folder for folder in folders if folder.is_dir()])
        done = checking.run_all(guards, target, found, lambda name: bar.update(f"running {name}"))
    for of in sorted({one.guard.service for one in done}):
        box.put(of, [one.result for one in done if one.outcome and one.guard.service == of])
    sent = box.send(server) if server is not None else Sent({}, len(box.waiting()))
    inside = git.inside(path)
    done = [replace(one, inside=inside) for one in checking.answered(done, sent.taken)]
    return _Made(done, target, sent, server)


def read_blocks(path: Path) -> list[declared.Block]:
    """The guards that the checkout declares; none when it has no file."""
    if not path.is_dir():
        raise NotFound(f"There is no checkout {path}.", "It is no folder.", "Name it: --path.")
    file = path / declared.FILE
    if not file.is_file():
        return []
    try:
        return declared.parse(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise Invalid(f"{declared.FILE} cannot be read.", "It is not UTF-8.", "Save it as UTF-8.") from error


def target_here(path: Path, variables: dict[str, str]) -> Target:
    """The checkout as it is now: its commit, and what was set."""
    commit = git.commit_of(path)
    ref = ";".join(
        [part for part in (commit, *(f"{name}={value}" for name, value in sorted(variables.items()))) if part]
    )
    short = f"{commit[:12]}{' with changes' if '+dirty' in commit else ''}" if commit else "the folder"
    words = " ".join([short, *(f"{name}={value}" for name, value in sorted(variables.items()))])
    known = ({"ref": commit.partition("+")[0]} if commit else {}) | variables
    return Target("now", words[:300], folder=path, ref=ref[:120], variables=known)


def _known(services: list[str], url: str, kept: Path, told: Console) -> tuple[Desk | None, list[Plain]]:
    """The server, and the guards that it has for these services. None when it cannot be reached, which is said; the guards are
    then those of the last time.
    """
    server = desk(url)
    if not isinstance(server, Remote) and not _has_database():
        told.print("No server is named (UNREPEAT_URL): only the guards of this checkout are run.", style="yellow")
        return None, []
    try:
        return server, [guard for service in services for guard in server.guards(service)]
    except Unreachable as problem:
        told.print(f"{problem.what} {problem.why} Results wait here.", style="yellow")
        return None, [one for one in outboxes.known(kept) if one["service"] in services]


def _declare(server: Desk, blocks: list[declared.Block], known: list[Plain], told: Console) -> list[Plain]:
    """Tell the server of texts that it does not have; what it knows afterwards."""
    by_name = {one["name"]: one for one in known}
    for block in blocks:
        has = by_name.get(block.name)
        refs = {one["ref"] for one in has["measures"]} if has else set()
        if has and has["digest"] == block.digest and set(block.measures) <= refs and has["service"] == block.service:
            continue
        try:
            made = server.declare(block.name, body_of(block))
        except NotAllowed as problem:
            told.print(f"{block.name} was not declared: {problem.what} {problem.why}", style="yellow")
            continue
        except Problem as problem:
            if problem.status != 403:
                raise
            told.print(f"{block.name} was not declared: {problem.what}", style="yellow")
            continue
        by_name[block.name] = made
        if made["changed"]:
            what = (
                "is new on the server, and unproven"
                if made["new"]
                else "has another text on the server, and is unproven"
            )
            told.print(f"{block.name} {what}: `unrepeat guard prove {block.name}` tries it.", soft_wrap=True)
    return list(by_name.values())


def body_of(block: declared.Block) -> Plain:
    """A declaration as the API takes it."""
    return {
        "kind": block.kind,
        "spec": dict(block.spec),
        "service": block.service,
        "every": block.every,
        "measures": list(block.measures),
        "origin": "repository",
        "place": block.place,
    }


def _has_database() -> bool:
    from django.db import connection

    if connection.settings_dict["NAME"] == ":memory:":
        return False
    tables: list[str] = connection.introspection.table_names()
    return "prevention_guard" in tables


def _write(made: _Made, junit: Path | None, sarif: Path | None) -> None:
    wanted = {}
    if junit is not None:
        wanted[junit] = files.junit(made.done)
    if sarif is not None:
        wanted[sarif] = json.dumps(files.sarif(made.done, made.target.ref), ensure_ascii=False, indent=1) + "\n"
    for file, text in wanted.items():
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Invalid(f"{file} cannot be written.", f"{error}.", "Name another file.") from error


def pairs(said: list[str]) -> dict[str, str]:
    """NAME=VALUE as a table; Invalid when one is not."""
    pairs = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals or not name.isidentifier():
            raise Invalid(f"“{one}” sets nothing.", "It is not NAME=VALUE.", "Write --set version=2.0.")
        pairs[name] = value
    return pairs
