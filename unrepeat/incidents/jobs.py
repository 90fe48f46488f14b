"""What happens to incidents without being asked: news are grouped, and what stays quiet resolves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import prefetch_related_objects

from unrepeat.arrivals import alert_store as arrivals
from unrepeat.duty import queries as duty
from unrepeat.incidents import store
from unrepeat.incidents.batch import Batch, Terms
from unrepeat.incidents.codec import moment
from unrepeat.incidents.entries import Resolved
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.state import State
from unrepeat.support import clock, wakeups, words
from unrepeat.support.config import config
from unrepeat.support.wakeups import Claim


def group_news(limit: int) -> int:
    """Group at most `limit` alerts and as many changes that have news; returns how many there were.

    One at a time groups, whatever the number of workers: two alerts of one outage never open two incidents.
    """
    if not arrivals.any_news():
        return 0
    with transaction.atomic():
        store.be_the_grouper()
        alerts, changes = arrivals.take_alert_news(limit), arrivals.take_change_news(limit)
        if alerts or changes:
            prefetch_related_objects(alerts, "source")
            prefetch_related_objects(changes, "source")
            Batch(alerts, changes, _terms()).group()
    return len(alerts) + len(changes)


def resolve_if_quiet(claim: Claim) -> str:
    """Resolve an incident whose alerts have all been quiet for the time that is set, and that nobody works on any more.

    The quiet must be the one that the wakeup was planned for. If people did something meanwhile, it waits as long after that.
    """
    number, wait = int(claim.subject["incident"]), timedelta(seconds=config().resolve_after_quiet)
    held = store.lock(number)[number]
    state = store.present(held)
    calm = state.quiet_since
    if not wait or not state.is_open or calm is None or moment(calm) != claim.subject["quiet_since"]:
        return f"Incident {number} is not quiet any more, or over."
    due = max(calm, state.acted_at or calm) + wait
    if due > clock.now():
        wakeups.plan(
            "incidents", claim.what, claim.subject, due_at=due, key=f"quiet:{number}:{state.last_seq}:{moment(due)}"
        )
        return f"People are at work on incident {number}; it is looked at again at {moment(due)}."
    how = f"All alerts have been quiet for {words.span(wait)}."
    store.append(number, [Resolved(how, by_itself=True)], by=MACHINE, at=_end(state, calm), key=claim.key, state=state)
    return f"Incident {number} resolved by itself."


HANDLERS: dict[str, Callable[[Claim], str]] = {"resolve_if_quiet": resolve_if_quiet}


def _end(state: State, calm: datetime) -> datetime:
    """When it was over: when the last alert ended, but not before what people say happened before the end."""
    return max(at for at in (calm, state.detected_at, state.acknowledged_at, state.mitigated_at) if at)


def _terms() -> Terms:
    settings = config()
    return Terms(
        clock.now(),
        duty.graph(),
        timedelta(seconds=settings.grouping_window),
        timedelta(seconds=settings.changes_look_back),
        settings.time_zone,
    )
