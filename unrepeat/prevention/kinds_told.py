"""What the guard kinds say of themselves, for docs/reference/guards.md."""

from __future__ import annotations

import json
import types
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from unrepeat.prevention.kind import Kind, kind_of
from unrepeat.support.kinds import kinds

MARK = "<!-- From here on it is what the kinds say of themselves; a test keeps it so. -->\n"


def markdown() -> str:
    """A section a kind: its title, what it is for, who runs it, what it can be proven on, its fields."""
    return "".join(_section(name, kind_of(name)) for name in sorted(kinds("unrepeat.prevention.guards")))


def is_table(annotation: object) -> bool:
    """Whether a field is a table of fields of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _section(name: str, kind: Kind) -> str:
    where = "the server and `unrepeat check`" if kind.SAFE else "`unrepeat check` on a runner, never the server"
    lines = [
        f"\n## {name}\n",
        f"**{kind.TITLE}.** {kind.HELP}\n",
        f"Run by: {where}. Runs on: {', '.join(kind.TARGETS)}.\n",
        *_table(kind.Spec),
    ]
    return "\n".join(lines)


def _table(model: type[BaseModel]) -> list[str]:
    rows = ["| field | is | default | means |", "|---|---|---|---|"]
    inner: list[str] = []
    for name, field in model.model_fields.items():
        default = "needed" if field.is_required() else _shown(field)
        kinds_of_it, models = _words(field.annotation)
        rows.append(f"| `{field.alias or name}` | {kinds_of_it} | {default} | {field.description or ''} |")
        for one in models:
            inner += [f"\nFields of `{field.alias or name}`:\n", *_table(one)]
    return [*rows, *inner, ""]


def _shown(field: Any) -> str:
    default = field.get_default(call_default_factory=True)
    if default in (None, "", (), {}) or isinstance(default, BaseModel):
        return "nothing"
    return f"`{json.dumps(default, default=list)}`".replace("|", "\\|")


def _words(annotation: Any) -> tuple[str, list[type[BaseModel]]]:
    """What a field is, in words, and the tables that it may be."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{json.dumps(one)}`" for one in inner), []
    if origin in (Union, types.UnionType):
        told = [_words(one) for one in inner if one is not type(None)]
        return " or ".join(dict.fromkeys(words for words, _ in told)), [model for _, models in told for model in models]
    if origin in (tuple, list, dict):
        words, models = _words(inner[1 if origin is dict else 0])
        return f"{'table' if origin is dict else 'list'} of {words}", models
    if is_table(annotation):
        return "table", [annotation]
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    return names.get(annotation, "value"), []
