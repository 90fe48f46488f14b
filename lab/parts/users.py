"""The visitors, as a part."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.parts.nginx import Nginx
from lab.parts.part import Part


class Users(Part):
    """Locust in a process of its own."""

    name = "users"

    def __init__(self, folder: Path, nginx: Nginx, per_second: float) -> None:
        super().__init__(folder)
        self.visits = folder / "visits.jsonl"
        self._nginx = nginx
        self._per_second = per_second

    def command(self) -> list[str]:
        """The load generator."""
        rate = ["--per-second", str(self._per_second)]
        return [sys.executable, "-m", "lab.users", "--host", self._nginx.url, "--out", str(self.visits), *rate]

    def ready(self) -> bool:
        """The first visitors have come."""
        log = self._nginx.access_log
        return log.exists() and log.stat().st_size > 0
