"""Which past report is this about: retrieval on labelled questions, beside plain FTS5 and BM25, on SQLite and PostgreSQL.

CORPUS and QUERIES are JSON lines: {"id", "title", "text"} and {"qid", "query", "relevant": [ids], "kind"}. Abstention: the same
questions once more with their reports taken away; how well the answer's own certainty tells the two apart (area under the curve,
over all questions, and over those whose first hit was right), and the share of right first hits that are kept when a tenth of the
questions without an answer is answered all the same. The larger library holds the corpus and reports mixed from its sentences.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import _retrieval_baselines as baselines
from bench import _retrieval_cv as cv

LIMITS = {"mrr": 0.80, "abstention": 0.90, "p95_ms": 30.0, "p95_ms_large": 100.0}
DEEP, SHOWN = 100, 10  # hits that are looked at for the score; hits that a timed answer has


@dataclass(slots=True)
class Result:
    """Places of the first right hit (0: none), recalls among the first ten, milliseconds, certainties."""

    places: list[int] = field(default_factory=list)
    recalls: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    sure: list[float] = field(default_factory=list)
    sure_without: list[float] = field(default_factory=list)

    def at(self, k: int) -> float:
        """Share of questions with a right hit among the first k."""
        return sum(0 < place <= k for place in self.places) / len(self.places)

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank of the first right hit."""
        return statistics.fmean(1 / place if place else 0.0 for place in self.places)

    def area(self, *, right_only: bool) -> float:
        """How often the certainty with an answer in the library is above the one without."""
        found = [s for s, place in zip(self.sure, self.places, strict=True) if place == 1 or not right_only]
        above = [(one > other) + 0.5 * (one == other) for one in found for other in self.sure_without]
        return statistics.fmean(above) if above else 0.0

    def kept(self) -> float:
        """Share of right first hits above the certainty that a tenth of the questions without an answer reach."""
        found = [s for s, place in zip(self.sure, self.places, strict=True) if place == 1]
        bar = sorted(self.sure_without)[int(0.9 * len(self.sure_without))] if self.sure_without else 0.0
        return sum(s > bar for s in found) / max(1, len(found))

    def take(self, hits: Sequence[int], relevant: set[int], seconds: float) -> None:
        """Score one answer."""
        self.places.append(next((at for at, doc in enumerate(hits, start=1) if doc in relevant), 0))
        self.recalls.append(len(relevant & set(hits[:10])) / len(relevant))
        self.times.append(1000 * seconds)

    def row(self) -> str:
        """The table's line."""
        times = sorted(self.times)
        p95 = times[int(0.95 * (len(times) - 1))]
        said = f"{self.at(1):6.2f} {self.at(5):6.2f} {self.at(10):6.2f} {self.mrr:6.3f} {statistics.fmean(self.recalls):7.2f}"
        return f"{said} {statistics.median(times):7.1f} {p95:7.1f}"


