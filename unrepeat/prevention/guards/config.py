"""A configuration file of the repository: red when it does not hold what it must (or holds what it must not)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, model_validator

from unrepeat.prevention import kind
from unrepeat.prevention.kind import Outcome, Place, Target, TargetKind, Tools, broken
from unrepeat.prevention.runner.checkout import Inside, about_here, folder_in
from unrepeat.prevention.runner.compare import OPERATIONS, Operation, holds
from unrepeat.prevention.runner.config_files import FORMATS, Format, Found, find, steps_of
from unrepeat.support.problems import Problem

TITLE = "A value in a configuration file"
HELP = (
    "Reads a TOML, YAML, JSON or nginx file of the checkout and compares what it holds at a path. Red when a value is not as it must "
    "be, on the line that says so; a file that is missing or cannot be parsed is broken. Run by `unrepeat check`."
)
SAFE = False
TARGETS: tuple[TargetKind, ...] = ("now", "ref")
SHOWN = 80  # characters of a value


class Spec(kind.Spec):
    """Which file, which path in it, and what must be true of the values there."""

    file: Annotated[Inside, Field(description="The file, inside the checkout.")]
    path: Annotated[
        str, Field(min_length=1, max_length=300, description='Steps by dots; [0] or [*] in lists; "a.b" in quotes.')
    ]
    operation: Annotated[Operation, Field(description=f"One of {', '.join(OPERATIONS)}.")]
    value: Annotated[bool | int | float | str | None, Field(description="What to compare with.")] = None
    format: Annotated[Format | None, Field(description=f"{', '.join(FORMATS)}; default: by the file's name.")] = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Spec:
        needs = self.operation not in ("present", "absent")
        if needs != (self.value is not None):
            raise ValueError(f"{self.operation} {'needs a value' if needs else 'takes no value'}")
        try:
            steps_of(self.path)
        except Problem as problem:
            raise ValueError(f"{problem.what} {problem.why}") from problem
        return self


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:  # noqa: ARG001 (the face of a kind)
    """Read the file and compare."""
    try:
        root = folder_in(target)
        found = find(root, spec.file, spec.format, spec.path)
        return _judged(spec, found, root)
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)


def _judged(spec: Spec, found: list[Found], root: Path) -> Outcome:
    where, figures = f"{spec.path} in {spec.file}", {"found": float(len(found))}
    wanted = spec.operation.replace("_", " ") + (f" {_shown(spec.value)}" if spec.value is not None else "")
    remedy = f"Mend the file: {spec.path} must be {wanted}."
    output = "\n".join(f"{_relative(one, root)}:{one.line}: {spec.path} = {_shown(one.value)}" for one in found[:200])
    about = about_here()
    if not found:
        if spec.operation in ("absent", "not_equals"):
            return Outcome("green", f"{where} is not there, as it must be.", "", output, figures, about)
        place = Place(Path(spec.file).as_posix(), 1)
        return Outcome("red", f"{where} is not there; it must be {wanted}.", remedy, output, figures, about, place)
    for one in found:
        if not holds(spec.operation, one.value, spec.value):
            said = f"{where} is {_shown(one.value)}; it must be {wanted}."
            place = Place(_relative(one, root), one.line)
            return Outcome("red", said, remedy, output, figures, about, place)
    return Outcome("green", f"{where} is {_shown(found[0].value)}, as it must be.", "", output, figures, about)


def _relative(one: Found, root: Path) -> str:
    return one.file.relative_to(root).as_posix()


def _shown(value: Any) -> str:
    said = repr(value) if isinstance(value, dict | list) else f"“{value}”" if isinstance(value, str) else str(value)
    return said if len(said) <= SHOWN else said[: SHOWN - 1] + "…"
