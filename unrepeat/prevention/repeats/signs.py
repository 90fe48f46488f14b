"""The signs by which a past failure is known again, and what they weigh. Pure.

A sign is a short text: `alert:high memory usage|sessions`, `guilty:service|sessions`, `version:sessions|2.0`,
`change:sessions|deploy`, `cause:deploy|capacity_exhausted|sessions`. Past reports are looked up by them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Literal

from unrepeat.incidents.state import NearChange, State
from unrepeat.postmortems.facts import guilty_services, trigger_of

Standing = Literal["likely", "possible"]

WEIGHTS = {"alert": 0.4, "change": 0.35, "guilty": 0.5, "cause": 0.55, "version": 0.6, "guard": 0.6}
"""How far each sign alone makes it the same failure; together: one minus the product of what each leaves open."""
TEXT = 0.3  # the weight of like words, at full certainty
MECHANISM = frozenset({"change", "version", "guilty", "cause", "guard"})
"""What speaks for the same cause; an alert speaks only for the same symptom."""
LOOKED_UP = ("alert", "version", "guilty", "cause")
"""Signs by which past reports are found. A change of the same kind is too common for that: it only adds."""
COMMON = 5  # past reports; an alert or a guilty one that more of them have says nothing by itself
KEEN = 0.5  # certainty from which like words alone are worth a word
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PART = 90  # characters of each part of a sign


@dataclass(frozen=True, slots=True)
class Likeness:
    """How like a past failure this is: `score` 0 to 1, and in words what agrees."""

    standing: Standing
    score: float
    reasons: tuple[str, ...]


def family(alert: str) -> str:
    """The name that all occurrences of an alert share, however it is spelled: `HighMemoryUsage` is `high memory usage`."""
    return " ".join(re.split(r"[^\w]+|_+", _HUMP.sub(" ", alert.strip()))).strip().casefold()


def past_signs(state: State) -> set[str]:
    """The signs of a failure that is over: its alerts, who was guilty, the change that brought it, its causes."""
    trigger = trigger_of(state)
    if trigger and trigger.number in state.changes:
        brought = [state.changes[trigger.number]]
    else:  # nobody found out who was guilty: what came before it to the services under alert
        guilty = any(one.verdict == "guilty" for one in state.suspects.values())
        brought = [] if guilty else [c for c in _before(state) if c.service in state.services]
    return set(_alerts(state)) | set(_guilty(state)) | set(_changes(brought)) | set(_cause(state))


def present_signs(state: State) -> dict[str, str]:
    """The signs of an outage that goes on, each with its words: changes that came before it was noticed count."""
    return _alerts(state) | _guilty(state) | _changes(_before(state)) | _cause(state)


def _before(state: State) -> list[NearChange]:
    """The newest change of each kind of each service that came before the outage was noticed."""
    seen = state.detected_at or state.opened_at
    before = [c for c in state.changes.values() if c.status != "failed" and (seen is None or c.at <= seen)]
    return list({(c.service, c.kind): c for c in sorted(before, key=lambda change: change.at)}.values())


def weigh(
    shared: Mapping[str, str], *, guards: Collection[str] = (), words: Iterable[str] = (), sure: float = 0.0,
    common: Collection[str] = (),
) -> Likeness | None:  # fmt: skip
    """What it comes to; None: nothing worth saying.

    `shared`: the signs that both have, with their words; `guards`: names of the past one's guards that are red now; `words`, `sure`:
    what its report's text shares; `common`: signs that many reports have.
    """
    kinds = {kind_of(sign) for sign in shared} | ({"guard"} if guards else set())
    told = [
        sign for sign in shared if kind_of(sign) != "change" or "version" not in kinds
    ]  # the version says it better
    reasons = [shared[sign] for sign in sorted(told, key=lambda sign: (-WEIGHTS[kind_of(sign)], sign))]
    reasons = [_guards(guards), *reasons] if guards else reasons
    weight = [1 - WEIGHTS[kind] for kind in kinds]
    if sure >= KEEN and words:
        reasons.append(f"its report tells of the same: {', '.join(words)}")
        weight.append(1 - TEXT * sure)
    score = round(1 - prod(weight), 2)
    if _agree(kinds):
        return Likeness("likely", score, tuple(reasons))
    telling = {kind_of(sign) for sign in shared if sign not in common and kind_of(sign) in LOOKED_UP}
    if telling or guards or (sure >= KEEN and words):
        return Likeness("possible", score, tuple(reasons))
    return None


def _agree(kinds: set[str]) -> bool:
    """Whether symptom and mechanism agree, or two ways to the mechanism that do not follow from each other."""
    mechanism = kinds & MECHANISM
    if "alert" in kinds and mechanism:
        return True
    return len(mechanism - {"change"}) > 1 and bool(mechanism & {"version", "guard", "cause"})


def kind_of(sign: str) -> str:
    """What sort of sign it is."""
    return sign.partition(":")[0]


def _guards(names: Collection[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 2} more" if len(shown) > 2 else ""
    return f"{'its guard' if len(shown) == 1 else 'its guards'} {', '.join(shown[:2])}{more} {'is' if len(shown) == 1 else 'are'} red"


def _alerts(state: State) -> dict[str, str]:
    return {
        _sign("alert", family(one.name), one.service): f"the same alert: {_where(one.name, one.service)}"
        for one in state.alerts.values()
        if family(one.name) and one.service
    }


def _where(name: str, service: str) -> str:
    return name if service.casefold() in name.casefold() else f"{name} on {service}"


def _guilty(state: State) -> dict[str, str]:
    """Services and indicators found guilty; a guilty change is a sign of its own."""
    found = {
        _sign("guilty", one.kind, one.name): f"{one.name} is guilty, as then"
        for one in state.suspects.values()
        if one.verdict == "guilty" and one.kind != "change"
    }
    return found | {_sign("guilty", "service", name): f"{name} is guilty, as then" for name in guilty_services(state)}


def _changes(changes: Iterable[NearChange]) -> dict[str, str]:
    found: dict[str, str] = {}
    for change in changes:
        if change.service and change.kind:
            found[_sign("change", change.service, change.kind)] = (
                f"a {change.kind} of {change.service} came shortly before, as then"
            )
        if change.service and change.version:
            found[_sign("version", change.service, change.version)] = (
                f"{change.service} {change.version} was shipped shortly before, as then"
            )
    return found


def _cause(state: State) -> dict[str, str]:
    trigger = next((c.value for c in state.causes.values() if c.role == "trigger"), "")
    values = sorted({c.value for c in state.causes.values() if c.role == "cause" and c.value != "unknown"})
    services = guilty_services(state) or state.services[:1]
    if not values or not services:
        return {}
    words = "the same cause was named: " + ", ".join([*([trigger] if trigger else []), *values]).replace("_", " ")
    return {_sign("cause", trigger, "+".join(values), services[0]): words}


def _sign(kind: str, *parts: str) -> str:
    return f"{kind}:" + "|".join(" ".join(part.casefold().split())[:_PART] for part in parts)
