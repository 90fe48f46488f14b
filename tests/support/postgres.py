"""A PostgreSQL of the tests' own: a temporary cluster on a free port, gone when they end."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any


def postgres_binaries() -> Path | None:
    """The folder of the newest PostgreSQL's own programs, or None."""
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if homes:
        return homes[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


def free_port() -> int:
    """A TCP port on loopback that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class PostgresCluster:
    """Starts and stops one cluster below `home`. As root it runs as the user `postgres`, since PostgreSQL refuses root."""

    def __init__(self, home: Path, *, durable: bool = False) -> None:
        self.home = home
        self.port = free_port()
        self.durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """Address of database `name` in this cluster."""
        return f"postgresql://app@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Make the cluster, or take the one that stands there, and wait until it answers (at most 30 s)."""
        binaries = postgres_binaries()
        assert binaries, "PostgreSQL is not installed"
        self.home.mkdir(parents=True, exist_ok=True)
        data = self.home / "data"
        new = not data.exists()
        run_as: list[str] = []
        if os.geteuid() == 0:
            for folder in (self.home, *self.home.parents):
                if folder == Path("/tmp"):
                    break
                folder.chmod(folder.stat().st_mode | 0o055)
            shutil.chown(self.home, "postgres", "postgres")
            run_as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT, "cwd": str(self.home)}
        init = [
            str(binaries / "initdb"),
            "-D",
            str(data),
            "-U",
            "app",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-locale",
            "--no-sync",
        ]
        if new:
            subprocess.run([*run_as, *init], check=True, **quiet)
        settings = [f"-c{k}={v}" for k, v in self._settings().items()]
        command = [str(binaries / "postgres"), "-D", str(data), "-p", str(self.port), *settings]
        self._process = subprocess.Popen([*run_as, *command], start_new_session=True, **quiet)
        self._wait(binaries)
        if new:
            subprocess.run(
                [str(binaries / "createdb"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "app", "unrepeat"],
                check=True,
                **quiet,
            )

    def stop(self) -> None:
        """Stop at once; the data is thrown away by whoever made the folder."""
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()

    def _settings(self) -> dict[str, str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self.home),
            "max_connections": "200",
        }
        return settings if self.durable else {**settings, "fsync": "off", "full_page_writes": "off"}

    def _wait(self, binaries: Path) -> None:
        until = time.monotonic() + 30
        ready = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ready, check=False).returncode:
            if time.monotonic() > until:
                raise TimeoutError("PostgreSQL did not start within 30 s")
            time.sleep(0.05)
