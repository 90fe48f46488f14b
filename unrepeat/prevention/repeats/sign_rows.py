"""Reads and writes of the signs of past failures: part of `store.py`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from unrepeat.prevention.models import Guard, Tie
from unrepeat.prevention.repeats.sign_models import Sign

MOST = 5_000  # rows that one question reads, of the newest reports


def write(postmortem: int, signs: Collection[str]) -> None:
    """Let a postmortem have these signs and no others."""
    rows = Sign.objects.filter(postmortem_id=postmortem)
    before = set(rows.values_list("sign", flat=True))
    rows.filter(sign__in=before - set(signs)).delete()
    new = [Sign(postmortem_id=postmortem, sign=sign) for sign in sorted(set(signs) - before)]
    Sign.objects.bulk_create(new, ignore_conflicts=True)


def sharing(signs: Iterable[str]) -> dict[int, set[str]]:
    """Postmortem -> those of the signs that it has."""
    rows = Sign.objects.filter(sign__in=list(signs)).order_by("-postmortem_id").values_list("postmortem_id", "sign")
    found: dict[int, set[str]] = {}
    for postmortem, sign in rows[:MOST]:
        found.setdefault(postmortem, set()).add(sign)
    return found


def having(postmortems: Collection[int], signs: Iterable[str]) -> dict[int, set[str]]:
    """The same, of these postmortems only."""
    rows = Sign.objects.filter(postmortem_id__in=list(postmortems), sign__in=list(signs))
    found: dict[int, set[str]] = {}
    for postmortem, sign in rows.values_list("postmortem_id", "sign"):
        found.setdefault(postmortem, set()).add(sign)
    return found


def red_guards() -> dict[int, set[str]]:
    """Incident -> the names of the red guards in service that watch over its measures."""
    red = Guard.objects.filter(retired_at=None, colour="red").order_by("-turned_at")[:200]
    names = {guard.pk: guard.name for guard in red}
    found: dict[int, set[str]] = {}
    for incident, guard in Tie.objects.filter(guard_id__in=names).values_list("incident_id", "guard_id"):
        found.setdefault(incident, set()).add(names[guard])
    return found
