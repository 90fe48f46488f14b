"""Somebody watches an open incident: who is hurt is then counted more often than the worker does by itself."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from unrepeat.investigation import store
from unrepeat.support import clock, wakeups

OFTEN = timedelta(seconds=5)  # between two counts, at least
COSTLY = 10.0  # times as long as a count took passes until the next one


def look_again(number: int) -> bool:
    """Plan a count of an open incident now, when the last one is long enough ago; whether it was planned.

    However many watch, once in a few seconds at most, and never more often than the request log can bear. Where nothing was ever
    counted (no request log), nothing is planned.
    """
    last = store.measurement(number)
    if last is None:
        return False
    now = clock.now()
    pause = max(OFTEN, timedelta(seconds=COSTLY * last.took))
    if now - last.at < pause * 0.9:
        return False
    key = f"measure:{number}:watched:{now.timestamp() // pause.total_seconds():.0f}"
    subject = {"incident": number, "meanwhile": True, "watched": True}
    with transaction.atomic():
        return wakeups.plan("investigation", "measure", subject, due_at=now, key=key)
