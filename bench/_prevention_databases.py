"""Where the prevention benchmark's databases stand: in a folder that is kept when one is named, so that a long fill is made once."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


@dataclass(frozen=True, slots=True)
class Database:
    """A database of the benchmark, and the folder beside it."""

    name: str
    url: str
    home: Path

    def run(self, module: str, argv: list[str]) -> str:
        """Run a module of the benchmark on it, in a process of its own; what it printed."""
        environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "UNREPEAT_DATA_DIR": str(self.home / "data"),
            "UNREPEAT_SECRET_KEY": "bench" * 10,
            "UNREPEAT_PRIVATE_ADDRESSES": "127.0.0.1",
            "UNREPEAT_LOG_LEVEL": "WARNING",
            "DJANGO_SETTINGS_MODULE": "unrepeat.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", module, *argv], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout


def databases(home: Path | None, chosen: list[str]) -> Iterator[Database]:
    """SQLite, then PostgreSQL; each stands until the next one is asked for. Without a `home` they are thrown away."""
    with _folder(home) as folder:
        if "sqlite" in chosen:
            place = folder / "sqlite"
            place.mkdir(exist_ok=True)
            yield Database("sqlite", f"sqlite:///{place}/prevention.db", place)
            if home is None:
                for left in place.glob("prevention.db*"):
                    left.unlink()
        if "postgresql" in chosen:
            yield from _postgresql(folder / "postgresql")


def _postgresql(place: Path) -> Iterator[Database]:
    from tests.support.postgres import PostgresCluster, postgres_binaries

    if postgres_binaries() is None:
        print("PostgreSQL is missing: its column is not measured (apt install postgresql)")
        return
    cluster = PostgresCluster(place / "cluster", durable=True)
    cluster.start()
    try:
        yield Database("postgresql", cluster.url("unrepeat"), place)
    finally:
        cluster.stop()


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    if home is not None:
        home.mkdir(parents=True, exist_ok=True)
        home.chmod(0o755)
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="unrepeat-prevention-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
