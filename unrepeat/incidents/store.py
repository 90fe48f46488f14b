"""The only reads and writes of the incidents room's tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from unrepeat.incidents import measure_rows, remembered
from unrepeat.incidents.codec import blanked, decode, decode_text, encode
from unrepeat.incidents.entries import Entry, EntryRedacted, Happened, Logged
from unrepeat.incidents.fold import copied, fold, step_all
from unrepeat.incidents.follows import follows
from unrepeat.incidents.models import Incident, LogEntry, Membership, Redaction
from unrepeat.incidents.state import State
from unrepeat.support import bell, clock, wakeups
from unrepeat.support.config import config
from unrepeat.support.problems import Conflict, NotFound

GROUPER = 0x67726F75  # of the advisory lock that the one grouper holds on PostgreSQL
_READ = {  # as text, past the slow converters of columns
    "sqlite": """select seq, at || '', recorded_at || '', "by", kind, data || '' from incidents_entry
        where incident_id = %s and seq > %s order by seq""",
    "postgresql": """select seq, at, recorded_at, "by", kind, data::text from incidents_entry
        where incident_id = %s and seq > %s order by seq""",
}
MOST_SECONDS = 2_147_483_647  # that a column of seconds holds
_COLUMNS = ("seq", "at", "recorded_at", "by", "kind", "data")


# --- reading --------------------------------------------------------------------------------------------------------


def log_of(number: int, after: int = 0) -> list[Logged]:
    """The entries of a log in order, from the one behind `after` on; empty when there is no such incident."""
    with connection.cursor() as cursor:
        cursor.execute(_READ[connection.vendor], [number, after])
        rows = cursor.fetchall()
    if connection.vendor == "sqlite":
        return [Logged(s, _utc(at), _utc(seen), by, decode_text(kind, data)) for s, at, seen, by, kind, data in rows]
    return [Logged(s, at, seen, by, decode_text(kind, data)) for s, at, seen, by, kind, data in rows]


def _utc(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def logged(row: tuple[Any, ...]) -> Logged:
    """An entry in its log, from a row of seq, at, recorded_at, by, kind and data."""
    seq, at, recorded_at, by, kind, data = row
    return Logged(seq, at, recorded_at, by, decode(kind, data))


def state_of(number: int) -> State:
    """The state that the log of incident `number` gives; NotFound."""
    log = log_of(number)
    if not log:
        raise NotFound(f"There is no incident {number}.")
    return fold(log)


def row(number: int) -> Incident:
    """The summary row; NotFound."""
    try:
        return Incident.objects.get(pk=number)
    except Incident.DoesNotExist as error:
        raise NotFound(f"There is no incident {number}.") from error


def known_key(key: str) -> list[Logged]:
    """What was written under an idempotency key before, in order."""
    first = LogEntry.objects.filter(key=key).values_list("incident_id", "seq").first()
    if first is None:
        return []
    incident, seq = first  # the rest stands behind it; looked for in this log only, since no index serves a prefix
    rows = LogEntry.objects.filter(Q(key=key) | Q(key__startswith=f"{key}#"), incident_id=incident, seq__gte=seq)
    return [logged(found) for found in rows.order_by("seq").values_list(*_COLUMNS)]


def present(held: Incident) -> State:
    """The state of an incident whose row the caller holds locked."""
    return remembered.present(held.pk, held.last_seq, log_of)


# --- writing --------------------------------------------------------------------------------------------------------


def lock(*numbers: int) -> dict[int, Incident]:
    """The rows of these incidents, held until the present transaction ends, always in the same order; NotFound.

    SQLite needs no more: its transactions begin with the write lock of the whole database.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a lock is held inside a transaction")
    rows = {row.pk: row for row in Incident.objects.select_for_update().filter(pk__in=numbers).order_by("pk")}
    for number in numbers:
        if number not in rows:
            raise NotFound(f"There is no incident {number}.")
    return rows


def new_row(opened_at: datetime) -> int:
    """The number of a new incident. Its log must get its first entry in the same transaction."""
    return Incident.objects.create(opened_at=opened_at, title="", status="detected", severity="", last_at=opened_at).pk


def append(
    number: int,
    entries: Sequence[Entry | Happened],
    *,
    by: str,
    at: datetime,
    key: str | None = None,
    state: State | None = None,
) -> list[Logged]:
    """Append to a log, in one transaction with all that follows from it: the summary row and the wakeups.

    `key`: written at most once under it; a second time gives what was written the first time. `state`: the fold of the
    log as it stands, when the caller holds the lock and has it already.
    """
    if not entries:
        return []
    with transaction.atomic():
        held = lock(number)[number]
        if key is not None and (before := known_key(key)):
            return before
        now = clock.now()
        if state is None or state.last_seq != held.last_seq:
            state = present(held)
        written = [
            Logged(held.last_seq + place, h.at, now, h.by or by, h.entry)
            for place, h in enumerate((_dated(entry, at) for entry in entries), start=1)
        ]
        _insert(number, written, key)
        after = copied(state)
        step_all(after, written)
        _summarise(held, after)
        quiet = timedelta(seconds=config().resolve_after_quiet)
        for follow in follows(number, state, after, now=now, quiet=quiet):
            wakeups.plan(follow.room, follow.what, follow.subject, due_at=follow.due_at, key=follow.key)
        remembered.on_commit(number, after, written[-1])
        bell.ring_on_commit("entries")
    return written


