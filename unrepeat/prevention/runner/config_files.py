"""Finds the values at a path of a TOML, YAML, JSON or nginx file, with the lines on which they stand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import crossplane
import yaml

from unrepeat.support.problems import Invalid

Format = Literal["toml", "yaml", "json", "nginx"]
FORMATS: tuple[str, ...] = get_args(Format)
_BY_SUFFIX: dict[str, Format] = {
    ".toml": "toml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".conf": "nginx",
    ".nginx": "nginx",
}
MOST_BYTES = 4 * 1024 * 1024
_STEP = re.compile(r'\.?(?:"(?P<quoted>[^"]+)"|\[(?P<index>\d+|\*|[^\]\d*][^\]]*)\]|(?P<name>[^.\[\]"]+))')
Step = str | int


@dataclass(frozen=True, slots=True)
class Found:
    """A value at the path, and where it stands."""

    value: Any
    file: Path
    line: int


class Which(str):
    """In nginx paths: of several blocks of one name, those with these arguments (`location[/api]`)."""

    __slots__ = ()


def steps_of(path: str) -> list[Step]:
    """The steps of a path: `a.b[0].*."c.d"`; Invalid when it has none."""
    steps: list[Step] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None or found.end() == at:
            raise Invalid(
                f"“{path[:60]}” is no path.", f"It cannot be read from “{path[at : at + 20]}” on.", "Mend it."
            )
        index = found["index"]
        if index is not None:
            steps.append(int(index) if index.isdecimal() else index if index == "*" else Which(index))
        else:
            steps.append(found["quoted"] or found["name"])
        at = found.end()
    return steps


def find(root: Path, name: str, form: Format | None, path: str) -> list[Found]:
    """The values at a path, in the file's order; Invalid when the file is missing, too large or cannot be parsed."""
    file = (root / name).resolve()
    if not file.is_file() or not file.is_relative_to(root):
        raise Invalid(
            f"The checkout has no file {name}.", "It is not there, or leads out of it.", "Mend the guard's file."
        )
    form = form or _BY_SUFFIX.get(file.suffix.lower())
    if form is None:
        raise Invalid(
            f"{name} is of no known format.", "Its name does not tell.", f"Say `format`: {', '.join(FORMATS)}."
        )
    if file.stat().st_size > MOST_BYTES:
        raise Invalid(f"{name} is too large.", f"It has more than {MOST_BYTES} bytes.", "Split it.")
    steps = steps_of(path)
    if form == "nginx":
        return list(_nginx(file, root, steps))
    try:
        text = file.read_text(encoding="utf-8-sig")
        return list(_toml(file, text, steps) if form == "toml" else _yaml(file, text, steps, strict=form == "json"))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise _unparsable(name, str(error)) from error


def _unparsable(name: str, why: str) -> Invalid:
    return Invalid(f"{name} cannot be parsed.", f"{' '.join(why.split())[:300]}.", "Mend the file.")


# --- YAML and JSON: the parser's own tree knows the lines


def _yaml(file: Path, text: str, steps: list[Step], *, strict: bool) -> Iterator[Found]:
    if strict:
        json.loads(text)
        text = text.replace("\t", " ")  # tabs may stand between JSON's words, but not between YAML's
    loader = yaml.SafeLoader(text)
    try:
        while loader.check_node():
            for node in _nodes(loader, loader.get_node(), steps):
                yield Found(_plain(loader, node), file, node.start_mark.line + 1)
    finally:
        loader.dispose()


def _nodes(loader: yaml.SafeLoader, node: yaml.Node | None, steps: list[Step]) -> Iterator[yaml.Node]:
    if node is None:
        return
    if not steps:
        yield node
        return
    step, rest = steps[0], steps[1:]
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        last = {str(key.value): value for key, value in node.value}  # of a key that stands twice, the last one counts
        for key, value in last.items():
            if step == "*" or str(step) == key:
                yield from _nodes(loader, value, rest)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            if step in ("*", number):
                yield from _nodes(loader, value, rest)


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    try:
        return loader.construct_object(node, deep=True)
    except yaml.constructor.ConstructorError:
        return node.value if isinstance(node, yaml.ScalarNode) else f"a {node.tag}"


