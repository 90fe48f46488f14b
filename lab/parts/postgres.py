"""PostgreSQL: the shop's orders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

import psycopg

from lab.parts.part import HOST, MissingProgram, Part, as_user, free_port


class Postgres(Part):
    """A cluster of its own in the lab's folder; run as user postgres when the lab is root."""

    name = "postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.data = folder / "pg"
        self.dsn = f"postgresql://app@{HOST}:{self.port}/postgres?sslmode=disable"

    def prepare(self) -> None:
        """Make the cluster."""
        self.data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            shutil.chown(self.data, "postgres", "postgres")
        init = [*as_user("postgres"), f"{binaries()}/initdb", "-D", str(self.data), "-U", "app"]
        init += ["-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
        subprocess.run(init, check=True, capture_output=True, cwd="/")

    def command(self) -> list[str]:
        """The postmaster."""
        settings = [f"listen_addresses={HOST}", f"unix_socket_directories={self.data}", "max_connections=60"]
        options = [word for setting in settings for word in ("-c", setting)]
        run = [f"{binaries()}/postgres", "-D", str(self.data), "-p", str(self.port)]
        return [*as_user("postgres"), *run, *options]

    def ready(self) -> bool:
        """It answers a query."""
        try:
            with psycopg.connect(self.dsn, connect_timeout=1) as connection:
                return connection.execute("select 1").fetchone() == (1,)
        except psycopg.Error:
            return False


def binaries() -> Path:
    """The newest installed PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    raise MissingProgram("initdb", "postgresql")
