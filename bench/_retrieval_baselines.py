"""What the retrieval is measured against: SQLite FTS5 as it comes, and BM25 by `bm25s` where that is installed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from importlib import import_module, util

Ask = Callable[[str, int], list[int]]
"""A question and how many hits are wanted, to the numbers of documents, best first."""
_WORD = re.compile(r"[^\W_]+")


def fts5(documents: Sequence[str]) -> Ask:
    """One full-text table with the porter tokenizer, any of the words, ranked by its own bm25."""
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table t using fts5 (body, tokenize = 'porter unicode61')")
    database.executemany("insert into t (rowid, body) values (?, ?)", enumerate(documents))

    def ask(text: str, limit: int) -> list[int]:
        wanted = " OR ".join(f'"{word}"' for word in dict.fromkeys(_WORD.findall(text.lower())))
        rows = database.execute("select rowid from t where t match ? order by bm25(t) limit ?", [wanted, limit])
        return [doc for (doc,) in rows]

    return ask


def bm25(documents: Sequence[str]) -> Ask | None:
    """BM25 (Lucene's form, English stop words) by `bm25s`; None when it is not installed."""
    if not util.find_spec("bm25s"):
        return None
    bm25s = import_module("bm25s")
    index = bm25s.BM25()
    index.index(bm25s.tokenize(list(documents), stopwords="en", show_progress=False), show_progress=False)

    def ask(text: str, limit: int) -> list[int]:
        asked = bm25s.tokenize(text, stopwords="en", show_progress=False)
        docs, _ = index.retrieve(asked, k=min(limit, len(documents)), show_progress=False)
        return [int(doc) for doc in docs[0]]

    return ask
