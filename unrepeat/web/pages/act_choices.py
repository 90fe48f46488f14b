"""What the fields of acts offer in an incident's state: closed choices, choices in groups, and open suggestions. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from unrepeat.incidents import causes
from unrepeat.incidents.state import Measure, State
from unrepeat.web.pages.act_words import EFFECTS
from unrepeat.web.pages.told import cause_word, change_name

Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Around:
    """Names that forms offer: teams, people, services."""

    teams: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offered:
    """What a field offers."""

    choices: Choices = ()
    groups: tuple[tuple[str, Choices], ...] = ()
    hints: tuple[str, ...] = ()


def offered(act: str, name: str, hint: Any, widget: str, state: State, around: Around) -> Offered:
    """What the field `name` of an act offers."""
    if get_origin(hint) is Literal:
        words = EFFECTS if name == "effect" else {}
        return Offered(tuple((word, words.get(word, word)) for word in get_args(hint) if word))
    if widget == "causes":
        return Offered(groups=words_for_causes())
    closed = _CLOSED.get(widget) or _CLOSED.get(name)
    if closed is not None:
        return Offered(closed(state, act))
    suspects = tuple(suspect.name for suspect in state.suspects.values())
    shipped = tuple(change_name(c.service, c.version, c.summary, c.change) for c in state.changes.values())
    hints = {
        "suspects": suspects,
        "names": tuple(dict.fromkeys((*shipped, *around.services))),
        "teams": around.teams,
        "people": around.people,
    }.get(widget, (*around.people, *around.teams) if name == "owner" else ())
    return Offered(hints=hints)


def words_for_causes() -> tuple[tuple[str, Choices], ...]:
    """The words for causes, a group for each role."""
    return tuple((title, tuple(causes.WORDS[role].items())) for role, title in causes.ROLES.items())


def _changes(state: State, _: str) -> Choices:
    return tuple(
        (str(c.change), change_name(c.service, c.version, c.summary, c.change)) for c in state.changes.values()
    )


def _alerts(state: State, _: str) -> Choices:
    return tuple((str(a.alert), f"{a.name} {a.service}".strip()) for a in state.alerts.values())


def _evidence(state: State, _: str) -> Choices:
    return tuple((found.digest, f"{found.title} {found.service}".strip()) for found in state.evidence.values())


def _measures(state: State, act: str) -> Choices:
    return tuple((str(m.number), f"{m.number}. {m.text[:70]}") for m in measures_for(act, state))


def _causes(state: State, act: str) -> Choices:
    return tuple(
        (str(c.number), f"{causes.ROLES[c.role]}: {c.text[:60] or cause_word(c.role, c.value)}")
        for c in state.causes.values()
        if act != "accept_risk" or not c.accepted
    )


def _repeats(state: State, act: str) -> Choices:
    said = {"confirm_repeat": "confirmed", "reject_repeat": "rejected"}.get(act)
    return tuple(
        (str(r.postmortem), f"PM-{r.postmortem} {r.headline[:60]}".strip())
        for r in state.repeats.values()
        if r.standing != said
    )


_CLOSED: dict[str, Callable[[State, str], Choices]] = {
    "changes": _changes,
    "alerts": _alerts,
    "evidence": _evidence,
    "measure": _measures,
    "cause": _causes,
    "answers": _causes,
    "postmortem": _repeats,
}


def measures_for(act: str, state: State) -> list[Measure]:
    """The measures with which an act can be done."""
    fits: Callable[[Measure], bool] = {
        "finish_measure": lambda m: m.done_at is None,
        "reopen_measure": lambda m: m.done_at is not None,
        "close_regression": lambda m: m.failed_at is not None,
    }.get(act, lambda _: True)
    return [m for m in state.measures.values() if not m.dropped and fits(m)]


def possible(name: str, state: State) -> bool:
    """Whether offering this act makes sense in this state. What is really allowed is decided when it is done."""
    if state.status == "merged":
        return False
    if (name.endswith("_measure") and name != "propose_measure") or name == "close_regression":
        return bool(measures_for(name, state))
    return {
        "acknowledge": state.status in ("detected", "reopened"),
        "mitigate": state.is_open and state.status != "mitigated",
        "resolve": state.is_open,
        "escalate": state.is_open,
        "reopen": state.status == "resolved",
        "split": len(state.alerts) > 1,
        "clear_suspect": bool(state.suspects),
        "convict_suspect": bool(state.suspects),
        "withdraw_cause": bool(state.causes),
        "accept_risk": bool(_causes(state, name)),
        "confirm_repeat": bool(_repeats(state, name)),
        "reject_repeat": bool(_repeats(state, name)),
    }.get(name, True)
