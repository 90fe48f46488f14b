"""Owner and followers are told when a measure that was verified is so no more because its guard cannot tell.

Nothing is known to have failed, so nobody else is told. A guard that comes and goes is told of at most once a day: when it is
still broken a day after the last mail, a wakeup says so then.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from unrepeat.duty import queries as duty
from unrepeat.incidents.measure_state import GuardState, Measure
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.state import State
from unrepeat.prevention import store, told_store
from unrepeat.prevention.telling import reminders, reminding
from unrepeat.support import clock, wakeups
from unrepeat.support.config import config

KIND = "broken"  # of the reminders that are kept
SELDOM = timedelta(days=1)  # between two mails to one address about one guard of one measure


def tell_broken(number: int, state: State) -> int:
    """Tell the owners and followers of measures that are verified no more because a proven guard is broken; how many anew."""
    followers = told_store.followers(number)
    told = 0
    for measure in state.measures.values():
        guard = silenced_by(state, measure)
        if guard is None or guard.turned_at is None:
            continue
        reached: set[str] = set()
        for name in dict.fromkeys([measure.owner, *followers]):
            to = duty.address_of(name)
            if to and to not in reached:
                reached.add(to)
                told += _tell(name, to, number, state, measure, guard, guard.turned_at)
    return told


def silenced_by(state: State, measure: Measure) -> GuardState | None:
    """The proven guard whose turn to broken ended that the measure is verified; None when it is not that."""
    last = measure.turns[-1] if measure.turns else None
    if last is None or (last.before, last.state, measure.state) != ("verified", "done", "done"):
        return None
    own = guards_of(state, measure)
    return next((g for g in own if g.is_proven and g.colour == "broken" and g.turned_at == last.at), None)


def _tell(who: str, to: str, number: int, state: State, measure: Measure, guard: GuardState, since: datetime) -> bool:
    """Tell one of them, or plan to when the last mail is less than a day old; whether it was told now."""
    about = f"{KIND}:{number}:{measure.number}:{guard.number}:"
    last = told_store.told_last(number, about, reminders.mark(to))
    if last is not None and last >= since:
        return False
    if last is not None and clock.now() < last + SELDOM:
        later = last + SELDOM
        subject = {"incident": number}
        wakeups.plan("prevention", "measures", subject, due_at=later, key=f"{about}{later.isoformat()}")
        return False
    run = store.run_of(guard.number, guard.run)
    title, text = reminding.cannot_tell(
        measure,
        guard,
        reminders.where(number, state, measure.number),
        remedy=run.remedy if run else "",
        zone=config().time_zone,
        owner=who == measure.owner,
    )
    key = f"{about}{since.isoformat()}"
    return reminders.tell(who, number, measure, KIND, title, text, key=key).startswith("told")
