"""What the supervisor has to know of a part."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
from pathlib import Path
from typing import ClassVar

import httpx

HOST = "127.0.0.1"


class MissingProgram(Exception):
    """A real part is not installed."""

    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"The lab runs real parts, and {program} is not installed. "
            f"Remedy: apt-get install --no-install-recommends {package}"
        )


class Part:
    """One process. Subclasses say what to run; all files belong below `folder`."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.label = self.name

    def prepare(self) -> None:
        """Write the configuration; called once, just before the start."""

    def command(self) -> list[str]:
        """What to run, in the foreground."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Environment on top of the lab's own."""
        return {}

    def ready(self) -> bool:
        """Does it do its work yet? Asked again and again until it does."""
        raise NotImplementedError


def program(name: str, package: str) -> str:
    """The full path of a program; MissingProgram names the Debian package to install."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if not found:
        raise MissingProgram(name, package)
    return found


def free_port() -> int:
    """A port nobody listens on, on loopback. Each one is handed out once in a process."""
    while True:
        with contextlib.closing(socket.socket()) as trial:
            trial.bind((HOST, 0))
            port: int = trial.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port


_handed_out: set[int] = set()


def answers(url: str) -> bool:
    """True when a GET is answered with a 2xx."""
    try:
        return httpx.get(url, timeout=1.0, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def as_user(name: str) -> list[str]:
    """The words before a command that has to run as `name` when we are root; none when we are not."""
    if os.geteuid() != 0:
        return []
    pwd.getpwnam(name)
    return [program("setpriv", "util-linux"), f"--reuid={name}", f"--regid={name}", "--init-groups"]
