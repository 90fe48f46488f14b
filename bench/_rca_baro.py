"""Runs BARO's robust scorer over stored cases. A script for any Python that has `fse-baro`; reads an .npz folder, prints JSON.

Stands alone on purpose: it may run in a virtual environment of its own, without Unrepeat.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np


def _ranked(scorer: Any, path: Path, rounds: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    times = []
    try:
        frame, split = _frame(path)
    except Exception as error:  # noqa: BLE001 - a case that makes no frame is a miss
        return {"failed": f"{type(error).__name__}: {error}"[:200], "seconds": 0.0}
    for _ in range(rounds):
        began = time.process_time()
        try:
            result = {"ranks": [str(name) for name in scorer(frame, inject_time=split)["ranks"]]}
        except Exception as error:  # noqa: BLE001 - whatever it fails with, the case is a miss
            result = {"failed": f"{type(error).__name__}: {error}"[:200]}
        times.append(time.process_time() - began)
    return {**result, "seconds": min(times)}


def _frame(path: Path) -> tuple[Any, float]:
    pd = importlib.import_module("pandas")  # by name: neither is a dependency of Unrepeat
    with np.load(path, allow_pickle=False) as stored:
        frame = pd.DataFrame(stored["values"], columns=[str(name) for name in stored["columns"]])
        frame.insert(0, "time", stored["times"])
        return frame.ffill().bfill().fillna(0.0), float(stored["split"])


def main(folder: str, rounds: int) -> int:
    """Rank every case in the folder, best of `rounds`; one JSON object by file name on standard output."""
    robust_scorer = importlib.import_module("baro.root_cause_analysis").robust_scorer

    warnings.simplefilter("ignore")
    results = {path.stem: _ranked(robust_scorer, path, rounds) for path in sorted(Path(folder).glob("*.npz"))}
    print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
