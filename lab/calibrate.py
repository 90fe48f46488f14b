"""Size the shop's pages to the machine: a slower one shows fewer products a page, and the outage stays the same.

What is measured is CPU time of this thread (`time.thread_time`), so other load on the machine does not disturb it.
The lab's only choice of scale is how much a page shows; stalls, timeouts and refusals are what the machine then does.
"""

from __future__ import annotations

import gc
import json
import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.sessions import checkpoint
from lab.sessions.releases import tracking
from lab.sessions.store import SessionStore
from lab.shop import catalogue

WANTED_MS = 0.34
"""CPU milliseconds that one tracked visit is to cost in a checkpoint."""

TRIAL_ITEMS = 24
TRIAL_VISITS = 400
TRIALS = 7
FEWEST, MOST = 4, 400


@dataclass(frozen=True, slots=True)
class Calibration:
    """Products a page, and what a visit of that size takes."""

    page_size: int
    trial_ms: float
    visit_bytes: float

    @property
    def visit_ms(self) -> float:
        """CPU milliseconds of one visit in a checkpoint, as calibrated."""
        return self.trial_ms * self.page_size / TRIAL_ITEMS


def page_size(trial_ms: float) -> int:
    """How many products make a visit cost what is wanted, if one of 24 costs `trial_ms` CPU milliseconds."""
    if trial_ms <= 0:
        raise ValueError("a visit cannot take no time at all")
    return max(FEWEST, min(MOST, round(TRIAL_ITEMS * WANTED_MS / trial_ms)))


def calibrate(clock: Callable[[], float] = time.thread_time) -> Calibration:
    """Measure this machine, in about a second."""
    store = _filled(TRIAL_ITEMS, TRIAL_VISITS)
    with tempfile.TemporaryDirectory() as folder:
        costs = [_cost(Path(folder) / "trial.gz", store, clock) for _ in range(TRIALS)]
    trial_ms = min(costs) * 1000 / TRIAL_VISITS
    size = page_size(trial_ms)
    return Calibration(size, trial_ms, _resident_bytes(size))


def _cost(path: Path, store: SessionStore, clock: Callable[[], float]) -> float:
    began = clock()
    checkpoint.write(path, store)
    return clock() - began


def _filled(items: int, visits: int) -> SessionStore:
    """A service that holds `visits` visits, each as it comes in from the shop."""
    store = SessionStore(tracking("2.0"))
    dice = random.Random(0)
    session = store.create({}, "/", [])
    for _ in range(visits):
        first = dice.randrange(1, catalogue.PRODUCTS - items)
        products = [catalogue.product(number) for number in range(first, first + items)]
        body = json.dumps(catalogue.shown(products, dice))
        store.touch(session.id, f"/products/{first}", json.loads(body))
    return store


def _resident_bytes(items: int, visits: int = 1500) -> float:
    """Resident memory that one visit of `items` products takes."""
    dice = random.Random(1)
    products = [catalogue.product(number) for number in range(1, items + 1)]
    body = json.dumps(catalogue.shown(products, dice))
    gc.collect()
    before = _resident()
    kept = [json.loads(body) for _ in range(visits)]
    grown = _resident() - before
    kept.clear()
    return grown / visits


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def main() -> None:
    """Print the calibration of this machine as JSON. Run as a process of its own, so that nothing else is measured."""
    print(json.dumps(asdict(calibrate())))


if __name__ == "__main__":
    main()
