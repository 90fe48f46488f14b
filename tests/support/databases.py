"""An empty database of each kind, for tests that start real servers on it."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support.postgres import PostgresCluster, postgres_binaries


class Database:
    """An empty database: its address, and questions to it in SQL."""

    def __init__(self, url: str, file: Path | None = None) -> None:
        self.url = url
        self._file = file

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database, of one kind after the other."""
    if request.param == "sqlite":
        return Database(f"sqlite:///{tmp_path}/unrepeat.db", tmp_path / "unrepeat.db")
    running: PostgresCluster | None = request.getfixturevalue("cluster")
    if running is None:
        pytest.skip("PostgreSQL is not installed")
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(running.url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return Database(running.url(name))
