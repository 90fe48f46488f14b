"""Which wakeups an append causes, by comparing the state before with the state after. Pure but for the settings' numbers, which come in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unrepeat.incidents.codec import moment
from unrepeat.incidents.state import State

NEWS = 5  # seconds for which news of an open incident are gathered before it is investigated again


@dataclass(frozen=True, slots=True)
class Follow:
    """A wakeup to plan: who (`room`) shall do what, when (UTC), under which key."""

    room: str
    what: str
    subject: dict[str, object] = field(hash=False)
    due_at: datetime
    key: str


def follows(number: int, before: State, after: State, *, now: datetime, quiet: timedelta) -> list[Follow]:
    """What must happen after incident `number` went from one state to the other. `quiet` 0: nothing resolves by itself."""
    planned: list[Follow] = []
    seq, subject = after.last_seq, {"incident": number}
    opened = before.opened_at is None
    ended = after.status == "resolved" and (opened or before.status != "resolved")
    planned += _prevention(
        number, before, after, now
    )  # first: who is called wants to know whether this happened before
    if opened or ended:
        planned.append(Follow("investigation", "gather", dict(subject), now, f"gather:{number}:{seq}"))
    if opened or ended or (after.is_open and not before.is_open):
        planned.append(Follow("investigation", "measure", dict(subject), now, f"measure:{number}:{seq}"))
    if after.is_open and (opened or not before.is_open):
        turn: dict[str, object] = {"incident": number, "turn": 0, "since": moment(now)}
        planned.append(Follow("investigation", "investigate", turn, now, f"investigate:{number}:{seq}"))
    elif after.is_open and _has_news(before, after):
        slot = int(now.timestamp()) // NEWS + 1  # news that come together are looked at together
        due = datetime.fromtimestamp(slot * NEWS, now.tzinfo)
        planned.append(Follow("investigation", "investigate", dict(subject), due, f"investigate:{number}:news:{slot}"))
    if ended:
        planned.append(Follow("postmortems", "draft", dict(subject), now, f"draft:{number}:{seq}"))
    calm = after.quiet_since
    if quiet and after.is_open and calm and (calm != before.quiet_since or not before.is_open):
        since: dict[str, object] = {"incident": number, "quiet_since": moment(calm)}
        planned.append(Follow("incidents", "resolve_if_quiet", since, calm + quiet, f"quiet:{number}:{seq}"))
    return planned


def _prevention(number: int, before: State, after: State, now: datetime) -> list[Follow]:
    """Past failures are compared with, measures and repeats are looked after."""
    planned: list[Follow] = []
    seq, subject = after.last_seq, {"incident": number}
    if after.is_open and not (before.is_open and before.opened_at):
        planned.append(Follow("prevention", "match", dict(subject), now, f"match:{number}:{seq}"))
    elif after.is_open and _has_evidence(before, after):
        slot = int(now.timestamp()) // NEWS + 1
        due = datetime.fromtimestamp(slot * NEWS, now.tzinfo)
        planned.append(Follow("prevention", "match", dict(subject), due, f"match:{number}:news:{slot}"))
    if before.measures != after.measures or before.guards != after.guards:
        planned.append(Follow("prevention", "measures", dict(subject), now, f"measures:{number}:{seq}"))
    if before.repeats != after.repeats:
        planned.append(Follow("prevention", "repeats", dict(subject), now, f"repeats:{number}:{seq}"))
    return planned


def _has_news(before: State, after: State) -> bool:
    """Whether a change came near that was made before the alert (a later one did not cause it), or a further service came under alert."""
    alert = min((one.fired_at for one in after.alerts.values()), default=after.started_at)
    come = (change for key, change in after.changes.items() if key not in before.changes)
    return any(alert is None or change.at <= alert for change in come) or len(after.services) > len(before.services)


def _has_evidence(before: State, after: State) -> bool:
    """Whether there is more to compare with the past: another service, change, suspect, verdict or cause, or another title."""
    return (
        len(after.services) > len(before.services)
        or len(after.changes) > len(before.changes)
        or {key: s.verdict for key, s in after.suspects.items()}
        != {key: s.verdict for key, s in before.suspects.items()}
        or after.causes != before.causes
        or after.title != before.title
    )
