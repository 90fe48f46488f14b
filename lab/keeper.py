"""Cleans up after a lab that died, however it died: kill -9 of the lab leaves no process and no folder behind.

It reads lines from a pipe whose other end only the lab holds: `+PGID` a process group was started, `-PGID` it has
ended, `/FOLDER` a temporary folder. When the pipe closes, all groups still named are killed and the folders removed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path


def keep(lines: Iterable[str]) -> None:
    """Read until the lab is gone, then clean up."""
    groups: set[int] = set()
    folders: list[Path] = []
    for line in lines:
        mark, value = line[0], line[1:].strip()
        if mark == "+":
            groups.add(int(value))
        elif mark == "-":
            groups.discard(int(value))
        elif mark == "/":
            folders.append(Path("/" + value))
    for group in groups:
        kill_group(group)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def kill_group(group: int, sign: int = signal.SIGKILL) -> bool:
    """Signal a whole process group; False if it is gone."""
    try:
        os.killpg(group, sign)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Keeper:
    """The lab's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lab.keeper"], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def started(self, group: int) -> None:
        """This process group is ours."""
        self._say(f"+{group}")

    def ended(self, group: int) -> None:
        """This process group has ended."""
        self._say(f"-{group}")

    def folder(self, path: Path) -> None:
        """This folder is ours."""
        self._say(str(path.resolve()))

    def close(self) -> None:
        """The lab is done; what is still named gets cleaned up now."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=20)

    def _say(self, line: str) -> None:
        if self._process.stdin:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    keep(sys.stdin)
