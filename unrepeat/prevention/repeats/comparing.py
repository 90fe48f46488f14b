"""Then and now, side by side: what brought it, what was guilty, what ended it, what was to stop it coming back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from unrepeat.incidents import causes
from unrepeat.incidents import queries as incidents
from unrepeat.incidents.measure_state import Measure, Repeat
from unrepeat.incidents.measures import guards_of
from unrepeat.incidents.state import State
from unrepeat.postmortems import queries as reports
from unrepeat.postmortems.facts import guilty_services, trigger_of
from unrepeat.prevention.repeats import past
from unrepeat.prevention.repeats.signs import past_signs, present_signs

Agreement = Literal["same", "other", "unknown"]


@dataclass(frozen=True, slots=True)
class Aspect:
    """One thing compared, in words; `agrees`: `unknown` while one of the two has nothing to say."""

    what: str
    then: tuple[str, ...]
    now: tuple[str, ...]
    agrees: Agreement


@dataclass(frozen=True, slots=True)
class Guarding:
    """A measure of then, its state now, and its guards: name and colour."""

    number: int
    text: str
    state: str
    owner: str
    guards: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """An incident beside a past failure."""

    incident: int
    title: str
    started_at: datetime | None
    zone: str
    past: past.Past
    past_started_at: datetime | None
    past_zone: str
    repeat: Repeat | None
    aspects: tuple[Aspect, ...]
    measures: tuple[Guarding, ...]

    @property
    def agreeing(self) -> int:
        """How many of the aspects agree."""
        return sum(one.agrees == "same" for one in self.aspects)

    @property
    def known(self) -> int:
        """How many of them can be compared."""
        return sum(one.agrees != "unknown" for one in self.aspects)


def compare(incident: int, postmortem: int) -> Comparison:
    """Incident and past report side by side; NotFound."""
    row = reports.row_of(postmortem)
    now, then = incidents.state_of(incident), incidents.state_of(row.incident_id)
    return Comparison(
        incident,
        now.title,
        now.started_at,
        now.time_zone,
        past.of(row, then),
        then.started_at,
        then.time_zone,
        now.repeats.get(postmortem),
        tuple(_aspects(then, now)),
        tuple(_guarding(measure, then) for measure in then.measures.values() if not measure.dropped),
    )


def _aspects(then: State, now: State) -> Iterable[Aspect]:
    mine, theirs = set(present_signs(now)), past_signs(then)
    shared = {
        kind: {sign for sign in mine & theirs if sign.startswith(f"{kind}:")}
        for kind in ("alert", "change", "version", "guilty")
    }
    yield _aspect("Alerts", _alerts(then), _alerts(now), same=bool(shared["alert"]))
    yield _aspect("Services under alert", then.services, now.services)
    yield _aspect("Change before it", _brought(then), _before(now), same=bool(shared["version"] or shared["change"]))
    yield _aspect("Guilty", _guilty(then), _guilty(now), same=bool(shared["guilty"]))
    for role, what in (("trigger", "Trigger"), ("cause", "Root causes"), ("factor", "Contributing factors")):
        yield _aspect(what, _causes(then, role), _causes(now, role))
    yield _aspect("What ended it", _said(past.ended_by(then)), _said(past.ended_by(now)))


def _aspect(what: str, then: Iterable[str], now: Iterable[str], *, same: bool | None = None) -> Aspect:
    before, after = tuple(dict.fromkeys(then)), tuple(dict.fromkeys(now))
    if not before or not after:
        return Aspect(what, before, after, "unknown")
    agrees = same if same is not None else bool({one.casefold() for one in before} & {one.casefold() for one in after})
    return Aspect(what, before, after, "same" if agrees else "other")


def _alerts(state: State) -> list[str]:
    return [f"{one.name} on {one.service}" if one.service else one.name for one in state.alerts.values()]


def _brought(state: State) -> list[str]:
    trigger = trigger_of(state)
    return [f"{trigger.kind} of {trigger.name}"] if trigger else []


def _before(state: State) -> list[str]:
    """The change that brought it; while nobody knows, those that came before it was noticed, newest first."""
    if known := _brought(state):
        return known
    seen = state.detected_at or state.opened_at
    before = [c for c in state.changes.values() if c.status != "failed" and (seen is None or c.at <= seen)]
    newest = sorted(before, key=lambda change: change.at, reverse=True)[:3]
    return [" ".join(part for part in (f"{c.kind} of", c.service, c.version or c.summary) if part) for c in newest]


def _guilty(state: State) -> list[str]:
    return list(
        dict.fromkeys([*guilty_services(state), *(s.name for s in state.suspects.values() if s.verdict == "guilty")])
    )


def _causes(state: State, role: str) -> list[str]:
    found = [cause for cause in state.causes.values() if cause.role == role]
    return [causes.WORDS[cause.role].get(cause.value, cause.value) for cause in found]


def _said(text: str) -> list[str]:
    return [text] if text else []


def _guarding(measure: Measure, then: State) -> Guarding:
    guards = tuple((guard.name, guard.colour) for guard in guards_of(then, measure))
    return Guarding(measure.number, measure.text, measure.state, measure.owner, guards)
