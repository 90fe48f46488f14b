"""Once a week owners are told of their measures, and managers of all; a year after an outage its report is sent round.

Two standing wakeups. What they say is keyed by week, report and address: a handler that runs again says nothing twice.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from unrepeat.duty import queries as duty
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.models import MeasureRow
from unrepeat.inform import commands as inform
from unrepeat.postmortems import library
from unrepeat.prevention import store
from unrepeat.prevention.repeats import counted
from unrepeat.prevention.telling import digest_words, links
from unrepeat.prevention.telling.digest_words import Item, Numbers, RedGuard
from unrepeat.support import clock, wakeups
from unrepeat.support.config import config
from unrepeat.support.problems import Invalid
from unrepeat.support.wakeups import Again, Claim

DIGEST, ANNIVERSARY = "digest", "anniversary"  # the wakeups' names
DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
MORNING = time(8)  # in the server's zone, for anniversaries
CATCH_UP = 7  # days for which an anniversary is made up for when the server was away


def stand() -> None:
    """See that both are planned, in the present transaction."""
    now = clock.now()
    wakeups.stand("prevention", DIGEST, due_at=next_digest(now))
    wakeups.stand("prevention", ANNIVERSARY, due_at=_next_morning(now))


def next_digest(now: datetime) -> datetime:
    """When the next digest is due (UTC); tomorrow it is looked at again when there is to be none."""
    if not config().digest:
        return now + timedelta(days=1)
    day, _, at = config().digest.partition(" ")
    local = now.astimezone(ZoneInfo(config().time_zone))
    ahead = (DAYS.index(day) - local.weekday()) % 7
    found = datetime.combine(local.date() + timedelta(days=ahead), time.fromisoformat(at), local.tzinfo)
    if found <= local:
        found = datetime.combine(found.date() + timedelta(days=7), time.fromisoformat(at), local.tzinfo)
    return found.astimezone(UTC)


def send(_: Claim) -> Again:
    """Write to every owner who can be reached and has something to do, and to the managers."""
    now = clock.now()
    if not config().digest:
        return Again("no digest is wanted", next_digest(now))
    today = _today()
    week = f"{today:%G}-W{today:%V}"
    items = _items()
    number = counted.repeat_number(now, config().time_zone)
    numbers = Numbers(number.this_year, number.days)
    sent = 0
    for to, (name, own) in _by_address(items).items():
        subject, text = digest_words.for_owner(name, own, numbers, today, links.measures())
        sent += _write(to, subject, text, f"digest:{week}")
    red = [
        RedGuard(g.name, g.ran_said, g.turned_at.date() if g.turned_at else None) for g in store.guards(colour="red")
    ]
    subject, text = digest_words.for_managers(items, red, numbers, today, links.measures(), links.guards())
    for to in config().managers:
        sent += _write(to, subject, text, f"digest:all:{week}")
    return Again(f"{sent} digests of week {week} go out", next_digest(now))


def remember(_: Claim) -> Again:
    """Send round the reports of outages that began a year ago, or up to a week more, and were not sent round yet."""
    today, sent = _today(), 0
    last = _a_year_before(today)
    first = last - timedelta(days=CATCH_UP)
    for row in library.began_between(first, last):
        if row.started_at is not None:
            sent += _send_round(row.number, row.incident, row.headline, row.service, row.started_at)
    return Again(f"{sent} people are told of what happened a year ago", _next_morning(clock.now()))


def _send_round(number: int, incident: int, headline: str, service: str, began: datetime) -> int:
    state = incidents.state_of(incident)
    items = [
        Item(m.text, m.state, None, links.measure(incident, m.number), m.owner)
        for m in state.measures.values()
        if not m.dropped
    ]
    guards = [(guard.name, str(guard.colour), guard.is_proven) for guard in state.guards.values()]
    team = duty.team_of(service)
    owners = [to for item in items if (to := duty.address_of(item.owner))] or [team.email if team else ""]
    day = began.astimezone(ZoneInfo(config().time_zone)).date()
    subject, text = digest_words.for_anniversary(headline, day, links.report(number), items, guards)
    return sum(_write(to, subject, text, f"anniversary:{number}") for to in dict.fromkeys(owners) if to)


def _items() -> list[Item]:
    rows = MeasureRow.objects.exclude(state="dropped").only(
        "incident_id", "number", "text", "state", "due", "owner", "proven"
    )
    return [
        Item(row.text, row.state, row.due, links.measure(row.incident_id, row.number), row.owner, row.proven)
        for row in rows.order_by("pk")
    ]


def _by_address(items: list[Item]) -> dict[str, tuple[str, list[Item]]]:
    """Address -> how its owner is called, and what waits for them."""
    known: dict[str, str] = {}
    found: dict[str, tuple[str, list[Item]]] = {}
    for item in items:
        if item.state == "verified" or not item.owner:
            continue
        if item.owner not in known:
            known[item.owner] = duty.address_of(item.owner)
        if to := known[item.owner]:
            found.setdefault(to, (item.owner, []))[1].append(item)
    return found


def _write(to: str, subject: str, text: str, key: str) -> int:
    mark = hashlib.sha256(to.encode()).hexdigest()[:12]
    try:
        return inform.write(to, subject, text, key=f"{key}:{mark}") is not None
    except Invalid:
        return 0  # what stands there is no address; the board shows such owners


def _today() -> date:
    return clock.now().astimezone(ZoneInfo(config().time_zone)).date()


def _next_morning(now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(config().time_zone))
    day = local.date() if local.time() < MORNING else local.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, local.tzinfo).astimezone(UTC)


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)
