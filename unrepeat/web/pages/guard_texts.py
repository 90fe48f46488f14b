"""A guard's text as TOML for people: written, read, and explained field by field from its kind."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w

import unrepeat.prevention
from unrepeat.prevention.kind import Kind, kind_of
from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Invalid

SAMPLES = Path(unrepeat.prevention.__file__).parent / "samples"
LONGEST = 64 * 1024  # characters of a text
ON = {
    "now": "as things are",
    "recording": "a recorded outage, by its name",
    "window": "a window of live data: 2024-08-12T15:15Z/2024-08-12T18:00Z",
    "version": "a version: version:2.0",
    "ref": "a git ref",
}
"""What a guard can be proven on, in words."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A field of a kind's text: what it means, and its value when it is left out."""

    name: str
    what: str
    required: bool
    default: str


@dataclass(frozen=True, slots=True)
class KindShown:
    """A guard kind for people."""

    name: str
    title: str
    help: str
    safe: bool
    targets: tuple[str, ...]


def all_kinds() -> list[KindShown]:
    """The kinds, those that the server runs first."""
    shown = [kind_shown(name) for name in kinds("unrepeat.prevention.guards")]
    return sorted(shown, key=lambda one: (not one.safe, one.name))


def kind_shown(name: str) -> KindShown:
    """One kind; NotFound."""
    found: Kind = kind_of(name)
    return KindShown(name, found.TITLE, found.HELP, found.SAFE, tuple(found.TARGETS))


def kind_module(name: str) -> Any:
    """The module of a kind, for what only some kinds offer; NotFound."""
    return kind_of(name)


def written(spec: Mapping[str, Any]) -> str:
    """A text as TOML."""
    return tomli_w.dumps(_without_none(spec), multiline_strings=True)


def read(text: str) -> dict[str, Any]:
    """The fields that a TOML text has, below [spec] or by themselves; Invalid says the line."""
    if len(text) > LONGEST:
        raise Invalid(
            "The text is too long.", f"It has {len(text):,} of at most {LONGEST:,} characters.", "Shorten it."
        )
    try:
        table = tomllib.loads(text.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(
            "The text is no TOML.", f"{error}.", "Mend the line that is named; texts stand in quotes."
        ) from error
    inner = table.get("spec")
    return inner if list(table) == ["spec"] and isinstance(inner, dict) else table


@cache
def example(kind: str) -> str:
    """The text of the kind's sample, as TOML; empty when it has none."""
    sample = SAMPLES / kind / "guard.toml"
    if not sample.is_file():
        return ""
    table = tomllib.loads(sample.read_text())
    return written(table.get("spec", table))


def explained(kind: str) -> list[Explained]:
    """The fields of a kind's text, the required ones first."""
    schema = kind_of(kind).Spec.model_json_schema()
    needed = set(schema.get("required", ()))
    made = []
    for name, field in schema.get("properties", {}).items():
        default = field.get("default")
        shown = "" if default in (None, "", [], {}) else str(default)
        made.append(Explained(name, str(field.get("description", "")), name in needed, shown))
    return sorted(made, key=lambda one: not one.required)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_none(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, list | tuple):
        return [_without_none(inner) for inner in value if inner is not None]
    return value
