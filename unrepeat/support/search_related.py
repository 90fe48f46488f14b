"""Which documents are about the same thing as a text: found by the database's full text, ranked alike on both.

A `Related` is a table that a room's migration makes (`created`). The text is kept as stems, so that SQLite FTS5 and PostgreSQL's
full text see the same words; a second table counts how many documents have each stem. The database finds the documents that have
any of the ideas of a question (words, phrases, aliases), the best few of them are read and scored (`search_rank`).
"""

# ruff: noqa: S608 (table names are our own constants; everything from outside is a parameter)
from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, transaction

from unrepeat.support.search_aliases import Phrase, aliases
from unrepeat.support.search_rank import (
    KNOBS,
    VIEWS,
    Idea,
    Knobs,
    Library,
    Scored,
    Scorer,
    Weighed,
    confidence,
    ideas,
    weighed,
)
from unrepeat.support.search_text import stems
from unrepeat.support.search_views import cause, summary

LONGEST = 100_000  # characters of a document that are read
CANDIDATES = 200  # documents that are scored in full
COMMONEST = 0.15  # share of all documents above which a word finds no candidates of its own
FEW = 2000  # documents; in a smaller library every word finds candidates
_TOTALS = (" documents", *(f" {view}" for view in VIEWS))  # with a space before: no stem has one


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, best first, and how likely the first is the right one (0 to 1)."""

    hits: tuple[Scored, ...]
    sure: float


class Related:
    """The documents of one table, to be found by meaning."""

    def __init__(self, table: str, *, own: Path | None = None, knobs: Knobs = KNOBS) -> None:
        """`own`: a file with the user's own aliases, added to ours."""
        self.table, self.own, self.knobs = table, own, knobs

    def created(self, vendor: str) -> list[str]:
        """Statements that make the tables."""
        t = self.table
        counts = f"create table {t}_stems (stem text primary key, documents bigint not null)"
        if vendor == "postgresql":
            columns = ", ".join(f"{view} text not null" for view in VIEWS)
            return [
                f"create table {t} (doc bigint primary key, {columns}, stems tsvector not null)",
                f"create index {t}_words on {t} using gin (stems)",
                counts,
            ]
        tokenize = "tokenize = 'unicode61 remove_diacritics 0'"
        return [f"create virtual table {t} using fts5 ({', '.join(VIEWS)}, {tokenize})", f"{counts} without rowid"]

    def dropped(self, vendor: str) -> list[str]:
        """Statements that drop them."""
        del vendor
        return [f"drop table {self.table}", f"drop table {self.table}_stems"]

    def index(self, doc: int, fields: Mapping[str, str]) -> None:
        """Put in document number `doc`, or put it in anew; within the caller's transaction.

        `title` and `body`; `summary` and `cause` where the document has them apart, else they are read out of the body.
        """
        title, body = fields.get("title", "")[:1000], fields.get("body", "")[:LONGEST]
        said = [title, fields.get("summary") or summary(body), fields.get("cause") or cause(body), f"{title}\n{body}"]
        views = [" ".join(stems(text)) for text in said]
        self.remove(doc)
        self._count(views, 1)
        columns, slots = ", ".join(VIEWS), ", ".join(["%s"] * len(VIEWS))
        with connection.cursor() as cursor:
            if self._postgresql:
                cursor.execute(
                    f"insert into {self.table} (doc, {columns}, stems) values (%s, {slots}, %s::tsvector)",
                    [doc, *views, _vector(views[-1])],
                )
            else:
                cursor.execute(f"insert into {self.table} (rowid, {columns}) values (%s, {slots})", [doc, *views])

    def remove(self, doc: int) -> None:
        """Take a document out, if it is there."""
        for _, *views in self._views([doc]):
            self._count(views, -1)
            with connection.cursor() as cursor:
                cursor.execute(f"delete from {self.table} where {self._doc} = %s", [doc])

    def find(self, text: str, limit: int = 10, *, without: Collection[int] = ()) -> Answer:
        """The documents most about the same as `text`; `without` these."""
        asked = ideas(text, aliases(self.own), self.knobs)
        library, counts = self._library({word for idea in asked for form in idea.forms for word in form})
        if not library.documents or not asked:
            return Answer((), 0.0)
        having = self._having(_worth_asking(asked, counts, library.documents))
        for idea in asked:
            for form in idea.forms:
                counts[form] = len(having[form]) if form in having else counts.get(form, 0) if len(form) == 1 else 0
        question = weighed(asked, counts, library.documents)
        scorer = Scorer(question, library, self.knobs)
        best = _candidates(question, having, without)
        scored = [scorer.score(doc, views) for doc, *views in self._views(best)]
        scored.sort(key=lambda hit: (-hit.score, hit.doc))
        return Answer(tuple(scored[:limit]), confidence([hit.score for hit in scored[:10]], question))

    def _library(self, asked: Iterable[str]) -> tuple[Library, dict[Phrase, int]]:
        wanted = [*_TOTALS, *sorted(asked)]
        with connection.cursor() as cursor:
            if self._postgresql:
                cursor.execute(f"select stem, documents from {self.table}_stems where stem = any(%s)", [wanted])
            else:
                among = "select value from json_each(%s)"
                cursor.execute(
                    f"select stem, documents from {self.table}_stems where stem in ({among})", [json.dumps(wanted)]
                )
            rows = dict(cursor.fetchall())
        documents, *lengths = [rows.pop(total, 0) for total in _TOTALS]
        means = [max(1.0, length / max(1, documents)) for length in lengths]
        return Library(documents, (means[0], means[1], means[2], means[3])), {
            (stem,): n for stem, n in rows.items() if n
        }

    def _having(self, forms: Sequence[Phrase]) -> dict[Phrase, list[int]]:
        """Which documents have each form, by the database's full text."""
        having: dict[Phrase, list[int]] = defaultdict(list)
        if not forms:
            return having
        if self._postgresql:
            said = [" <-> ".join(f"'{word}'" for word in form) for form in forms]
            statement = (
                "select q.n - 1, array_agg(t.doc) from unnest(%s::text[]) with ordinality q(said, n)"
                f" join {self.table} t on t.stems @@ q.said::tsquery group by q.n"
            )
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("set local enable_seqscan = off")
                cursor.execute("set local jit = off")
                cursor.execute(statement, [said])
                for at, docs in cursor.fetchall():
                    having[forms[at]] = docs
                cursor.execute("set local enable_seqscan = on")
                return having
        said = [f'{VIEWS[-1]} : "{" ".join(form)}"' for form in forms]
        with connection.cursor() as cursor:
            statement = f"select q.key, t.rowid from json_each(%s) q cross join {self.table} t where t.{self.table} match q.value"
            cursor.execute(statement, [json.dumps(said)])
            for at, doc in cursor.fetchall():
                having[forms[at]].append(doc)
        return having

    def _views(self, docs: Sequence[int]) -> list[tuple[int, str, str, str, str]]:
        if not docs:
            return []
        some = ", ".join(["%s"] * len(docs))
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {self._doc}, {', '.join(VIEWS)} from {self.table} where {self._doc} in ({some})", list(docs)
            )
            return list(cursor.fetchall())

    def _count(self, views: Sequence[str], by: int) -> None:
        """Count a document's stems in (1) or out (-1), in one order, so that two writers do not wait for each other crosswise."""
        totals = {
            total: by * size for total, size in zip(_TOTALS, (1, *(len(view.split()) for view in views)), strict=True)
        }
        rows = {**totals, **dict.fromkeys(sorted(set(views[-1].split())), by)}
        some = "unnest(%s::text[], %s::bigint[])" if self._postgresql else "json_each(%s) where true"
        columns = "*" if self._postgresql else "key, value"
        statement = (
            f"insert into {self.table}_stems (stem, documents) select {columns} from {some}"
            f" on conflict (stem) do update set documents = {self.table}_stems.documents + excluded.documents"
        )
        with connection.cursor() as cursor:
            cursor.execute(statement, [list(rows), list(rows.values())] if self._postgresql else [json.dumps(rows)])

    @property
    def _postgresql(self) -> bool:
        return connection.vendor == "postgresql"

    @property
    def _doc(self) -> str:
        return "doc" if self._postgresql else "rowid"


