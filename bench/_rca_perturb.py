"""How much the figures hang on the data that is there: the same cases with a late alert, with gaps, without a call graph, spans or logs."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from bench._rca_cases import Case
from unrepeat.investigation.lenses import Tables, step_of
from unrepeat.investigation.ranking import rank

SEED = 5


def perturbed(cases: list[Case]) -> str:
    """A table: AC@1 of services and changes by dataset, a row a way of making things harder."""
    datasets = sorted({case.truth.dataset for case in cases})
    lines = [
        "",
        "the same cases made harder, AC@1 of services / changes",
        f"  {'':28} " + " ".join(f"{name:>14}" for name in datasets),
    ]
    for name, change in _ways():
        services: dict[str, list[bool]] = defaultdict(list)
        changes: dict[str, list[bool]] = defaultdict(list)
        for case in cases:
            ranking = rank(change(case.tables))
            first = ranking.services[0].name if ranking.services else ""
            if case.truth.service:
                services[case.truth.dataset].append(first == case.truth.service)
            if case.truth.change:
                changes[case.truth.dataset].append((ranking.verdict.change or "none") == case.truth.change)
        cells = [_cell(services[dataset], changes[dataset]) for dataset in datasets]
        lines.append(f"  {name:28} " + " ".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines)


def _cell(services: list[bool], changes: list[bool]) -> str:
    known = [f"{statistics.fmean(hits):.2f}" if hits else "-" for hits in (services, changes)]
    return " / ".join(known if changes else known[:1])


def _ways() -> Iterator[tuple[str, Callable[[Tables], Tables]]]:
    yield "as they are", lambda tables: tables
    yield "alert one row late", lambda tables: replace(tables, alert=tables.alert + step_of(tables.times))
    yield "alert two rows late", lambda tables: replace(tables, alert=tables.alert + 2 * step_of(tables.times))
    yield "alert one row early", lambda tables: replace(tables, alert=tables.alert - step_of(tables.times))
    yield "three rows after the alert", _soon
    yield "half of the quiet time", _short
    yield "a tenth of the values gone", _holes
    yield "no call graph", lambda tables: replace(tables, edges=())
    yield "no spans and calls", lambda tables: replace(tables, spans=None, calls=None)
    yield "no logs", lambda tables: replace(tables, log_counts=None, log_lines=())


def _soon(tables: Tables) -> Tables:
    kept = tables.times <= tables.alert + 3 * step_of(tables.times)
    return replace(tables, times=tables.times[kept], values=tables.values[kept])


def _short(tables: Tables) -> Tables:
    early = np.flatnonzero(tables.times < tables.alert)
    kept = np.ones(len(tables.times), dtype=bool)
    kept[early[: len(early) // 2]] = False
    return replace(tables, times=tables.times[kept], values=tables.values[kept])


def _holes(tables: Tables) -> Tables:
    gone = np.random.default_rng(SEED).random(tables.values.shape) < 0.1
    return replace(tables, values=np.where(gone, np.nan, tables.values))
