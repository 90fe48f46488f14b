"""Unrepeat itself, as it is run anywhere: one process, SQLite."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from lab.parts.part import HOST, Part, answers, free_port


class UnrepeatServer(Part):
    """`python -m unrepeat serve`, with a database of its own in the lab's folder; it makes the tables when it starts."""

    name = "unrepeat"

    def __init__(self, folder: Path, prometheus_url: str, request_log: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._environment = {
            "DATABASE_URL": f"sqlite:///{folder / 'unrepeat.db'}",
            "UNREPEAT_SECRET_KEY": secrets.token_urlsafe(48),
            "UNREPEAT_PROMETHEUS_URL": prometheus_url,
            "UNREPEAT_REQUEST_LOG": str(request_log),
            "UNREPEAT_DATA_DIR": str(folder / "unrepeat-data"),
        }

    def command(self) -> list[str]:
        """The server, its worker included."""
        return [sys.executable, "-m", "unrepeat", "serve", "--host", HOST, "--port", str(self.port)]

    def environment(self) -> dict[str, str]:
        """Its settings."""
        return self._environment

    def ready(self) -> bool:
        """It answers."""
        return answers(f"{self.url}/api/v1/health")

    def add_source(self, name: str, kind: str) -> str:
        """A new source; the address to POST to."""
        made = json.loads(self.terminal("source", "add", name, "--kind", kind, "--json"))
        return f"{self.url}{made['path']}"

    def add_user(self, name: str, role: str = "responder") -> str:
        """A new person; the token for the API."""
        made: dict[str, Any] = json.loads(self.terminal("user", "add", name, "--role", role, "--token", "--json"))
        return str(made["token"])

    def terminal(self, *words: str) -> str:
        """Run one command; what it printed. Its own words are in the error when it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "unrepeat", *words],
            env={**os.environ, **self._environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"`unrepeat {' '.join(words)}` ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        return done.stdout
