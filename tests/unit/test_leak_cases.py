"""The leak lens on memory that was measured in real processes: published leaks, the same packages repaired, and healthy ones."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest

from unrepeat.investigation.lenses import Tables, describe, scene_of
from unrepeat.investigation.ranking.rank import lenses
from unrepeat.investigation.weights import weights

CASES = Path(__file__).parents[3] / "shared" / "cases" / "leaks"
FILES = sorted(CASES.glob("*/measured.csv"))
PLAIN = {"aiohttp-middleware-cache", "multidict-ctor-refs", "pydantic-typeadapter", "ujson-bigint"}
"""Leaks whose growth is larger than the noise of a service's memory (8 MB)."""

pytestmark = pytest.mark.skipif(
    not FILES, reason="the measured leaks (../shared/cases/leaks) are not beside this checkout"
)


def measured(file: Path) -> list[np.ndarray]:
    """Resident bytes, a row a reading: of the leaky version where there is one, then of the repaired or healthy one."""
    found: dict[str, list[float]] = {}
    for row in csv.DictReader(file.open()):
        found.setdefault(row["version"], []).append(float(row["rss_bytes"]))
    return [np.array(values) for values in found.values()]


def load_of(case: str, rows: int) -> np.ndarray:
    """What the workloads ask: always the same, or a wave of live sessions."""
    if case != "control-load-wave":
        return np.full(rows, 100.0)
    return 4000 + 3600 * np.sin(np.arange(rows) * 4800 / 120000 * 3 * math.pi - math.pi / 2)


def named(resident: np.ndarray, load: np.ndarray) -> bool:
    """Whether the lens speaks of a leak; the alert stands at two thirds of the rows, which are minutes."""
    columns = [("sessions|memory", "sessions", "process_resident_memory_bytes")]
    columns.append(("sessions|load", "sessions", "requests_per_second"))
    values = np.column_stack([resident, load])
    times = np.arange(len(values)) * 60.0
    tables = Tables(times[len(times) * 2 // 3], times, values, describe(columns, values))
    return bool(lenses()["leak"].look(scene_of(tables, weights())))


@pytest.mark.parametrize("file", [one for one in FILES if one.parent.name in PLAIN], ids=lambda one: one.parent.name)
def test_a_published_leak_is_named_and_its_repair_is_not(file):
    leaky, repaired = measured(file)
    load = load_of(file.parent.name, len(leaky))
    assert named(leaky, load)
    assert not named(repaired, load)


@pytest.mark.parametrize("share", [1 / 3, 1 / 2, 3 / 4, 1.0])
@pytest.mark.parametrize("file", [one for one in FILES if "wave" in one.parent.name], ids=lambda one: one.parent.name)
def test_sessions_that_follow_the_load_are_no_leak_at_any_moment(file, share):
    resident = measured(file)[-1]
    rows = max(8, int(len(resident) * share))
    assert not named(resident[:rows], load_of(file.parent.name, len(resident))[:rows])