def _dated(entry: Entry | Happened, at: datetime) -> Happened:
    return entry if isinstance(entry, Happened) else Happened(entry, at)


def _insert(number: int, written: Iterable[Logged], key: str | None) -> None:
    rows = []
    for place, one in enumerate(written):
        kind, data = encode(one.entry)
        name = None if key is None else f"{key}#{place}" if place else key
        rows.append(
            LogEntry(
                incident_id=number,
                seq=one.seq,
                kind=kind,
                at=one.at,
                recorded_at=one.recorded_at,
                by=one.by,
                data=data,
                key=name,
            )
        )
    LogEntry.objects.bulk_create(rows)


def add_members(alerts: Iterable[int], to: int) -> None:
    """These alerts, which belonged nowhere, belong to incident `to` from now on."""
    Membership.objects.bulk_create(Membership(alert_id=alert, incident_id=to) for alert in alerts)


def move_alerts(alerts: Iterable[int], to: int) -> None:
    """These alerts belong to incident `to` from now on."""
    numbers = list(alerts)
    moved = Membership.objects.filter(alert_id__in=numbers).update(incident_id=to)
    assert moved == len(numbers), "an alert in a log has a membership"


# --- grouping -------------------------------------------------------------------------------------------------------


def be_the_grouper() -> None:
    """Wait until no other transaction groups, and keep others from it until the present one ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [GROUPER])


def lock_near(since: datetime, also: Iterable[int]) -> list[Incident]:
    """The incidents that are open, were resolved at or after `since`, or are named, held until the present transaction ends."""
    near = Q(is_open=True) | Q(status="resolved", resolved_at__gte=since) | Q(pk__in=set(also))
    return list(Incident.objects.select_for_update().filter(near).order_by("pk"))


def memberships(alerts: Iterable[int]) -> dict[int, int]:
    """Alert -> the incident it belongs to now."""
    return dict(Membership.objects.filter(alert_id__in=list(alerts)).values_list("alert_id", "incident_id"))


def nameless(numbers: Iterable[int]) -> dict[int, set[str]]:
    """Incident -> the names of its alerts that name no service."""
    rows = Membership.objects.filter(incident_id__in=list(numbers), alert__service="")
    found: dict[int, set[str]] = {}
    for number, name in rows.values_list("incident_id", "alert__name").distinct():
        found.setdefault(number, set()).add(name)
    return found


# --- summary rows ---------------------------------------------------------------------------------------------------


def summary(state: State) -> dict[str, Any]:
    """The columns of the summary row that a state gives."""
    return {
        "opened_at": state.opened_at or state.last_at,
        "title": state.title,
        "status": state.status,
        "severity": state.severity,
        "service": state.services[0] if state.services else "",
        "services": list(state.services),
        "lead": state.roles.get("lead", ""),
        "guilty": [suspect.name for suspect in state.suspects.values() if suspect.verdict == "guilty"],
        "started_at": state.started_at,
        "detected_at": state.detected_at,
        "mitigated_at": state.mitigated_at,
        "resolved_at": state.resolved_at,
        "to_detect": _seconds(state.time_to_detect),
        "to_cause": _seconds(state.time_to_cause),
        "to_mitigate": _seconds(state.time_to_mitigate),
        "causes": [[cause.role, cause.value] for cause in state.causes.values()],
        "resolved_by_itself": state.resolved_by_itself,
        "repeat_of": next((r.postmortem for r in state.repeats.values() if r.standing == "confirmed"), None),
        "quiet_since": state.quiet_since,
        "open_alerts": state.firing,
        "is_open": state.is_open,
        "last_seq": state.last_seq,
        "last_at": state.last_at,
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else min(int(span.total_seconds()), MOST_SECONDS)


def _summarise(held: Incident, state: State) -> None:
    columns = summary(state)
    for name, value in columns.items():
        setattr(held, name, value)
    held.save(update_fields=list(columns))
    measure_rows.write(held.pk, state)


def rebuild() -> tuple[int, int]:
    """Make all summary rows again from the logs; returns how many there are and how many were wrong."""
    wrong = seen = 0
    for number in Incident.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            held = lock(number)[number]
            state = state_of(number)
            columns = summary(state)
            seen += 1
            if any(getattr(held, name) != value for name, value in columns.items()) or measure_rows.differ(
                number, state
            ):
                wrong += 1
                _summarise(held, state)
    return seen, wrong


# --- redaction ------------------------------------------------------------------------------------------------------


def redact(number: int, seq: int, *, by: str, reason: str) -> list[Logged]:
    """Blank the words of an entry, keep who did it and why, and say so in the log; NotFound, Conflict."""
    with transaction.atomic():
        lock(number)
        found = LogEntry.objects.filter(incident_id=number, seq=seq).first()
        if found is None:
            raise NotFound(f"Incident {number} has no entry {seq}.")
        if Redaction.objects.filter(entry=found).exists():
            raise Conflict(
                f"Entry {seq} of incident {number} is already blanked.",
                "Its words are gone.",
                "There is nothing to do.",
            )
        now = clock.now()
        Redaction.objects.create(entry=found, by=by, at=now, reason=reason)
        kind, data = blanked(found.kind, found.data)
        LogEntry.objects.filter(pk=found.pk).update(kind=kind, data=data)
        anew = fold(log_of(number))  # a remembered fold still knows the words
        return append(number, [EntryRedacted(seq, reason)], by=by, at=now, state=anew)
