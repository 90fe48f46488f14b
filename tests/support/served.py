"""The real server as its own processes, as a person starts it, and everything it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
ADD_SOURCE = """
import django; django.setup()
from unrepeat.arrivals import commands
print(commands.add_source({name!r}, {kind!r}, max_bytes={max_bytes!r}))
"""


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until `condition` holds, at most `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"after {seconds} s still not so: {what}")
        time.sleep(0.02)


class Served:
    """`unrepeat serve` on a free port, with its data below `home`; a process group of its own."""

    def __init__(self, home: Path, database_url: str, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.log = home / "serve.log"
        home.mkdir(parents=True, exist_ok=True)
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("UNREPEAT_")},
            "UNREPEAT_DATABASE_URL": database_url,
            "UNREPEAT_DATA_DIR": str(home / "data"),
            "UNREPEAT_SECRET_KEY": "only-for-tests-" + "x" * 40,
            "DJANGO_SETTINGS_MODULE": "unrepeat.settings",
            "PYTHONPATH": str(ROOT),
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *words: str) -> str:
        """Run a command of the terminal to its end; its output."""
        return self._python("-m", "unrepeat", *words)

    def add_source(self, name: str, kind: str = "alertmanager", max_bytes: int | None = None) -> str:
        """Add a source; the path that takes its deliveries."""
        token = self._python("-c", ADD_SOURCE.format(name=name, kind=kind, max_bytes=max_bytes)).strip()
        return f"/in/{name}/{token}"

    def start(self, target: list[str] | None = None) -> None:
        """Start it and wait until it answers (at most 30 s)."""
        command = target or [sys.executable, "-m", "unrepeat", "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.env, cwd=self.home, stdout=log, stderr=log, start_new_session=True
            )
        until(self._answers, 30, f"the server answers; its log:\n{self.log.read_text()[-2000:]}")

    def stop(self, within: float = 15) -> int:
        """Ask it to stop; its exit status. TimeoutExpired when it does not in time."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(within)
        finally:
            self.kill()

    def kill(self) -> None:
        """kill -9 for the whole process group."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended: {self.log.read_text()[-2000:]}")
        with socket.socket() as sock:
            sock.settimeout(1)
            if sock.connect_ex(("127.0.0.1", self.port)):
                return False
            try:
                sock.sendall(b"GET /in/ HTTP/1.0\r\nHost: x\r\n\r\n")
                return sock.recv(12).startswith(b"HTTP/1")
            except OSError:
                return False

    def _python(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.env,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode:
            raise RuntimeError(f"{words[:4]} failed: {done.stdout}{done.stderr}")
        return done.stdout
