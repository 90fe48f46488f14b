"""Which documents are about the same thing as a text: found by the database's full text, ranked alike on both.

A `Related` is a table that a room's migration makes (`created`). The text is kept as stems, so that SQLite FTS5 and PostgreSQL's
full text see the same words; a second table counts how many documents have each stem. The database finds the documents that have
any of the ideas of a question (words, phrases, aliases), the best few of them are read and scored (`search_rank`).
"""

# ruff: noqa: S608 (table names are our own constants; everything from outside is a parameter)
from __future__ import annotations

import json
from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise
from typing import Any

from django.db import connection, transaction

from unrepeat.support.config import config
from unrepeat.support.search_aliases import Phrase, aliases
from unrepeat.support.search_rank import (
    BESIDE,
    CERTAIN,
    KNOBS,
    VIEWS,
    Counter,
    Idea,
    Knobs,
    Library,
    Scored,
    Scorer,
    Weighed,
    bag_of,
    confidence,
    ideas,
    read_bag,
    weighed,
)
from unrepeat.support.search_text import stems
from unrepeat.support.search_views import cause, summary

LONGEST = 100_000  # characters of a document that are read
CANDIDATES = 100  # documents that are scored in full
MOST_FOUND = 15_000  # findings (a document, a form) that are read for one question; the commonest forms go without
_VIEWS = ", ".join(VIEWS)
_TOTALS = (" documents", *(f" {view}" for view in VIEWS))  # with a space before: no stem has one


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, best first, and how likely the first is the right one (0 to 1)."""

    hits: tuple[Scored, ...]
    sure: float


class Related:
    """The documents of one table, to be found by meaning."""

    def __init__(self, table: str, *, knobs: Knobs = KNOBS) -> None:
        self.table, self.knobs = table, knobs

    def created(self, vendor: str) -> list[str]:
        """Statements that make the tables."""
        t = self.table
        counts = f"create table {t}_stems (stem text primary key, documents bigint not null)"
        if vendor == "postgresql":
            columns = ", ".join(f"{view} text not null" for view in VIEWS)
            return [
                f"create table {t} (doc bigint primary key, {columns}, bag text not null, stems tsvector not null)",
                f"create index {t}_words on {t} using gin (stems)",
                counts,
            ]
        tokenize = "tokenize = 'unicode61 remove_diacritics 0'"
        return [
            f"create virtual table {t} using fts5 ({_VIEWS}, bag unindexed, {tokenize})",
            f"{counts} without rowid",
        ]

    def dropped(self, vendor: str) -> list[str]:
        """Statements that drop them."""
        del vendor
        return [f"drop table {self.table}", f"drop table {self.table}_stems"]

    def index(self, doc: int, fields: Mapping[str, str]) -> None:
        """Put in document number `doc`, or put it in anew; within the caller's transaction.

        `title` and `body`; `summary` and `cause` where the document has them apart, else they are read out of the body.
        """
        self.index_all({doc: fields})

    def index_all(self, documents: Mapping[int, Mapping[str, str]]) -> None:
        """Put in many, or put them in anew; for a large library in steps of some hundred."""
        self.remove(*documents)
        read = {doc: _views(fields) for doc, fields in documents.items()}
        rows: list[list[Any]]
        self._count(read.values(), 1)
        slots = ", ".join(["%s"] * len(VIEWS))
        if self._postgresql:
            statement = f"insert into {self.table} (doc, {_VIEWS}, bag, stems) values (%s, {slots}, %s, array_to_tsvector(%s::text[]))"
            rows = [[doc, *views, bag_of(views), _lexemes(views[-1])] for doc, views in read.items()]
        else:
            statement = f"insert into {self.table} (rowid, {_VIEWS}, bag) values (%s, {slots}, %s)"
            rows = [[doc, *views, bag_of(views)] for doc, views in read.items()]
        with connection.cursor() as cursor:
            cursor.executemany(statement, rows)

    def remove(self, *docs: int) -> None:
        """Take documents out, those that are there."""
        found = self._read(docs)
        if found:
            self._count([views for _, views, _ in found], -1)
            with connection.cursor() as cursor:
                cursor.executemany(f"delete from {self.table} where {self._doc} = %s", [[doc] for doc, _, _ in found])

    def find(
        self, text: str, limit: int = 10, *, without: Collection[int] = (), only: Collection[int] | None = None
    ) -> Answer:
        """The documents most about the same as `text`; `without` these, and `only` among those, when it is given."""
        known = aliases(config().search_aliases)
        asked = ideas(text, known, self.knobs)
        library, counts = self._library({word for idea in asked for form in idea.forms for word in form})
        if not library.documents or not asked:
            return Answer((), 0.0)
        having = self._having(_worth_asking(asked, counts))
        for idea in asked:
            for form in idea.forms:
                counts[form] = len(having[form]) if form in having else counts.get(form, 0) if len(form) == 1 else 0
        question = weighed(asked, counts, library.documents)
        scorer, counter = Scorer(question, library, self.knobs), Counter(question)
        best = _candidates(question, having, without, only)
        pages = {doc: counter.count(views, read_bag(bag)) for doc, views, bag in self._read(best)}
        scored = sorted(((scorer.score(page), doc) for doc, page in pages.items()), key=lambda hit: (-hit[0], hit[1]))
        hits = tuple(Scored(doc, score, scorer.why(pages[doc])) for score, doc in scored[:limit])
        certain = weighed(ideas(text, known, CERTAIN), counts, library.documents)
        sure = Scorer(certain, library, CERTAIN)
        return Answer(hits, confidence([sure.score(pages[doc]) for _, doc in scored[:BESIDE]], certain))

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
            said = [" & ".join(f"'{piece}'" for piece in _pieces(form)) for form in forms]
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
        said = [" AND ".join(f'{VIEWS[-1]} : "{piece}"' for piece in _pieces(form)) for form in forms]
        with connection.cursor() as cursor:
            found = f"(select json_group_array(rowid) from {self.table} where {self.table} match q.value)"
            cursor.execute(f"select q.key, {found} from json_each(%s) q", [json.dumps(said)])
            for at, docs in cursor.fetchall():
                if docs != "[]":
                    having[forms[at]] = json.loads(docs)
        return having

    def _read(self, docs: Sequence[int]) -> list[tuple[int, tuple[str, ...], str]]:
        if not docs:
            return []
        some = ", ".join(["%s"] * len(docs))
        with connection.cursor() as cursor:
            cursor.execute(
                f"select {self._doc}, {_VIEWS}, bag from {self.table} where {self._doc} in ({some})",
                list(docs),
            )
            return [(doc, tuple(views), bag) for doc, *views, bag in cursor.fetchall()]

    def _count(self, pages: Iterable[Sequence[str]], by: int) -> None:
        """Count documents' stems in (1) or out (-1), in one order, so that two writers do not wait for each other crosswise."""
        counts: Tally[str] = Tally()
        for views in pages:
            counts.update(dict.fromkeys(views[-1].split(), by))
            counts.update(dict(zip(_TOTALS, (by, *(by * len(view.split()) for view in views)), strict=True)))
        rows = dict(sorted(counts.items()))
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


