"""What a guard kind is: one module in `guards/` with TITLE, HELP, SAFE, TARGETS, a `Spec` and `run`. Nothing to register.

`run` never raises for what the world does: a check that could not say becomes an outcome `broken` with what, why and remedy.
Colours: **red**, the failure shows; **green**, it does not; **broken**, it could not be told. Broken proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from unrepeat.incidents.entries import Colour
from unrepeat.support.kinds import kinds
from unrepeat.support.problems import Invalid, NotFound

OUTPUT = 64 * 1024  # bytes of output that a run keeps: the end of it
SAID = 1_000  # characters
TargetKind = Literal["now", "recording", "window", "ref", "version"]


class Spec(BaseModel):
    """A guard's text. Each kind has its own; unknown fields are refused, so that a slip of the pen is seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Target:
    """What a guard runs on. `words` is how people call it; `folder` is a recording or a checkout; `ref` a commit or version."""

    kind: TargetKind = "now"
    words: str = "now"
    folder: Path | None = None
    window: tuple[datetime, datetime] | None = None
    ref: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)  # what `{name}` in a command stands for


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording that guards may read: its folder has the manifest."""

    name: str
    folder: Path
    healthy: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What a run may use: its time, and the recordings that are known by name."""

    seconds: float = 60.0
    recordings: Mapping[str, Recorded] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file, for annotations: the path is relative to the checkout, lines count from 1."""

    path: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. `said`: one sentence with the numbers; `remedy`: what to do, when there is something to do."""

    colour: Colour
    said: str
    remedy: str = ""
    output: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    place: Place | None = None


class Kind(Protocol):
    """The face of a module in `guards/`."""

    TITLE: str  # of one line, for people
    HELP: str  # a few sentences: what it is for, what red means
    SAFE: bool  # whether the server may run it; otherwise only `unrepeat check` does
    # HEAVY = True, where there is one: a run works on the server as long as it lasts, so that few may at once
    TARGETS: tuple[TargetKind, ...]  # what it can be proven on
    Spec: type[Spec]

    def run(self, spec: Any, target: Target, tools: Tools) -> Outcome:
        """Run it."""


def kind_of(name: str) -> Kind:
    """The kind by its name; NotFound."""
    found = kinds("unrepeat.prevention.guards").get(name)
    if found is None:
        known = ", ".join(kinds("unrepeat.prevention.guards"))
        raise NotFound(f"There is no guard kind “{name}”.", remedy=f"The kinds are: {known}.")
    return cast("Kind", found)


def checked(kind: str, spec: Mapping[str, Any]) -> Spec:
    """The text of a guard, checked by its kind; Invalid names each field that cannot be used."""
    try:
        return kind_of(kind).Spec.model_validate(dict(spec))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'the text'}: {_words(one['msg'])}" for one in error.errors()[:5]
        )
        raise Invalid(
            f"This is no text of a {kind} guard.",
            f"{wrong}.",
            f"docs/reference/guards.md lists the fields of {kind}.",
        ) from error


def _words(said: str) -> str:
    """What pydantic says, for people who write TOML and JSON: those have lists and tables."""
    return said.replace("a valid tuple", "a list").replace("a valid dictionary", "a table")


def broken(said: str, remedy: str, output: str = "") -> Outcome:
    """The outcome of a run that could not say."""
    return Outcome("broken", said[:SAID], remedy[:SAID], output[-OUTPUT:])
