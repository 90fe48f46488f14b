"""A database of each kind as a new server has it, for tests that start real servers on it.

`unrepeat migrate` takes seconds, so it runs once for each kind, and every test gets a copy.
"""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import PostgresCluster, postgres_binaries
from tests.support.served import Served

SHORT = 1000  # bytes: the longest body that `small_path` takes


@dataclass(frozen=True)
class Database:
    """A database with its tables and two sources: its address, the sources' paths, and questions to it in SQL."""

    url: str
    path: str
    small_path: str
    _file: Path | None = None

    def query(self, statement: str) -> list[Any]:
        """The rows of a statement that has no parameters."""
        if self._file is None:
            with psycopg.connect(self.url, autocommit=True) as connection:
                return list(connection.execute(statement.encode()).fetchall())
        connection = sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=20)
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def one(self, statement: str) -> Any:
        """The one value of a statement."""
        return self.query(statement)[0][0]

    def all_read(self) -> bool:
        """Whether no delivery waits."""
        return self.one("select count(*) from arrivals_delivery where state = 0") == 0


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresCluster | None]:
    """A durable PostgreSQL of these tests' own, when there is one on this machine."""
    if postgres_binaries() is None:
        yield None
        return
    started = PostgresCluster(tmp_path_factory.mktemp("pg"), durable=True)
    started.start()
    yield started
    started.stop()


class Originals:
    """What is copied: one database of each kind, made by the real `unrepeat` when it is first asked for."""

    def __init__(self, home: Path, cluster: PostgresCluster | None) -> None:
        self.home, self.cluster = home, cluster
        self._made: dict[str, Database] = {}

    def copy(self, kind: str) -> Database:
        """A new database of this kind."""
        name = f"t{uuid.uuid4().hex}"
        original = self._made.get(kind) or self._made.setdefault(kind, self._make(kind))
        if original._file:
            file = Path(shutil.copy(original._file, self.home / f"{name}.db"))
            return Database(f"sqlite:///{file}", original.path, original.small_path, file)
        assert self.cluster
        self._say(f"create database {name} template original")
        return Database(self.cluster.url(name), original.path, original.small_path)

    def _make(self, kind: str) -> Database:
        file = self.home / "original.db" if kind == "sqlite" else None
        if file:
            url = f"sqlite:///{file}"
        elif self.cluster:
            self._say("create database original")
            url = self.cluster.url("original")
        else:
            pytest.skip("PostgreSQL is not installed")
        server = Served(self.home / kind, url)
        server.command("migrate")
        paths = server.add_source("prometheus"), server.add_source("small", max_bytes=SHORT)
        if file:
            with closing(sqlite3.connect(file)) as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
        return Database(url, *paths, file)

    def _say(self, statement: str) -> None:
        assert self.cluster
        with psycopg.connect(self.cluster.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def originals(cluster: PostgresCluster | None, tmp_path_factory: pytest.TempPathFactory) -> Originals:
    """The databases that every test gets copies of."""
    return Originals(tmp_path_factory.mktemp("originals"), cluster)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, originals: Originals) -> Database:
    """A database as a new server has it, of one kind after the other."""
    return originals.copy(request.param)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_database(request: pytest.FixtureRequest, originals: Originals) -> Database:
    """The same, for all tests of a file that leave room for each other."""
    return originals.copy(request.param)
