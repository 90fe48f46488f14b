"""Takes a secret or personal data out of the room's tables. Beside `store.py`, which holds all other reads and writes."""

from __future__ import annotations

from unrepeat.arrivals.models import Alert, Change, Delivery
from unrepeat.arrivals.occurrences import clean
from unrepeat.support import clock


def blank(delivery: int, note: str) -> bool:
    """Take the words out of a delivery that has been read, and of the alerts and changes it brought; False when it still waits.

    Names, services, times and keys stay, so that incidents stay whole. What is told of them later does not bring words back.
    """
    found = Delivery.objects.filter(id=delivery).exclude(state=Delivery.State.WAITING)
    if not found.update(body=b"", headers={}, reason=clean(note)):
        return False
    now = clock.now()
    Alert.objects.filter(delivery_id=delivery).update(
        summary="", labels={}, annotations={}, url="", extra={}, blanked_at=now
    )
    Change.objects.filter(delivery_id=delivery).update(summary="", author="", url="", extra={}, blanked_at=now)
    return True
