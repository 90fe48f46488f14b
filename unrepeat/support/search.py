"""Text search over documents, in the database that is there: SQLite FTS5, or PostgreSQL's full text. One face for both.

An `Index` is a table that a room's migration makes (`created`). A document is a number with a title and a body, and a place in
an order (newest last). What a person typed is read as terms (`search_terms`); words are compared without endings too (English).
Where no document has the words whole, those count that begin so.
"""

# ruff: noqa: S608 (table names are our own constants; everything from outside is a parameter)
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from unrepeat.support.search_terms import WORD, Term, plain, terms

LONGEST = 100_000  # characters of a body that are indexed


@dataclass(frozen=True, slots=True)
class Newest:
    """Documents that match, newest first; `more`: there are others, older ones."""

    docs: list[int]
    more: bool


Among = tuple[str, tuple[Any, ...]]
"""A subquery of document numbers, with its parameters: only those count."""


class Index:
    """The searchable documents of one table."""

    def __init__(self, table: str) -> None:
        self.table = table

    def created(self, vendor: str) -> list[str]:
        """Statements that make the table."""
        t = self.table
        if vendor == "postgresql":
            return [
                f"create table {t} (doc bigint primary key, place bigint not null, title text not null, body text not null, words tsvector not null)",
                f"create index {t}_words on {t} using gin (words) with (fastupdate = off)",
            ]
        return [
            f"create virtual table {t} using fts5 (title, body, tokenize = 'porter unicode61 remove_diacritics 2', prefix = '2 3 4')",
            f"create table {t}_docs (place integer primary key, doc integer not null unique)",
        ]

    def dropped(self, vendor: str) -> list[str]:
        """Statements that drop it."""
        return [f"drop table {self.table}", *([] if vendor == "postgresql" else [f"drop table {self.table}_docs"])]

    def index(self, doc: int, fields: Mapping[str, str], *, place: int | None = None) -> None:
        """Put in document number `doc` (`title`, `body`), or put it in anew; within the caller's transaction.

        `place`: where it stands among all, the newest highest; each has its own (default: its number).
        """
        title, body = fields.get("title", "")[:1000], fields.get("body", "")[:LONGEST]
        place = doc if place is None else place
        t = self.table
        with connection.cursor() as cursor:
            if self._postgresql:
                words = "to_tsvector('english', %s) || to_tsvector('english', %s)"
                cursor.execute(f"delete from {t} where doc = %s", [doc])
                cursor.execute(
                    f"insert into {t} (doc, place, title, body, words) values (%s, %s, %s, %s, {words})",
                    [doc, place, title, body, _as_words(title), _as_words(body)],
                )
                return
            cursor.execute(f"delete from {t} where rowid in (select place from {t}_docs where doc = %s)", [doc])
            cursor.execute(f"delete from {t}_docs where doc = %s", [doc])
            cursor.execute(f"insert into {t}_docs (doc, place) values (%s, %s)", [doc, place])
            cursor.execute(f"insert into {t} (rowid, title, body) values (%s, %s, %s)", [place, title, body])

    def newest(self, text: str, limit: int, among: Among | None = None) -> Newest:
        """The newest documents that match, at most `limit`; cheap also for words that all documents have."""
        wanted = terms(text)
        if not wanted:
            return Newest([], more=False)
        only, only_parameters = f" and {self._doc} in ({among[0]})" if among else "", among[1] if among else ()
        for whole in (True, False):
            query, parameters = self._query(wanted, whole=whole)
            statement = f"select {self._doc} from {self._rows} where {self._matches(query)}{only} order by {self._place} desc limit %s"
            docs = [doc for (doc,) in self._asked(statement, [*parameters, *only_parameters, limit + 1])]
            if docs:
                return Newest(docs[:limit], more=len(docs) > limit)
        return Newest([], more=False)

    def texts(self, docs: Iterable[int]) -> dict[int, tuple[str, str]]:
        """Title and body of these documents, by number."""
        numbers = list(docs)
        if not numbers:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {self._doc}, t.title, t.body from {self._rows} where {self._these(numbers)}", numbers
            )
            return {doc: (title, body) for doc, title, body in cursor}

    def _these(self, numbers: list[int]) -> str:
        """The condition that a document is one of these."""
        some = ", ".join(["%s"] * len(numbers))
        if self._postgresql:
            return f"t.doc in ({some})"
        return f"t.rowid in (select place from {self.table}_docs where doc in ({some}))"

    def _asked(self, statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """The rows of a search. PostgreSQL's planner knows nothing of the price of unpacking long vectors, and would read all
        of them one by one; so it is told to use the index over words.
        """
        if not self._postgresql:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("set local enable_seqscan = off")
            cursor.execute(statement, parameters)
            rows = list(cursor.fetchall())
            cursor.execute("set local enable_seqscan = on")
            return rows

    @property
    def _postgresql(self) -> bool:
        return connection.vendor == "postgresql"

    @property
    def _rows(self) -> str:
        """Where documents are read from. On SQLite the order of the index itself leads, so that reading can stop early."""
        return (
            f"{self.table} t"
            if self._postgresql
            else f"{self.table} t cross join {self.table}_docs d on d.place = t.rowid"
        )

    @property
    def _doc(self) -> str:
        return "t.doc" if self._postgresql else "d.doc"

    @property
    def _place(self) -> str:
        return (
            "t.place + 0" if self._postgresql else "t.rowid"
        )  # + 0: no index leads there, so the index over words is used

    def _matches(self, query: str) -> str:
        return f"t.words @@ {query}" if self._postgresql else f"{self.table} match {query}"

    def _query(self, wanted: list[Term], *, whole: bool) -> tuple[str, list[str]]:
        """The query in the database's words and its parameters; `whole`: words as they are, else their beginnings."""
        present = [term for term in wanted if not term.absent]
        absent = [term for term in wanted if term.absent]
        if self._postgresql:
            parts = [_tsquery(term, whole=whole) for term in [*present, *absent]]
            return "(" + " && ".join(sql for sql, _ in parts) + ")", [word for _, word in parts]
        said = " AND ".join(_fts5(term, whole=whole) for term in present)
        for term in absent:
            said = f"({said}) NOT {_fts5(term, whole=True)}"
        return "%s", [said]


def _tsquery(term: Term, *, whole: bool) -> tuple[str, str]:
    if term.absent:
        return f"!! {_tsquery(Term(term.words), whole=True)[0]}", " ".join(term.words)
    if len(term.words) > 1 or whole:
        return "phraseto_tsquery('english', %s)", " ".join(term.words)
    return "to_tsquery('english', %s)", f"{term.words[0]}:*"


def _fts5(term: Term, *, whole: bool) -> str:
    return f'"{" ".join(term.words)}"' if len(term.words) > 1 or whole else f'"{term.words[0]}" *'


def _as_words(text: str) -> str:
    """The text as its words alone, so that PostgreSQL's parser splits as the rest does (2.0.1, a_b, https://x)."""
    return " ".join(WORD.findall(plain(text)))
