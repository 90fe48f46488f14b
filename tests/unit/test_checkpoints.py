"""SQLite's write-ahead log is carried into the database beside the writers, and begins anew."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from tests.support.served import until
from unrepeat.support.sqlite import checkpoints
from unrepeat.support.sqlite.checkpoints import Checkpoints, backlog
from unrepeat.support.sqlite.lock import write_lock

PAGE = 4096


@pytest.fixture
def database(tmp_path):
    """A database whose log SQLite itself leaves alone."""
    path = str(tmp_path / "some.db")
    connection = opened(path)
    connection.execute("create table some (n integer primary key, text text)")
    yield path
    connection.close()


def opened(path):
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    for pragma in (f"page_size = {PAGE}", "journal_mode = wal", "wal_autocheckpoint = 0"):
        connection.execute(f"pragma {pragma}")
    return connection


def write(path, rows, connection=None):
    connection = connection or opened(path)
    with write_lock(path):
        connection.execute("begin immediate")
        connection.executemany("insert into some (text) values (?)", [("x" * 2000,)] * rows)
        connection.execute("commit")


def test_the_backlog_is_what_sqlite_says_it_is(database):
    assert backlog(database) > 0
    write(database, 200)
    in_log, carried = opened(database).execute("pragma wal_checkpoint(passive)").fetchone()[1:]
    assert in_log == carried > 100
    assert backlog(database) == 0, "SQLite has just carried all"
    write(database, 200)
    before = backlog(database)
    assert before == opened(database).execute("pragma wal_checkpoint(passive)").fetchone()[1] * PAGE


def test_the_log_begins_anew_once_all_was_carried(database):
    write(database, 2000)
    long = backlog(database)
    Checkpoints(database).carry()
    assert backlog(database) == 0
    write(database, 1)
    assert 0 < backlog(database) < long / 20


def test_a_reader_of_old_pages_holds_nothing_up_and_loses_nothing(database):
    reader = opened(database)
    reader.execute("begin")
    assert reader.execute("select count(*) from some").fetchone() == (0,)
    write(database, 500)
    Checkpoints(database).carry()
    assert backlog(database) > 0, "the reader still needs the old pages"
    assert reader.execute("select count(*) from some").fetchone() == (0,)
    reader.execute("commit")
    Checkpoints(database).carry()
    assert backlog(database) == 0
    assert reader.execute("select count(*) from some").fetchone() == (500,)


def test_the_thread_carries_what_is_worth_it_while_others_write(database, monkeypatch):
    monkeypatch.setattr(checkpoints, "WORTH_IT", 100 * PAGE)
    monkeypatch.setattr(checkpoints, "TICK", 0.005)
    carrying = Checkpoints(database)
    carrying.start()
    writers = [threading.Thread(target=lambda: [write(database, 20) for _ in range(50)]) for _ in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    until(lambda: backlog(database) < 100 * PAGE, 20, "the log was carried over")
    carrying.stop()
    assert opened(database).execute("select count(*) from some").fetchone() == (3000,)
    assert opened(database).execute("pragma integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("index", [None, b"", b"short", b"\0" * 136])
def test_without_a_log_there_is_no_backlog(tmp_path, index):
    if index is not None:
        (tmp_path / "some.db-shm").write_bytes(index)
    assert backlog(str(tmp_path / "some.db")) == 0
