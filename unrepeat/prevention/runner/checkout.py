"""What guards that run in a checkout share: its folder, their commands, and the place that an output speaks of."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import psutil
from pydantic import AfterValidator, Field

from unrepeat.prevention.kind import Place, Target
from unrepeat.support.problems import Invalid

MARK = "UNREPEAT_GUARD_RUN"  # in the environment of all that a run starts, so that it is found again
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
KNOWN = ("version", "ref", "port")
_PLACE = re.compile(r"""(?:File "(?P<quoted>[^"\n]+)", line (?P<at>\d+))|(?P<path>[\w./\\-]+\.\w+):(?P<line>\d+)""")


def _inside(path: str) -> str:
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise ValueError("give a path inside the checkout, relative to its root")
    return path


def _words(command: str | tuple[str, ...]) -> str | tuple[str, ...]:
    try:
        words = shlex.split(command) if isinstance(command, str) else list(command)
    except ValueError as error:
        raise ValueError(f"the command's quotes do not close: {error}") from error
    if not words or not words[0]:
        raise ValueError("the command is empty")
    unknown = sorted({name for word in words for name in PLACEHOLDER.findall(word)} - set(KNOWN))
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in KNOWN)
        raise ValueError(f"there is no placeholder {{{unknown[0]}}}; the known ones are {known}")
    return command


Inside = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_inside)]
Command = Annotated[
    Annotated[str, Field(max_length=4000)] | Annotated[tuple[str, ...], Field(max_length=200)], AfterValidator(_words)
]


def argv(command: str | tuple[str, ...], target: Target, **more: str) -> list[str]:
    """The command's words with its placeholders filled in. No shell: what is filled in stays one word.

    Invalid when the command needs a version or ref and the target has none.
    """
    known = {**({"ref": target.ref} if target.ref else {}), **target.variables, **more}
    words = shlex.split(command) if isinstance(command, str) else list(command)
    missing = {name for word in words for name in PLACEHOLDER.findall(word)} - set(known)
    if missing:
        name = min(missing)
        raise Invalid(
            f"The command needs a {name}, and it runs on “{target.words}”.",
            f"It has the placeholder {{{name}}}, and nobody has said what it stands for.",
            f"Say it: `unrepeat check --set {name}=...`, or prove it on `{name}:...`.",
        )
    return [PLACEHOLDER.sub(lambda found: known[found[1]], word) for word in words]


def folder_in(target: Target, inside: str = ".") -> Path:
    """A folder of the checkout; Invalid when it is gone, or a link leads out of the checkout."""
    root = (target.folder or Path.cwd()).resolve()
    if not root.is_dir():
        raise Invalid("The checkout is gone.", f"There is no folder {root}.", "Check out the repository and run again.")
    found = (root / inside).resolve()
    if not found.is_relative_to(root):
        raise Invalid(
            f"“{inside}” leads out of the checkout.", f"It leads to {found}.", "Name a folder of the repository."
        )
    if not found.is_dir():
        raise Invalid(
            f"The checkout has no folder “{inside}”.",
            f"There is none in {root}.",
            "Mend the guard's `folder`, or check out the commit that has it.",
        )
    return found


def place_in(output: str, root: Path, folder: Path | None = None) -> Place | None:
    """The first `path:line` of an output whose file is in the checkout; installed packages do not count."""
    root = root.resolve()
    for found in _PLACE.finditer(output[-64 * 1024 :]):
        named, line = found["quoted"] or found["path"], int((found["at"] or found["line"])[:9])
        for base in dict.fromkeys((folder or root, root)):
            path = Path(os.path.normpath(base / named))
            if path.is_relative_to(root) and "site-packages" not in path.parts and path.is_file():
                return Place(path.relative_to(root).as_posix(), max(1, line))
    return None


@contextmanager
def environment() -> Iterator[dict[str, str]]:
    """The environment of what a run starts: ours without our settings and tokens. Whatever it leaves running is ended after it,
    also what has left its process group.
    """
    mark = uuid.uuid4().hex
    try:
        yield {name: value for name, value in os.environ.items() if not name.startswith("UNREPEAT_")} | {MARK: mark}
    finally:
        _end_marked(mark)


def _end_marked(mark: str) -> None:
    for _ in range(3):  # what is ended may just have started another
        left = [process for process in psutil.process_iter() if _is_marked(process, mark)]
        if not left:
            return
        for process in left:
            _kill(process)
        psutil.wait_procs(left, timeout=2)


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        return bool(process.pid != os.getpid() and process.environ().get(MARK) == mark)
    except (psutil.Error, OSError):
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.Error:
        return


def about_here(words: Sequence[str] = (), **more: str) -> Mapping[str, str]:
    """The environment of a run, for people who want to run it again."""
    here = {"python": platform.python_version(), "platform": sys.platform, "machine": platform.machine()}
    return here | ({"command": shlex.join(words)[:2000]} if words else {}) | more