# --- TOML: the values from the parser, the line from the text


def _toml(file: Path, text: str, steps: list[Step]) -> Iterator[Found]:
    for value, taken in _walk(tomllib.loads(text), steps, ()):
        yield Found(value, file, _toml_line(text, taken))


def _walk(value: Any, steps: list[Step], taken: tuple[Step, ...]) -> Iterator[tuple[Any, tuple[Step, ...]]]:
    if not steps:
        yield value, taken
        return
    step, rest = steps[0], steps[1:]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        if step == "*" or (step == key if isinstance(key, int) else str(step) == key):
            yield from _walk(one, rest, (*taken, key))


def _toml_line(text: str, taken: tuple[Step, ...]) -> int:
    """The line that says a value: the nearest that can be told from headings and keys; 1 when none can."""
    best, best_depth = 1, 0
    under: tuple[Step, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]", line):
            names = _keys(heading[2])
            if heading[1] == "[[":
                seen[names] = seen.get(names, -1) + 1
            under = _numbered(names, seen)
            here = under
        elif said := re.match(
            r'\s*((?:[\w-]+|"[^"]*"|\'[^\']*\')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|\'[^\']*\'))*)\s*=', line
        ):
            here = (*under, *_keys(said[1]))
        else:
            continue
        if len(here) > best_depth and taken[: len(here)] == here:
            best, best_depth = number, len(here)
    return best


def _numbered(names: tuple[str, ...], seen: dict[tuple[str, ...], int]) -> tuple[Step, ...]:
    """A heading's path with the numbers of the tables in arrays that it stands in."""
    path: list[Step] = []
    for depth, name in enumerate(names, 1):
        path.append(name)
        if names[:depth] in seen:
            path.append(seen[names[:depth]])
    return tuple(path)


def _keys(written: str) -> tuple[str, ...]:
    return tuple(one.strip().strip("\"'") for one in re.findall(r'"[^"]*"|\'[^\']*\'|[^.\s]+', written) if one.strip())


# --- nginx


def _nginx(file: Path, root: Path, steps: list[Step]) -> Iterator[Found]:
    try:
        read = crossplane.parse(str(file), catch_errors=True)
    except (OSError, ValueError, RecursionError) as error:
        raise _unparsable(file.name, str(error)) from error
    wrong = [error for error in read["errors"] if Path(error["file"]).resolve().is_relative_to(root)]
    if wrong:
        raise _unparsable(Path(wrong[0]["file"]).name, str(wrong[0]["error"]))
    yield from _directives(read["config"], (0,), read["config"][0]["parsed"], steps, root)


def _directives(
    configs: list[dict[str, Any]], way: tuple[int, ...], block: list[dict[str, Any]], steps: list[Step], root: Path
) -> Iterator[Found]:
    """The directives that a path leads to, through blocks and the included files that are in the checkout. `way`: the files so far."""
    file = Path(configs[way[-1]]["file"]).resolve()
    if not file.is_relative_to(root):
        return
    for one in block:
        for number in one.get("includes", ()):
            if number not in way:  # it might include itself
                yield from _directives(configs, (*way, number), configs[number]["parsed"], steps, root)
        if steps[0] not in ("*", one["directive"]):
            continue
        rest = _after_arguments(" ".join(one["args"]), steps[1:])
        if rest == []:
            yield Found(" ".join(one["args"]), file, one["line"])
        elif rest and "block" in one:
            yield from _directives(configs, way, one["block"], rest, root)


def _after_arguments(args: str, steps: list[Step]) -> list[Step] | None:
    """The steps that are left after those that name a directive's arguments; None when they name others."""
    while steps and isinstance(steps[0], Which):
        if args != str(steps[0]):
            return None
        steps = steps[1:]
    return steps
