"""The two parts that are ours to break: the shop's workers, and the session service."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import ClassVar

from lab.parts.part import HOST, Part, answers, free_port
from lab.parts.postgres import Postgres


class SessionsPart(Part):
    """One running release of the session service."""

    name = "sessions"
    _count: ClassVar[itertools.count[int]] = itertools.count(1)

    def __init__(self, folder: Path, release: str) -> None:
        super().__init__(folder)
        self.release = release
        self.label = f"sessions-{release}"
        self.port = free_port()
        self.metrics_port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self._data = folder / f"sessions-{next(self._count)}-{release}"

    def command(self) -> list[str]:
        """The service."""
        ports = ["--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        return [sys.executable, "-m", "lab.sessions", "--release", self.release, *ports, "--data", str(self._data)]

    def ready(self) -> bool:
        """It accepts calls."""
        return answers(f"{self.url}/health")


class ShopWorker(Part):
    """One worker of the shop."""

    name = "shop"

    def __init__(self, folder: Path, number: int, postgres: Postgres, address_file: Path, page_size: int) -> None:
        super().__init__(folder)
        self.label = f"shop-{number}"
        self.port = free_port()
        self.metrics_port = free_port()
        self._dsn = postgres.dsn
        self._more = ["--sessions", str(address_file), "--page-size", str(page_size)]

    def command(self) -> list[str]:
        """The worker."""
        ports = ["--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        return [sys.executable, "-m", "lab.shop", *ports, *self._more]

    def environment(self) -> dict[str, str]:
        """Where the orders are."""
        return {"DATABASE_URL": self._dsn}

    def ready(self) -> bool:
        """It accepts requests, so its connections to the database are open."""
        return answers(f"http://{HOST}:{self.port}/health")
