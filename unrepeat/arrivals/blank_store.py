"""Takes a secret or personal data out of the room's tables. Beside `store.py`, which holds all other reads and writes."""

from __future__ import annotations

from unrepeat.arrivals.models import Alert, Change, Delivery
from unrepeat.arrivals.occurrences import clean


def blank(delivery: int, note: str) -> bool:
    """Take the words out of a delivery that has been read, and of the alerts and changes it brought; False when it still waits.

    Names, services, times and the key stay, so that incidents stay whole and the same body sent again is not read again.
    """
    found = Delivery.objects.filter(id=delivery).exclude(state=Delivery.State.WAITING)
    if not found.update(body=b"", headers={}, reason=clean(note)):
        return False
    Alert.objects.filter(delivery_id=delivery).update(summary="", labels={}, annotations={}, url="", extra={})
    Change.objects.filter(delivery_id=delivery).update(summary="", author="", url="", extra={})
    return True
