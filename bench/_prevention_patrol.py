"""Whether the server's patrol keeps up: the real worker runs real checks of a service on this machine, on the full database."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

WARM = 5.0  # seconds of each part that are not counted: threads and caches come up


def patrol(seconds: int, port: int) -> dict[str, Any]:
    """Three parts: the guards' own intervals, every guard once a minute, and everything due at once."""
    with _service(port):
        return {
            "own intervals": _part(seconds, every=None),
            "each minute": _part(seconds, every=60),
            "all at once": _part(min(seconds, 30), every=3600, at_once=True),
        }


@contextmanager
def _service(port: int) -> Iterator[None]:
    made = subprocess.Popen(
        [sys.executable, "-m", "bench._answering", str(port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert made.stdout is not None
        assert made.stdout.readline(), f"port {port} is taken"
        yield
    finally:
        made.communicate()


def _part(seconds: int, *, every: int | None, at_once: bool = False) -> dict[str, Any]:
    from django.db import transaction
    from django.db.models import Max

    from bench._prevention_filled import EVERY
    from unrepeat.prevention.models import Guard, Run
    from unrepeat.support import clock, wakeups
    from unrepeat.worker import Worker

    begin = clock.now()
    guards = list(Guard.objects.order_by("pk"))
    due, needed = {}, 0.0
    for i, guard in enumerate(guards):
        guard.every = every or EVERY[i % len(EVERY)]
        guard.due_at = due[guard.pk] = begin + timedelta(seconds=0 if at_once else guard.every * (i * 0.6180339887 % 1))
        needed += 1 / guard.every
    Guard.objects.bulk_create(guards, update_conflicts=True, unique_fields=["id"], update_fields=["every", "due_at"])
    before = Run.objects.aggregate(n=Max("pk"))["n"]
    with transaction.atomic():
        wakeups.stand("prevention", "patrol", due_at=clock.now())
    worker, worked, began = Worker(), time.process_time(), time.perf_counter()
    worker.start()
    time.sleep(WARM + seconds)
    ended = clock.now()
    took, cpu = time.perf_counter() - began, time.process_time() - worked
    worker.stop()
    every_of = {guard.pk: guard.every for guard in guards}
    late, colours, last = [], dict[str, int](), begin
    made = Run.objects.filter(pk__gt=before, at__lt=ended).order_by("at")
    for number, at, colour in made.values_list("guard_id", "at", "colour"):
        if (at - begin).total_seconds() > WARM or at_once:
            late.append(max(0.0, (at - due[number]).total_seconds()))
            colours[colour] = colours.get(colour, 0) + 1
        due[number] = at + timedelta(seconds=every_of[number])
        last = at
    late.sort()
    counted = (last - begin).total_seconds() if at_once else took - WARM
    p50, p99 = (late[int(len(late) * share)] if late else 0.0 for share in (0.5, 0.99))
    return {
        "runs": len(late), "seconds": counted, "rate": len(late) / counted, "needed": 0 if at_once else needed, "p50": p50, "p99": p99,
        "waiting": sum(at < ended for at in due.values()), "cpu": cpu / took, "colours": colours,
    }  # fmt: skip
