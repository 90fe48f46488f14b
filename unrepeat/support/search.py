"""Text search over documents, in the database that is there: SQLite FTS5, or PostgreSQL's full text. One face for both.

An `Index` is a table that a room's migration makes (`created`). A document is a number with a title and a body. Words are
compared without case, accents and endings (English), by their beginning; "in quotes" is a phrase; -word must not occur; all
others must. Words so common that PostgreSQL leaves them out (the, and, of) find nothing there by themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models.expressions import RawSQL

LONGEST = 100_000  # characters of a body that are indexed
_TERM = re.compile(r'(-?)(?:"([^"]*)"|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_ENDINGS = ("ations", "ation", "ings", "ing", "edly", "ed", "es", "s", "ly", "e")
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
        words = tuple(_WORD.findall(_plain(phrase or word)))
        if words:
            found.append(Term(words[:10], bool(minus)))
    return found if any(not term.absent for term in found) else []


class Index:
    """The searchable documents of one table."""

    def __init__(self, table: str) -> None:
        self.table = table

    def created(self, vendor: str) -> list[str]:
        """Statements that make the table."""
        if vendor == "postgresql":
            return [
                f"create table {self.table} (doc bigint primary key, title text not null, body text not null, words tsvector not null)",
                f"create index {self.table}_words on {self.table} using gin (words)",
            ]
        tokens = "porter unicode61 remove_diacritics 2"
        return [f"create virtual table {self.table} using fts5 (title, body, tokenize = '{tokens}', prefix = '2 3 4')"]

    def index(self, doc: int, fields: Mapping[str, str]) -> None:
        """Put in document number `doc` (`title`, `body`), or put it in anew; within the caller's transaction."""
        title, body = fields.get("title", "")[:1000], fields.get("body", "")[:LONGEST]
        with connection.cursor() as cursor:
            cursor.execute(f"delete from {self.table} where {self._doc} = %s", [doc])  # noqa: S608 (our own names)
            if connection.vendor == "postgresql":
                words = "setweight(to_tsvector('english', %s), 'A') || setweight(to_tsvector('english', %s), 'B')"
                cursor.execute(
                    f"insert into {self.table} (doc, title, body, words) values (%s, %s, %s, {words})",  # noqa: S608
                    [doc, title, body, _as_words(title), _as_words(body)],
                )
            else:
                cursor.execute(f"insert into {self.table} (rowid, title, body) values (%s, %s, %s)", [doc, title, body])  # noqa: S608

    def find(self, text: str, limit: int = 20) -> list[Hit]:
        """The best documents for what a person typed, best first, with marked title and snippet."""
        wanted = terms(text)
        if not wanted:
            return []
        match, parameters = self._match(wanted)
        rank = "-bm25({0}, 5.0, 1.0)" if connection.vendor == "sqlite" else "ts_rank({0}.words, {1})"
        ranked = rank.format(self.table, self._query(wanted)[0])
        ranked_by = [] if connection.vendor == "sqlite" else self._query(wanted)[1]
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {self._doc}, {ranked} as fit, title, body from {self.table} where {match}"  # noqa: S608
                f" order by fit desc, {self._doc} desc limit %s",
                [*ranked_by, *parameters, limit],
            )
            return [Hit(doc, fit, marked(title, wanted), snippet(body, wanted)) for doc, fit, title, body in cursor]

    def matching(self, text: str) -> RawSQL | None:
        """A subquery of the numbers of all matching documents, for `filter(pk__in=...)`; None when nothing can match."""
        wanted = terms(text)
        if not wanted:
            return None
        match, parameters = self._match(wanted)
        return RawSQL(f"select {self._doc} from {self.table} where {match}", parameters)  # noqa: S611, S608

    def snippets(self, text: str, docs: Iterable[int]) -> dict[int, Hit]:
        """Marked title and snippet of these documents, by number."""
        wanted, numbers = terms(text), list(docs)
        if not wanted or not numbers:
            return {}
        places = ", ".join(["%s"] * len(numbers))
        statement = f"select {self._doc}, title, body from {self.table} where {self._doc} in ({places})"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.execute(statement, numbers)
            return {doc: Hit(doc, 0.0, marked(title, wanted), snippet(body, wanted)) for doc, title, body in cursor}

    @property
    def _doc(self) -> str:
        return "doc" if connection.vendor == "postgresql" else "rowid"

    def _match(self, wanted: list[Term]) -> tuple[str, list[str]]:
        query, parameters = self._query(wanted)
        if connection.vendor == "postgresql":
            return f"{self.table}.words @@ ({query})", parameters
        return f"{self.table} match {query}", parameters

    def _query(self, wanted: list[Term]) -> tuple[str, list[str]]:
        present = [term for term in wanted if not term.absent]
        absent = [term for term in wanted if term.absent]
        if connection.vendor == "postgresql":
            parts = [_postgresql(term) for term in [*present, *absent]]
            return "(" + " && ".join(sql for sql, _ in parts) + ")", [word for _, word in parts]
        said = " AND ".join(_fts5(term) for term in present)
        for term in absent:
            said = f"({said}) NOT {_fts5(term)}"
        return "%s", [said]


def _postgresql(term: Term) -> tuple[str, str]:
    sql = "phraseto_tsquery('english', %s)" if len(term.words) > 1 else "to_tsquery('english', %s)"
    word = " ".join(term.words) if len(term.words) > 1 else f"{term.words[0]}:*"
    return (f"!! {sql}" if term.absent else sql), word


def _fts5(term: Term) -> str:
    return f'"{" ".join(term.words)}"' if len(term.words) > 1 else f'"{term.words[0]}" *'


def marked(text: str, wanted: list[Term]) -> tuple[Piece, ...]:
    """The text in pieces, with the words that were searched for marked."""
    stems = _stems(wanted)
    pieces: list[Piece] = []
    end = 0
    for found in _WORD.finditer(text):
        if _hit(found[0], stems):
            pieces += [(text[end : found.start()], False), (found[0], True)]
            end = found.end()
    return tuple(piece for piece in [*pieces, (text[end:], False)] if piece[0])


def snippet(text: str, wanted: list[Term], room: int = 180) -> tuple[Piece, ...]:
    """The stretch of about `room` characters that holds most of what was searched for, marked."""
    stems = _stems(wanted)
    hits = [found.start() for found in _WORD.finditer(text) if _hit(found[0], stems)]
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


def _stems(wanted: list[Term]) -> tuple[str, ...]:
    return tuple(_stem(word) for term in wanted if not term.absent for word in term.words)


def _hit(word: str, stems: tuple[str, ...]) -> bool:
    plain = _plain(word)
    return any(plain.startswith(stem) for stem in stems)


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
