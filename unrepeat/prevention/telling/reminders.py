"""Owners are reminded of measures that are due, and told when what was verified has failed.

Reminding is a chain of wakeups: each plans the next until somebody acts (done, dropped, another due date).
"""

from __future__ import annotations

import hashlib
from datetime import date
from zoneinfo import ZoneInfo

from unrepeat.duty import queries as duty
from unrepeat.incidents import checks
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.fold import MACHINE
from unrepeat.incidents.measure_state import Measure
from unrepeat.incidents.state import State
from unrepeat.inform import commands as inform
from unrepeat.postmortems import queries as postmortems
from unrepeat.prevention import told_store
from unrepeat.prevention.telling import links, reminding
from unrepeat.support import clock, wakeups
from unrepeat.support.config import config
from unrepeat.support.problems import Invalid
from unrepeat.support.wakeups import Claim

REMIND = "remind"  # the wakeup's name


def plan(incident: int, measure: Measure) -> bool:
    """Plan the next reminder of a measure that is open and has a due date; whether that is new."""
    if measure.state != "open" or not measure.due:
        return False
    slot = reminding.next_slot(date.fromisoformat(measure.due), clock.now(), config().time_zone)
    subject = {"incident": incident, "measure": measure.number, "due": measure.due, "days": slot.days}
    key = f"{REMIND}:{incident}:{measure.number}:{measure.due}:{slot.days}"
    return wakeups.plan("prevention", REMIND, subject, due_at=slot.at, key=key)


def remind(claim: Claim) -> str:
    """Remind the owner, if nobody has acted meanwhile, and plan the next time."""
    number, wanted = int(claim.subject["incident"]), int(claim.subject["measure"])
    state = incidents.state_of(number)
    measure = state.measures.get(wanted)
    if measure is None or measure.state != "open":
        return f"measure {wanted} of incident {number} is {measure.state if measure else 'gone'}: nobody is reminded"
    if measure.due != claim.subject["due"]:
        return f"measure {wanted} of incident {number} is due on another day now: nobody is reminded"
    today = clock.now().astimezone(ZoneInfo(config().time_zone)).date()
    subject, text = reminding.reminder(measure, where(number, state, measure.number), today)
    kind = "before" if int(claim.subject["days"]) < 0 else "after"
    said = tell(measure.owner, number, measure, kind, subject, text, key=claim.key)
    plan(number, measure)
    return said


def tell_failures(number: int, state: State) -> int:
    """Tell the owners of measures that have failed, those who worked on the incident and those who follow it; returns how many
    are told anew.
    """
    told = 0
    for measure in state.measures.values():
        if measure.failed_at is None:
            continue
        guard, place = state.guards.get(measure.failed_guard), where(number, state, measure.number)
        names = [measure.owner, *_workers(number, state), *told_store.followers(number)]
        key = f"regressed:{number}:{measure.number}:{measure.failed_at.isoformat()}"
        reached: set[str] = set()
        for name in dict.fromkeys(names):
            to = duty.address_of(name)
            if to and to not in reached:
                reached.add(to)
                subject, text = reminding.regressed(measure, guard, place, owner=name == measure.owner)
                told += tell(name, number, measure, "regressed", subject, text, key=key).startswith("told")
    return told


def follow(incident: int, who: str, *, wanted: bool) -> None:
    """Have somebody told when a measure of the incident fails or its guard cannot tell, or not any more; NotFound."""
    incidents.state_of(incident)
    if wanted:
        told_store.follow(incident, checks.text("who", who, checks.NAME), clock.now())
    else:
        told_store.unfollow(incident, who)


def tell(who: str, incident: int, measure: Measure, kind: str, subject: str, text: str, *, key: str) -> str:
    """Have somebody told about a measure, once under the key; what came of it, in words that begin with "told" if so."""
    to = duty.address_of(who)
    if not to:
        return f"nobody to tell: {f'“{who}” has no address' if who else 'the measure has no owner'}"
    try:
        message = inform.write(to, subject, text, key=f"{key}:{mark(to)}"[:200])
    except Invalid as problem:
        return f"nobody to tell: {problem.what}"
    if message is None:
        return f"{who} is not told: no mail server is set, or it was said before"
    told_store.add_reminder(
        incident_id=incident,
        measure=measure.number,
        kind=kind,
        who=who,
        to=message.to,
        at=message.planned_at,
        message=message,
    )
    return f"told {who}"


def mark(to: str) -> str:
    """What stands for an address at the end of a message's key."""
    return hashlib.sha256(to.encode()).hexdigest()[:12]


def where(number: int, state: State, measure: int) -> reminding.Where:
    """What a measure belongs to, with the address of its page."""
    postmortem = postmortems.of_incident(number)
    return reminding.Where(
        number, state.title, links.measure(number, measure), links.report(postmortem) if postmortem else ""
    )


def _workers(number: int, state: State) -> list[str]:
    """Who led or did anything in an incident, in order; machines too, which have no address."""
    names = [*state.roles.values(), *(entry.by for entry in incidents.log_of(number))]
    return [name for name in dict.fromkeys(names) if name and name != MACHINE and "@" not in name]