def _worth_asking(asked: Iterable[Idea], counts: Mapping[Phrase, int], documents: int) -> list[Phrase]:
    """The forms by which documents are looked for: their words are there, and in a large library not nearly everywhere."""
    most = documents * COMMONEST if documents > FEW else documents
    forms = dict.fromkeys(form for idea in asked for form in idea.forms)
    return [form for form in forms if 0 < min(counts.get((word,), 0) for word in form) <= most]


def _candidates(
    question: Iterable[Weighed], having: Mapping[Phrase, Sequence[int]], without: Collection[int]
) -> list[int]:
    """The documents with the most of the question, at most `CANDIDATES`."""
    total: Counter[int] = Counter()
    for idea in question:
        best: dict[int, float] = {}
        for form, worth in sorted(idea.forms.items(), key=lambda item: item[1]):
            best.update(dict.fromkeys(having.get(form, ()), worth))
        for doc, worth in best.items():
            total[doc] += worth  # type: ignore[assignment]
    for doc in without:
        total.pop(doc, None)
    return [doc for doc, _ in total.most_common(CANDIDATES)]


def _vector(line: str) -> str:
    """Stems as PostgreSQL writes a vector: each with the places where it stands (at most 256 of them, up to 16383)."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(line.split(), start=1):
        if at <= 16_383 and len(places[word]) < 256:
            places[word].append(at)
    return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items() if at)
