"""`unrepeat source`: who may send alerts and changes here."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime, timedelta
from typing import Annotated, Any

from cyclopts import App, Parameter

from unrepeat.support.problems import Invalid
from unrepeat.terminal import _kinds
from unrepeat.terminal._console import console, records

app = App(name="source", help="Say who may send alerts and changes here: addresses, tokens and signing secrets.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]
SecretStdin = Annotated[
    bool,
    Parameter(negative="", help="Read the signing secret from standard input; it appears in no list of processes."),
]
UNITS = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command
def add(
    name: str,
    *,
    kind: Annotated[str, Parameter(help="What sends; `unrepeat source kinds` lists them.")],
    secret_stdin: SecretStdin = False,
    option: Annotated[
        list[str] | None,
        Parameter(negative="", help="KEY=VALUE of the kind, for example signature_header=X-Signature."),
    ] = None,
    max_bytes: Annotated[int | None, Parameter(help="Largest body taken; default: the kind's own limit.")] = None,
    as_json: AsJson = False,
) -> None:
    """Add the source NAME; prints its address with the token, once."""
    from unrepeat.arrivals import commands

    secret = _read_secret() if secret_stdin else None
    token = commands.add_source(name, kind, secret=secret, options=_options(option), max_bytes=max_bytes)
    _show_address(name, kind, token, as_json=as_json)


@app.command(name="list")
def list_sources(*, as_json: AsJson = False) -> None:
    """List the sources: kind, good tokens, last delivery, what waits, what could not be read."""
    from unrepeat.arrivals import queries

    rows = queries.sources()
    if as_json:
        print(json.dumps([_row(row) for row in rows], ensure_ascii=False))
        return
    table = records(
        "name", "kind", "tokens", "signed", "last heard (UTC)", "waiting", "unreadable", wraps=("name", "kind")
    )
    for row in rows:
        last = f"{row.last_at:%Y-%m-%d %H:%M}" if row.last_at else "never"
        signed = "yes" if row.signed else "no"
        table.add_row(row.name, row.kind, str(row.tokens), signed, last, str(row.waiting), str(row.unreadable))
    console().print(table)


@app.command
def kinds(*, as_json: AsJson = False) -> None:
    """List the kinds of sources, and how to set each up at the sender."""
    from unrepeat.arrivals.kind import source_kinds

    told = {name: (kind.TITLE, kind.HELP) for name, kind in source_kinds().items()}
    _kinds.show(told, "what sends", as_json=as_json)


@app.command
def rotate(
    name: str,
    *,
    overlap: Annotated[str, Parameter(help="How long the old token goes on working: 90m, 24h, 7d, 0.")] = "24h",
    as_json: AsJson = False,
) -> None:
    """Make a new token for the source NAME; prints its address, once. The old token works for the overlap."""
    from unrepeat.arrivals import commands, queries

    token = commands.rotate(name, _span(overlap))
    kind = next(row.kind for row in queries.sources() if row.name == name)
    _show_address(name, kind, token, as_json=as_json)


@app.command
def revoke(name: str) -> None:
    """End all tokens of the source NAME at once: its deliveries are refused from then on. What it has sent stays."""
    from unrepeat.arrivals import commands

    ended = commands.revoke(name)
    print(
        f"{ended} token{'' if ended == 1 else 's'} of {name} revoked; `unrepeat source rotate {name}` makes a new one."
    )


@app.command
def secret(
    name: str,
    *,
    overlap: Annotated[str, Parameter(help="How long the former secret stays good: 90m, 24h, 7d, 0.")] = "24h",
    remove: Annotated[
        bool, Parameter(negative="", help="Take the secret away: unsigned bodies are taken again.")
    ] = False,
) -> None:
    """Set the signing secret of the source NAME, read from standard input; or take it away."""
    from unrepeat.arrivals import commands

    if remove:
        commands.remove_secret(name)
        print(f"{name} takes unsigned bodies now; its token still guards it.")
        return
    commands.set_secret(name, _read_secret(), overlap=_span(overlap))
    print(f"The secret of {name} is set: bodies without a good signature are refused.")


@app.command
def option(name: str, *pairs: str) -> None:
    """Set options of the source NAME's kind, as KEY=VALUE; an empty value takes an option away."""
    from unrepeat.arrivals import commands

    commands.set_options(name, _options(list(pairs)))
    print(f"The options of {name} are set.")


@app.command
def limit(
    name: str, most: Annotated[int, Parameter(name="BYTES", help="Largest body taken; 0: the kind's own.")]
) -> None:
    """Set how long a body of the source NAME may be, in BYTES; longer ones are answered 413."""
    from unrepeat.arrivals import commands

    commands.set_limit(name, most)
    print(f"{name} takes at most {most} bytes now." if most else f"{name} takes as much as its kind allows now.")


def _show_address(name: str, kind: str, token: str, *, as_json: bool) -> None:
    from unrepeat.arrivals.kind import source_kind
    from unrepeat.support.config import config

    path = f"/in/{name}/{token}"
    url = f"{config().base_url.rstrip('/')}{path}"
    if as_json:
        print(json.dumps({"name": name, "kind": kind, "path": path, "url": url, "token": token}))
        return
    print(f"Address (shown only now): {url}")
    print(source_kind(kind).HELP)


def _row(row: Any) -> dict[str, Any]:
    names = ("name", "kind", "title", "made_at", "tokens", "signed", "last_at", "waiting", "unreadable")
    values = {name: getattr(row, name) for name in names}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _read_secret() -> str:
    if sys.stdin.isatty():
        from getpass import getpass

        return getpass("Signing secret: ").strip()
    return sys.stdin.read().strip()


def _options(pairs: list[str] | None) -> dict[str, str]:
    options = {}
    for pair in pairs or []:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise Invalid(f"“{pair}” is no option.", "It has no “=”.", "Write KEY=VALUE.")
        options[key] = value
    return options


def _span(written: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})\s*([smhd]?)", written.strip())
    if not found:
        raise Invalid(
            f"“{written}” is no length of time.", "It is not a number and a unit.", "Write 90m, 24h, 7d or 0."
        )
    return timedelta(**{UNITS[found[2]]: int(found[1])})
