"""Reads `unrepeat.toml`: the guards that a service declares in its own repository. No clock, no database.

Each `[[guard]]` has a name, a kind, the measures that it watches over (`PM-12/3`: measure 3 of postmortem 12; or `INC-12/3` of an
incident), and the fields of its kind, beside them or below `[guard.spec]`. `service` at the top of the file holds for all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from unrepeat.prevention.commands import NAME
from unrepeat.prevention.kind import checked
from unrepeat.prevention.proving import digest_of
from unrepeat.support.problems import Invalid, Problem

FILE = "unrepeat.toml"
MEASURE = re.compile(r"(PM|INC)-(\d{1,9})/(\d{1,6})")
OWN = ("name", "kind", "service", "measures", "every", "spec")


@dataclass(frozen=True, slots=True)
class Block:
    """A guard as the file declares it. `spec` is checked and canonical; `line` is that of its heading."""

    name: str
    kind: str
    service: str
    spec: Mapping[str, Any]
    digest: str
    measures: tuple[str, ...]
    every: int
    line: int

    @property
    def place(self) -> str:
        """File and line."""
        return f"{FILE}:{self.line}"


def parse(text: str) -> list[Block]:
    """The guards that a file declares, in its order; Invalid names the line and what to do."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"{FILE} is no TOML.", f"{error}.", "Mend the line that is named.") from error
    unknown = sorted(set(table) - {"service", "guard"})
    if unknown:
        _wrong(_line_of(text, unknown[0]), f"“{unknown[0]}” is not known here", "Use `service` and [[guard]] blocks.")
    service, found = table.get("service", ""), table.get("guard", [])
    if not isinstance(service, str):
        _wrong(_line_of(text, "service"), "`service` is no text", 'Write service = "sessions".')
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        _wrong(_line_of(text, "guard"), "`guard` is no list of tables", "Write each guard below a line [[guard]].")
    lines = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*guard\s*\]\]", line)]
    lines += [1] * (len(found) - len(lines))
    blocks = [_block(one, service, line) for one, line in zip(found, lines, strict=False)]
    names: dict[str, int] = {}
    for block in blocks:
        if block.name in names:
            _wrong(
                block.line, f"the guard {block.name} stands on line {names[block.name]} too", "Give each its own name."
            )
        names[block.name] = block.line
    return blocks


def _block(one: Mapping[str, Any], service: str, line: int) -> Block:
    name, kind = _text(one, "name", line), _text(one, "kind", line)
    if not re.fullmatch(NAME, name):
        _wrong(line, f"“{name[:40]}” is no name of a guard", "Use small letters, digits, dots and dashes.")
    inner = one.get("spec", {})
    if not isinstance(inner, dict):
        _wrong(line, "`spec` is no table", "Write the fields of the kind below [guard.spec].")
    flat = {key: value for key, value in one.items() if key not in OWN}
    if both := sorted(set(flat) & set(inner)):
        _wrong(line, f"“{both[0]}” stands beside and below [guard.spec]", "Say it once.")
    try:
        spec = checked(kind, {**flat, **inner}).model_dump(mode="json", exclude_defaults=True)
    except Problem as problem:
        raise Invalid(f"{FILE}:{line}: {problem.what}", problem.why, problem.remedy) from problem
    every = one.get("every", 0)
    if not isinstance(every, int) or isinstance(every, bool) or every < 0:
        _wrong(line, "`every` is no number of seconds", "Write every = 300, or leave it out.")
    of = one.get("service", service)
    if not isinstance(of, str) or len(of) > 120:
        _wrong(line, "`service` is no name", 'Write service = "sessions".')
    return Block(name, kind, of, spec, digest_of(kind, spec), _measures(one, line), every, line)


def _measures(one: Mapping[str, Any], line: int) -> tuple[str, ...]:
    measures = one.get("measures", [])
    if not isinstance(measures, list) or not all(isinstance(ref, str) and MEASURE.fullmatch(ref) for ref in measures):
        _wrong(line, "`measures` are no measures", 'Write measures = ["PM-12/3"]: measure 3 of postmortem 12.')
    return tuple(dict.fromkeys(measures))


def _text(one: Mapping[str, Any], key: str, line: int) -> str:
    value = one.get(key)
    if not isinstance(value, str) or not value:
        _wrong(line, f"a guard has no `{key}`", f'Write {key} = "...".')
    return value


def _line_of(text: str, key: str) -> int:
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(rf"\s*(\[+\s*)?{re.escape(key)}\b", line):
            return number
    return 1


def _wrong(line: int, why: str, remedy: str) -> NoReturn:
    raise Invalid(f"{FILE}:{line} cannot be used.", f"{why[0].upper()}{why[1:]}.", remedy)
