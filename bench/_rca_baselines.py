"""What others do on the same cases: random order, the largest z, BARO. None of them sees more than the ranking does."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench._rca_cases import Case
from unrepeat.investigation.lenses import Bools, Floats, Series, Tables
from unrepeat.investigation.lenses._contrast import split
from unrepeat.investigation.weights import weights

SCRIPT = Path(__file__).with_name("_rca_baro.py")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a method ranked, the worst first. `changes` may hold `none`."""

    services: list[str]
    indicators: list[str]
    changes: list[str]
    seconds: float


def largest_z(case: Case) -> Answer:
    """Columns by their largest single deviation, in standard deviations of the quiet time (at least 5 % of its mean)."""
    began = time.process_time()
    tables = case.tables
    before, during = _sides(tables)
    values = _filled(tables.values)
    quiet, harm = values[before], values[during]
    if not len(quiet) or not len(harm):
        return _answer(case, [], time.process_time() - began)
    mean = quiet.mean(axis=0)
    spread = np.maximum(quiet.std(axis=0), 0.05 * np.abs(mean))
    deviation = np.where(spread > 0, np.abs(harm - mean).max(axis=0) / np.where(spread > 0, spread, 1.0), 0.0)
    order = np.argsort(-deviation, kind="stable")
    kept = [tables.series[column] for column in order if _counts(tables.series[column])]
    return _answer(case, kept, time.process_time() - began)


def baro(cases: list[Case], *, rounds: int) -> tuple[dict[str, Answer], str]:
    """BARO's answers by case name, and what is missing where there are none."""
    if importlib.util.find_spec("baro") is None:
        return {}, "BARO is not shown: `fse-baro` is missing. `make test` installs it, or `pip install fse-baro`."
    with tempfile.TemporaryDirectory(prefix="unrepeat-baro-") as folder:
        columns = {case.name: _store(Path(folder) / f"{place}.npz", case) for place, case in enumerate(cases)}
        ran = subprocess.run(
            [sys.executable, str(SCRIPT), folder, str(rounds)], capture_output=True, text=True, check=False
        )
    if ran.returncode:
        return {}, f"BARO is not shown: {ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else 'it failed'}"
    said = json.loads(ran.stdout)
    answers = {}
    for place, case in enumerate(cases):
        known = {series.column: series for series in columns[case.name]}
        result = said[str(place)]
        ranks = [known[name] for name in result.get("ranks", ()) if name in known]
        answers[case.name] = _answer(case, ranks, float(result["seconds"]))
    failed = [name for name, result in said.items() if "failed" in result]
    return answers, f"BARO failed on {len(failed)} cases; they count as misses." if failed else ""


def _answer(case: Case, columns: list[Series], seconds: float) -> Answer:
    """Services by their best column; changes by the place of their service, the latest first, none after the alert."""
    services = list(dict.fromkeys(series.service for series in columns))
    place = {service: index for index, service in enumerate(services)}
    known = [change for change in case.tables.changes if change.at <= case.tables.alert and change.deployed]
    changes = sorted(known, key=lambda change: (place.get(change.service, len(place)), -change.at))
    return Answer(services, [series.column for series in columns], [change.key for change in changes], seconds)


def _counts(series: Series) -> bool:
    """Numbers of a shared machine are left out, as they name no service."""
    return not series.machine


def _sides(tables: Tables) -> tuple[Bools, Bools]:
    return split(tables, weights())


def _filled(values: Floats) -> Floats:
    """Gaps filled forwards, then backwards, then with 0, as these methods need it."""
    filled = values.copy()
    for rows in (range(1, len(filled)), range(len(filled) - 2, -1, -1)):
        step = 1 if rows.step > 0 else -1
        for row in rows:
            gaps = ~np.isfinite(filled[row])
            filled[row, gaps] = filled[row - step, gaps]
    return np.nan_to_num(filled, nan=0.0)


def _store(file: Path, case: Case) -> list[Series]:
    tables = case.tables
    before, during = _sides(tables)
    kept = [column for column, series in enumerate(tables.series) if _counts(series)]
    rows = before | during
    np.savez(
        file,
        times=tables.times[rows],
        values=tables.values[rows][:, kept],
        columns=np.array([tables.series[column].column for column in kept]),
        split=np.array(tables.times[during][0] if during.any() else tables.alert),
    )
    return [tables.series[column] for column in kept]
