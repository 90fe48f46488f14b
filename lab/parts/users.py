"""The visitors, as a part."""

from __future__ import annotations

import sys
from pathlib import Path

from lab.parts.nginx import Nginx
from lab.parts.part import Part


class Users(Part):
    """Locust in a process of its own. `growing`: seconds until `per_second` visitors come; more of them may run, by other names."""

    name = "users"

    def __init__(
        self, folder: Path, nginx: Nginx, per_second: float, *, growing: float = 0.0, label: str = "users"
    ) -> None:
        super().__init__(folder)
        self.label = label
        self.visits = folder / f"visits-{label}.jsonl"
        self._nginx = nginx
        self._rate = ["--per-second", str(per_second), "--growing", str(growing)]

    def command(self) -> list[str]:
        """The load generator."""
        return [sys.executable, "-m", "lab.users", "--host", self._nginx.url, "--out", str(self.visits), *self._rate]

    def ready(self) -> bool:
        """The first visitors have come."""
        log = self._nginx.access_log
        return log.exists() and log.stat().st_size > 0
