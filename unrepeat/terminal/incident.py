"""`unrepeat incident`: what is going on, and everything that people can do about it.

Each act of `incidents/acts.py` is a command here: its fields are the options, its docstring is the help.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_type_hints

from cyclopts import App, Parameter

from unrepeat.incidents import checks
from unrepeat.incidents.acts import ACTS, Act
from unrepeat.terminal._console import console

app = App(name="incident", help="See what is going on, open incidents, and act on them.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, the same as the API's.")]
By = Annotated[str, Parameter(help="Who does it; default: the person signed in to this machine.")]
At = Annotated[datetime | None, Parameter(help="When it happened (ISO 8601; UTC when no zone is given); default: now.")]
Key = Annotated[str | None, Parameter(help="A key of your own: under it, this happens at most once.")]
KEY = 100  # characters of a key that somebody gives
StatusWord = Literal["open", "detected", "acknowledged", "mitigated", "resolved", "reopened", "merged"]
Severity = Literal["critical", "major", "minor", "info"]


@app.command(name="list")
def list_incidents(
    *,
    status: Annotated[StatusWord | None, Parameter(help="Only these; `open` stands for all that are not over.")] = None,
    service: Annotated[str, Parameter(help="Only those of this service.")] = "",
    page: Annotated[int, Parameter(help="Which page of fifty.")] = 1,
    as_json: AsJson = False,
) -> None:
    """List incidents, newest first."""
    from unrepeat.incidents import queries
    from unrepeat.terminal import _incident_view as view

    found = queries.incidents(status=status or "", service=service, page=page)
    if as_json:
        from unrepeat.web.api.incidents import row_plain

        _print_json({"items": [row_plain(row) for row in found], "count": found.total})
        return
    view.listing(console(), found)


@app.command
def show(number: int, *, as_json: AsJson = False) -> None:
    """Show incident NUMBER: its state, suspects, alerts and changes, and its timeline."""
    from unrepeat.incidents import queries
    from unrepeat.terminal import _incident_view as view

    if as_json:
        from unrepeat.web.api.generated import logged_plain
        from unrepeat.web.api.incidents import full

        log = [logged_plain(logged) for logged in queries.log_of(number)]
        _print_json(full(number) | {"log": log})
        return
    view.whole(console(), queries.incident(number), queries.log_of(number))


@app.command(name="open")
def open_incident(
    title: str,
    *,
    service: Annotated[str, Parameter(help="The service that suffers.")] = "",
    severity: Annotated[Severity, Parameter(help="How bad it is.")] = "major",
    by: By = "",
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """Open an incident with the headline TITLE by hand."""
    from unrepeat.incidents import commands

    number = commands.open_incident(title, service=service, severity=severity, by=_who(by), at=_utc(at))
    if as_json:
        _print_json({"number": number})
        return
    print(f"Opened incident {number}.")


@app.command
def rebuild() -> None:
    """Make the summary rows of all incidents again from their logs, and say how many were wrong."""
    from unrepeat.incidents import commands

    seen, wrong = commands.rebuild()
    print(f"{seen} summary rows made again from their logs; {wrong} were wrong.")


def _act_command(act: type[Act]) -> Callable[..., None]:
    """The command of an act: NUMBER, then its fields, then who, when and under which key."""

    def command(*given: Any, **said: Any) -> None:
        from unrepeat.incidents import commands, queries
        from unrepeat.terminal import _incident_view as view

        values = signature.bind(*given, **said).arguments
        number, by, at = values.pop("number"), _who(values.pop("by", "")), _utc(values.pop("at", None))
        values = {name: _utc(value) if isinstance(value, datetime) else value for name, value in values.items()}
        key, as_json = _key(number, act, values.pop("key", None)), values.pop("as_json", False)
        written = commands.perform(number, act(**values), by=by, at=at, key=key)
        if as_json:
            from unrepeat.web.api.generated import logged_plain

            _print_json({"entries": [logged_plain(logged) for logged in written]})
            return
        view.written(console(), written, queries.state_of(number).time_zone)

    hints = get_type_hints(act)
    fields = [
        inspect.Parameter(
            field.name,
            _place(field, hints[field.name]),
            default=inspect.Parameter.empty if field.default is dataclasses.MISSING else field.default,
            annotation=hints[field.name],
        )
        for field in dataclasses.fields(act)
    ]
    number = inspect.Parameter("number", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=int)
    common = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, default, annotation in (
            ("by", "", By),
            ("at", None, At),
            ("key", None, Key),
            ("as_json", False, AsJson),
        )
    ]
    parameters = sorted([number, *fields, *common], key=lambda parameter: parameter.kind)
    signature = inspect.Signature(parameters)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = act.__doc__
    command.__name__ = act.name
    return command


def _place(field: dataclasses.Field[Any], hint: Any) -> Any:
    """Fields that must be given stand in their order behind the number; the others, and lists, are options."""
    listed = str(hint).startswith("tuple")
    if field.default is dataclasses.MISSING and not listed:
        return inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Parameter.KEYWORD_ONLY


for _act in ACTS.values():
    app.command(_act_command(_act), name=_act.name.replace("_", "-"))


def _key(number: int, act: type[Act], given: str | None) -> str | None:
    """The key in the log: the same one at another incident or act is another effect, as in the API."""
    return None if given is None else f"terminal:{number}:{act.name}:{checks.text('key', given, KEY)}"


def _who(by: str) -> str:
    if by:
        return by
    import getpass

    return getpass.getuser()


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _print_json(value: Any) -> None:
    from unrepeat.web.api.body import plain

    print(json.dumps(value, ensure_ascii=False, default=plain))