def main(argv: list[str]) -> int:
    """Run the benchmark; exit status 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench retrieval", description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("queries", type=Path)
    parser.add_argument("--large", type=int, default=20_000, help="reports of the larger library; 0: do without")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument(
        "--cross-validate", action="store_true", help="knobs chosen without the questions they are scored on"
    )
    parser.add_argument("--misses", action="store_true", help="name the questions whose first hit is wrong")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    reports, questions = _lines(options.corpus), _lines(options.queries)
    if options.child:
        print(json.dumps(_child(reports, questions, options)))
        return 0
    return _report(options, reports, questions)


def _report(options: argparse.Namespace, reports: list[dict[str, Any]], questions: list[dict[str, Any]]) -> int:
    print(f"{len(reports)} reports, {len(questions)} questions\n")
    print(f"{'':34} {'hit@1':>6} {'hit@5':>6} {'hit@10':>6} {'MRR':>6} {'recall':>7} {'p50 ms':>7} {'p95 ms':>7}")
    plain = _baselines(reports, questions)
    for name, result in plain.items():
        print(f"{name:34} {result.row() if result else 'not measured: bm25s is not installed (pip install bm25s)'}")
    ours: dict[str, dict[str, Result]] = {}
    for database in options.databases.split(","):
        ours[database] = _on(database, options)
        for name, result in ours[database].items():
            if name.startswith(cv.MARK):
                continue
            print(f"{f'unrepeat, {database}, {name}':34} {result.row()}")
    if not ours or not all(ours.values()):
        return 1
    first = next(iter(ours.values()))
    _by_kind(questions, first["shipped"])
    if options.cross_validate:
        cv.report(questions, {name: result.places for name, result in first.items()})
        cv.report_certainty(
            questions,
            {
                name: ([place == 1 for place in result.places], result.sure, result.sure_without)
                for name, result in first.items()
                if name.startswith(cv.CERTAINTY)
            },
        )
    if options.misses:
        for question, place in zip(questions, first["shipped"].places, strict=True):
            if place != 1:
                print(f"  {place or 'not found':>9}  {question['query'][:110]}")
    return _figures(ours, plain)


def _figures(ours: Mapping[str, Mapping[str, Result]], plain: Mapping[str, Result | None]) -> int:
    print(
        "\nAbstention       area, all questions   area, right first hits   right first hits kept at 10 % false alarms"
    )
    for database, results in ours.items():
        shipped = results["shipped"]
        print(
            f"{database:16} {shipped.area(right_only=False):19.3f} {shipped.area(right_only=True):24.3f} {shipped.kept():22.2f}"
        )
    worst = {
        "mrr": min(results["shipped"].mrr for results in ours.values()),
        "hit5": min(results["shipped"].at(5) for results in ours.values()),
        "area": min(results["shipped"].area(right_only=True) for results in ours.values()),
        "area_all": min(results["shipped"].area(right_only=False) for results in ours.values()),
        "kept": min(results["shipped"].kept() for results in ours.values()),
        "p95": max(_p95(results["shipped"]) for results in ours.values()),
        "large": max(
            (_p95(r) for results in ours.values() for name, r in results.items() if "reports" in name), default=0.0
        ),
    }
    print()
    print(f"FIGURE retrieval_mrr={worst['mrr']:.3f} unit=ratio against=at_least_{LIMITS['mrr']}")
    print(f"FIGURE retrieval_hit5={worst['hit5']:.3f} unit=share against=none")
    print(f"FIGURE abstention_auc={worst['area']:.3f} unit=area against=at_least_{LIMITS['abstention']}")
    print(f"FIGURE abstention_auc_all={worst['area_all']:.3f} unit=area against=none")
    print(f"FIGURE abstention_kept_at_10={worst['kept']:.3f} unit=share against=none")
    print(f"FIGURE retrieval_p95_ms={worst['p95']:.1f} unit=ms against=at_most_{LIMITS['p95_ms']:.0f}")
    print(f"FIGURE retrieval_p95_ms_large={worst['large']:.1f} unit=ms against=at_most_{LIMITS['p95_ms_large']:.0f}")
    for name in ("fts5", "bm25"):
        result = plain[name]
        print(f"FIGURE {name}_mrr={f'{result.mrr:.3f}' if result else 'missing'} unit=ratio against=none")
    met = (
        worst["mrr"] >= LIMITS["mrr"],
        worst["area"] >= LIMITS["abstention"],
        worst["p95"] <= LIMITS["p95_ms"],
        worst["large"] <= LIMITS["p95_ms_large"],
    )
    return 0 if all(met) else 1


def _p95(result: Result) -> float:
    return sorted(result.times)[int(0.95 * (len(result.times) - 1))]


def _by_kind(questions: Sequence[Mapping[str, Any]], result: Result) -> None:
    print("\nMRR by kind of question:", end="")
    for kind in sorted({question.get("kind", "") for question in questions}):
        places = [
            place for question, place in zip(questions, result.places, strict=True) if question.get("kind", "") == kind
        ]
        print(
            f"  {kind or 'none'} {statistics.fmean(1 / p if p else 0.0 for p in places):.3f} of {len(places)}", end=""
        )
    print()


def _baselines(reports: list[dict[str, Any]], questions: list[dict[str, Any]]) -> dict[str, Result | None]:
    texts = [f"{report.get('title') or ''}\n{report['text']}" for report in reports]
    numbers = {report["id"]: at for at, report in enumerate(reports)}
    found: dict[str, Result | None] = {}
    for name, make in (("fts5", baselines.fts5), ("bm25", baselines.bm25)):
        ask = make(texts)
        found[name] = _asked(ask, questions, numbers) if ask else None
    return found


def _asked(ask: baselines.Ask, questions: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> Result:
    result = Result()
    for question in questions:
        relevant = {numbers[name] for name in question["relevant"] if name in numbers}
        started = time.perf_counter()
        ask(question["query"], SHOWN)
        seconds = time.perf_counter() - started
        result.take(ask(question["query"], DEEP), relevant, seconds)
    return result


def _on(database: str, options: argparse.Namespace) -> dict[str, Result]:
    """Our own on one database, in a process of its own (Django knows one)."""
    from tests.support.postgres import PostgresCluster, postgres_binaries

    with tempfile.TemporaryDirectory(prefix="unrepeat-bench-") as folder:
        cluster = None
        url = f"sqlite:///{folder}/bench.db"
        if database == "postgresql":
            if postgres_binaries() is None:
                print("postgresql: not measured, it is not installed")
                return {}
            cluster = PostgresCluster(Path(folder) / "pg")
            cluster.start()
            url = cluster.url("unrepeat")
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "UNREPEAT_DATA_DIR": f"{folder}/data",
            "UNREPEAT_SECRET_KEY": "only-for-the-benchmark-" + "x" * 30,
            "DJANGO_SETTINGS_MODULE": "unrepeat.settings",
        }
        cross = ["--cross-validate"] if options.cross_validate else []
        command = [sys.executable, "-m", "bench", "retrieval", str(options.corpus), str(options.queries)]
        try:
            done = subprocess.run(
                [*command, "--child", database, "--large", str(options.large), *cross],
                env=environment, stdout=subprocess.PIPE, text=True, check=True,
            )  # fmt: skip
        finally:
            if cluster:
                cluster.stop()
    return {name: Result(**values) for name, values in json.loads(done.stdout.splitlines()[-1]).items()}


def _child(
    reports: list[dict[str, Any]], questions: list[dict[str, Any]], options: argparse.Namespace
) -> dict[str, Any]:
    import django

    django.setup()
    from django.db import connection, transaction

    from unrepeat.support.search_rank import KNOBS, Knobs
    from unrepeat.support.search_related import Related

    numbers = {report["id"]: at for at, report in enumerate(reports)}
    index = Related("bench_related")
    with connection.cursor() as cursor:
        for statement in index.created(connection.vendor):
            cursor.execute(statement)

    def put(some: Sequence[Mapping[str, Any]], start: int) -> None:
        for step in range(0, len(some), 500):
            pages = {
                start + step + at: {"title": report.get("title") or "", "body": report["text"]}
                for at, report in enumerate(some[step : step + 500])
            }
            with transaction.atomic():
                index.index_all(pages)
        with connection.cursor() as cursor:
            cursor.execute("analyze")

    def ask(related: Related) -> baselines.Ask:
        return lambda text, limit: [hit.doc for hit in related.find(text, limit).hits]

    put(reports, 0)
    related = {"shipped": index, "no aliases": Related("bench_related", knobs=Knobs(alias=0.0))}
    related["whole text only"] = Related("bench_related", knobs=Knobs(views=(0.0, 0.0, 0.0, 1.0), alias=KNOBS.alias))
    ask(index)(questions[0]["query"], SHOWN)  # reads the aliases once
    results = {name: _asked(ask(one), questions, numbers) for name, one in related.items()}

    def certain(result: Result) -> None:
        for question in questions:
            gone = {numbers[name] for name in question["relevant"] if name in numbers}
            result.sure.append(index.find(question["query"]).sure)
            result.sure_without.append(index.find(question["query"], without=gone).sure)

    certain(results["shipped"])
    if options.cross_validate:
        for name, knobs in cv.certainties():
            with cv.certain_by(knobs):
                certain(results.setdefault(f"{cv.CERTAINTY}{name}", Result(list(results["shipped"].places))))
        results |= {
            f"{cv.MARK}{name}": _asked(ask(Related("bench_related", knobs=knobs)), questions, numbers)
            for name, knobs in cv.settings()
        }
        with cv.half_of_the_aliases() as halves:
            for name in halves:
                results[name] = _asked(ask(index), questions, numbers)
    if options.large > len(reports):
        put(_mixed(reports, options.large - len(reports)), len(reports))
        results[f"{options.large:,} reports"] = _asked(ask(index), questions, numbers)
    return {name: {slot: getattr(result, slot) for slot in Result.__slots__} for name, result in results.items()}


def _mixed(reports: Sequence[Mapping[str, Any]], count: int) -> list[dict[str, str]]:
    """Reports of usual lengths, mixed from the sentences of the corpus; the same each time."""
    from unrepeat.support.search_views import sentences

    chance = random.Random(7)
    pool = [sentence for report in reports for sentence in sentences(report["text"])]
    sizes = [len(sentences(report["text"])) for report in reports]
    titles = [report.get("title") or "" for report in reports]
    return [
        {"title": chance.choice(titles), "text": "\n\n".join(chance.choices(pool, k=chance.choice(sizes)))}
        for _ in range(count)
    ]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
