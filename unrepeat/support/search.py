"""Text search over documents, in the database that is there: SQLite FTS5, or PostgreSQL's full text. One face for both.

An `Index` is a table that a room's migration makes (`created`). A document is a number with a title and a body, and a place in
an order (newest last). Words are compared without case, accents and endings (English); "in quotes" is a phrase; -word must not
occur; all others must. Common words (the, and, of) outside quotes are left out. Where no document has the words whole, those
count that begin so.
"""

# ruff: noqa: S608 (table names are our own constants; everything from outside is a parameter)
from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection, transaction

LONGEST = 100_000  # characters of a body that are indexed
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_POSSESSIVE = re.compile(r"['’]s\b")
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "es", "s", "ly", "e")
_COMMON = frozenset(
    ["a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "from", "had", "has", "in", "is", "it", "its", "of"]
) | {"on", "or", "that", "the", "this", "to", "was", "were", "with"}
_FEWEST = 3  # letters that stay when an ending goes

Piece = tuple[str, bool]
"""Some text, and whether it is what was searched for."""


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand together in a document, or (`absent`) must not. One word alone also stands for longer ones."""

    words: tuple[str, ...]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found; `rank` falls from the best to the worst."""

    doc: int
    rank: float
    title: tuple[Piece, ...]
    body: tuple[Piece, ...]


def terms(text: str) -> list[Term]:
    """What a person typed, as terms; empty when there is no word in it, or only words that must not occur."""
    found = []
    for minus, phrase, word in _TERM.findall(text[:400])[:20]:
        words = tuple(_WORD.findall(_POSSESSIVE.sub("", _plain(phrase or word))))
        if words and not (len(words) == 1 and words[0] in _COMMON):
            found.append(Term(words[:10], bool(minus)))
    return found if any(not term.absent for term in found) else []


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
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                words = "setweight(to_tsvector('english', %s), 'A') || setweight(to_tsvector('english', %s), 'B')"
                cursor.execute(f"delete from {self.table} where doc = %s", [doc])
                cursor.execute(
                    f"insert into {self.table} (doc, place, title, body, words) values (%s, %s, %s, %s, {words})",
                    [doc, doc if place is None else place, title, body, _as_words(title), _as_words(body)],
                )
                return
            cursor.execute(
                f"delete from {self.table} where rowid in (select place from {self.table}_docs where doc = %s)", [doc]
            )
            cursor.execute(f"delete from {self.table}_docs where doc = %s", [doc])
            cursor.execute(
                f"insert into {self.table}_docs (doc, place) values (%s, %s)", [doc, doc if place is None else place]
            )
            cursor.execute(
                f"insert into {self.table} (rowid, title, body) values (%s, %s, %s)",
                [doc if place is None else place, title, body],
            )

    def find(self, text: str, limit: int = 20) -> list[Hit]:
        """The best documents for what a person typed, best first, with marked title and snippet."""
        wanted = terms(text)
        if not wanted:
            return []
        for whole in (True, False):
            query, parameters = self._query(wanted, whole=whole)
            rank = f"ts_rank(t.words, {query})" if self._postgresql else f"-bm25({self.table}, 5.0, 1.0)"
            statement = f"select {self._doc}, {rank} as fit, t.title, t.body from {self._rows} where {self._matches(query)} order by fit desc, {self._place} desc limit %s"
            ranked_by = parameters if self._postgresql else []
            found = self._asked(statement, [*ranked_by, *parameters, limit])
            hits = [Hit(doc, fit, marked(title, wanted), snippet(body, wanted)) for doc, fit, title, body in found]
            if hits:
                return hits
        return []

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

    def snippets(self, text: str, docs: Iterable[int]) -> dict[int, Hit]:
        """Marked title and snippet of these documents, by number."""
        wanted, numbers = terms(text), list(docs)
        if not wanted or not numbers:
            return {}
        found = self.texts(numbers)
        return {
            doc: Hit(doc, 0.0, marked(title, wanted), snippet(body, wanted)) for doc, (title, body) in found.items()
        }

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


def marked(text: str, wanted: list[Term]) -> tuple[Piece, ...]:
    """The text in pieces, with the words that were searched for marked."""
    pieces: list[Piece] = []
    end = 0
    for start, stop in _hits(text, wanted):
        pieces += [(text[end:start], False), (text[start:stop], True)]
        end = stop
    return tuple(piece for piece in [*pieces, (text[end:], False)] if piece[0])


def snippet(text: str, wanted: list[Term], room: int = 180) -> tuple[Piece, ...]:
    """The stretch of about `room` characters that holds most of what was searched for, marked."""
    hits = [start for start, _ in _hits(text, wanted)][:200]
    start = max(hits, key=lambda at: (sum(at <= other < at + room - 40 for other in hits), -at), default=0)
    start = max(0, start - 40)
    while 0 < start < len(text) and not text[start - 1].isspace():
        start -= 1
    stretch = text[start : start + room]
    if start + room < len(text):
        stretch = stretch.rsplit(None, 1)[0]
    before = "… " if start else ""
    after = " …" if start + len(stretch) < len(text.rstrip()) else ""
    return marked(f"{before}{stretch}{after}", wanted)


def _hits(text: str, wanted: list[Term]) -> list[tuple[int, int]]:
    """Where the words stand that begin with the stem of a wanted one."""
    stems = {_stem(word) for term in wanted if not term.absent for word in term.words}
    pattern = rf"(?<![^\W_])(?:{'|'.join(sorted(map(re.escape, stems)))})[^\W_]*"
    folded = text.lower() if text.isascii() else "".join(map(_letter, text))
    return [found.span() for found in re.finditer(pattern, folded)]


@cache
def _letter(char: str) -> str:
    """A character without case and accent, still one character."""
    plain = _plain(char)
    return plain if len(plain) == 1 else char


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _FEWEST:
            return word.removesuffix(ending)
    return word


def _plain(text: str) -> str:
    """Lower case, without accents."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _as_words(text: str) -> str:
    """The text as its words alone, so that PostgreSQL's parser splits as the rest does (2.0.1, a_b, https://x)."""
    return " ".join(_WORD.findall(_plain(text)))