def _views(fields: Mapping[str, str]) -> list[str]:
    """A document's views, each a line of stems."""
    title, body = fields.get("title", "")[:1000], fields.get("body", "")[:LONGEST]
    said = [title, fields.get("summary") or summary(body), fields.get("cause") or cause(body), f"{title}\n{body}"]
    return [" ".join(stems(text)) for text in said]


def _worth_asking(asked: Iterable[Idea], counts: Mapping[Phrase, int]) -> list[Phrase]:
    """The forms by which documents are looked for, the rarest first: their words are there, and they find not too many in all."""
    forms = {form: min(counts.get((word,), 0) for word in form) for idea in asked for form in idea.forms}
    chosen: list[Phrase] = []
    found = 0
    for form in sorted(forms, key=lambda form: (forms[form], form)):
        found += forms[form]
        if found > MOST_FOUND and chosen:
            break
        if forms[form]:
            chosen.append(form)
    return chosen


def _candidates(
    question: Iterable[Weighed],
    having: Mapping[Phrase, Sequence[int]],
    without: Collection[int],
    only: Collection[int] | None,
) -> list[int]:
    """The documents with the most of the question, at most `CANDIDATES`."""
    total: dict[int, float] = {}
    for idea in question:
        found = sorted((worth, form) for form, worth in idea.forms.items() if form in having)
        if not found:
            continue
        best = {doc: worth for worth, form in found[:-1] for doc in having[form]}
        best.update(dict.fromkeys(having[found[-1][1]], found[-1][0]))
        for doc, worth in best.items():
            total[doc] = total.get(doc, 0.0) + worth
    for doc in without:
        total.pop(doc, None)
    if only is not None:
        wanted = set(only)
        total = {doc: worth for doc, worth in total.items() if doc in wanted}
    least = min(nlargest(CANDIDATES, total.values()), default=0)
    above = [doc for doc, worth in total.items() if worth > least]
    level = sorted((doc for doc, worth in total.items() if worth == least), reverse=True)  # of equals the newest
    return [*above, *level[: CANDIDATES - len(above)]]


def _pieces(form: Phrase) -> list[str]:
    """A word, or the neighbours in a phrase."""
    return [" ".join(pair) for pair in pairwise(form)] or list(form)


def _lexemes(line: str) -> list[str]:
    """What PostgreSQL indexes: the stems, and each two neighbours as one, so that a phrase is found without reading documents."""
    found = line.split()
    return sorted({*found, *(f"{one} {two}" for one, two in pairwise(found))})
