"""The acts as forms: made from the acts' own fields, so that a new act has a form as soon as it exists.

Times in forms are told in the incident's zone. Names and limits are checked by the acts' own rules when they are done.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from django.http import QueryDict

from unrepeat.incidents.acts import ACTS, Act
from unrepeat.incidents.state import State
from unrepeat.support import words
from unrepeat.support.problems import Invalid, NotFound
from unrepeat.web.pages.telling import change_name

LABELS = {
    "acknowledge": "Acknowledge",
    "note": "Write a note",
    "raise_suspect": "Name a suspect",
    "clear_suspect": "Clear a suspect",
    "convict_suspect": "Find guilty",
    "hand_role": "Hand over a role",
    "escalate": "Escalate",
    "set_severity": "Judge severity",
    "retitle": "Better headline",
    "correct_start": "Correct the start",
    "mitigate": "Harm has stopped",
    "resolve": "Resolve",
    "reopen": "Reopen",
    "merge": "Merge",
    "split": "Split",
    "propose_measure": "Propose a measure",
    "amend_measure": "Amend a measure",
    "drop_measure": "Drop a measure",
}
FIRST = ("escalate", "raise_suspect", "mitigate", "resolve")
"""Acts that stand beside the primary button while the incident goes on; the rest stand behind “More”."""
ASK = {
    ("note", "text"): ("What do you see, think, or did you do?", "long"),
    ("raise_suspect", "suspect"): ("Which one", "names"),
    ("clear_suspect", "suspect"): ("Which one", "suspects"),
    ("convict_suspect", "suspect"): ("Which one", "suspects"),
    ("escalate", "team"): ("Which team", "teams"),
    ("hand_role", "to"): ("To whom", "people"),
    ("retitle", "title"): ("A headline that a manager understands", "line"),
    ("correct_start", "started_at"): ("When it really began", "moment"),
    ("mitigate", "how"): ("How was the harm stopped?", "long"),
    ("mitigate", "change"): ("Which change stopped it", "changes"),
    ("resolve", "how"): ("How do you know that all is well?", "long"),
    ("reopen", "reason"): ("What shows that it was not over?", "long"),
    ("merge", "into"): ("Number of the incident in which it goes on", "number"),
    ("split", "alerts"): ("Which alerts are another outage", "alerts"),
    ("split", "title"): ("Headline of the new incident", "line"),
}
"""The question and the widget of fields where their name and type do not say enough."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `widget`: line, long, number, moment, day, choice, many; `choices`: value and words."""

    name: str
    label: str
    widget: str
    required: bool
    value: str = ""
    values: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """The form of one act. `key` makes that sending it twice does it once."""

    name: str
    label: str
    help: str
    fields: tuple[Field, ...]
    key: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    open: bool = False
    at: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """Names that forms offer: teams, people, services."""

    teams: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


def act_class(name: str) -> type[Act]:
    """The act by its name; NotFound."""
    try:
        return ACTS[name]
    except KeyError as error:
        raise NotFound(f"There is no act “{name}”.", remedy=f"There are: {', '.join(ACTS)}.") from error


def possible(name: str, state: State) -> bool:
    """Whether offering this act makes sense in this state. What is really allowed is decided when it is done."""
    if state.status == "merged":
        return False
    return {
        "acknowledge": state.status in ("detected", "reopened"),
        "mitigate": state.is_open and state.status != "mitigated",
        "resolve": state.is_open,
        "escalate": state.is_open,
        "reopen": state.status == "resolved",
        "split": len(state.alerts) > 1,
        "clear_suspect": bool(state.suspects),
        "convict_suspect": bool(state.suspects),
        "amend_measure": bool(state.measures),
        "drop_measure": bool(state.measures),
    }.get(name, True)


def primary_of(state: State) -> str:
    """The one act that most likely comes next; empty when there is none."""
    return {
        "detected": "acknowledge",
        "reopened": "acknowledge",
        "acknowledged": "mitigate",
        "mitigated": "resolve",
    }.get(state.status, "")


def form_of(name: str, state: State, around: Around, given: QueryDict | None = None) -> Form:
    """The form of an act, filled with what was `given` when it could not be taken."""
    act = act_class(name)
    hints = get_type_hints(act)
    made = tuple(
        _field(
            act,
            name=one.name,
            hint=hints[one.name],
            required=one.default is MISSING,
            state=state,
            around=around,
            given=given,
        )
        for one in fields(cast("Any", act))
    )
    return Form(
        name,
        LABELS.get(name, name.replace("_", " ").capitalize()),
        _help(act),
        made,
        open=given is not None,
        at=given.get("at", "") if given else "",
    )


def _help(act: type[Act]) -> str:
    """What the act means, as its docstring says it to people: without what only programs need."""
    said = " ".join((act.__doc__ or "").split()).split("; `")[0]
    return said.rstrip(".") + "."


def read_act(name: str, given: QueryDict, zone: str) -> tuple[Act, datetime | None]:
    """The act that a sent form says, and when it happened (None: now); Invalid names the field."""
    act = act_class(name)
    hints = get_type_hints(act)
    values: dict[str, Any] = {}
    for one in fields(cast("Any", act)):
        values[one.name] = _read(one.name, hints[one.name], given, zone)
    at = given.get("at", "").strip()
    return act(**values), _moment("at", at, zone) if at else None


def _field(
    act: type[Act], *, name: str, hint: Any, required: bool, state: State, around: Around, given: QueryDict | None
) -> Field:
    label, widget = ASK.get((act.name, name), (name.replace("_", " ").capitalize(), ""))
    choices, hints = _offered(name, hint, widget, state, around)
    if choices and not required and widget != "alerts" and get_origin(hint) is not tuple:
        choices = (("", "–"), *choices)
    many = get_origin(hint) is tuple
    return Field(
        name,
        label,
        _widget(hint, widget, many, bool(choices)),
        required,
        value=given.get(name, "") if given else "",
        values=tuple(given.getlist(name)) if given and many else (),
        choices=choices,
        hints=hints,
    )


def _widget(hint: Any, said: str, many: bool, chosen: bool) -> str:
    if many:
        return "many"
    if chosen:
        return "choice"
    if said in ("long", "line", "number", "moment"):
        return said
    if datetime in _kinds(hint):
        return "moment"
    if date in _kinds(hint):
        return "day"
    return "number" if int in _kinds(hint) else "line"


def _offered(
    name: str, hint: Any, widget: str, state: State, around: Around
) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """What a field offers: closed choices, and open suggestions."""
    if get_origin(hint) is Literal:
        return tuple((word, word) for word in get_args(hint)), ()
    if widget == "changes":
        return tuple(
            (str(c.change), change_name(c.service, c.version, c.summary, c.change)) for c in state.changes.values()
        ), ()
    if widget == "alerts":
        return tuple((str(a.alert), f"{a.name} {a.service}".strip()) for a in state.alerts.values()), ()
    if name == "evidence":
        return tuple((found.digest, f"{found.title} {found.service}".strip()) for found in state.evidence.values()), ()
    if name == "measure":
        return tuple(
            (str(m.number), f"{m.number}. {m.text[:70]}") for m in state.measures.values() if not m.dropped
        ), ()
    suspects = tuple(suspect.name for suspect in state.suspects.values())
    changes = tuple(change_name(c.service, c.version, c.summary, c.change) for c in state.changes.values())
    hints = {
        "suspects": suspects,
        "names": tuple(dict.fromkeys((*changes, *around.services))),
        "teams": around.teams,
        "people": around.people,
    }.get(widget, around.people if name == "owner" else ())
    return (), hints


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) or (hint,)


def _read(name: str, hint: Any, given: Mapping[str, Any], zone: str) -> Any:
    """One field's value of its type; empty becomes None where None is allowed."""
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_read_one(name, inner, value, zone) for value in cast("QueryDict", given).getlist(name) if value)
    return _read_one(name, hint, str(given.get(name, "")).strip(), zone)


def _read_one(name: str, hint: Any, text: str, zone: str) -> Any:
    kinds = _kinds(hint)
    if not text and type(None) in kinds:
        return None
    if datetime in kinds:
        return _moment(name, text, zone)
    if date in kinds:
        return _day(name, text)
    if int in kinds:
        return _number(name, text)
    return text.replace("\r\n", "\n")


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"“{text[:40]}” is no number.", f"The field “{name}” needs one.", "Give a whole number.")
    return int(text)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            f"“{text[:40]}” is no day.", f"The field “{name}” needs one.", "Give it as 2024-08-19."
        ) from error


def _moment(name: str, text: str, zone: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            f"“{text[:40]}” is no moment.", f"The field “{name}” needs one.", f"Give it as 2024-08-12T15:15, in {zone}."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


def local_moment(at: datetime, zone: str) -> str:
    """A moment as the browser's date-and-time field takes it, in a zone."""
    return f"{words.in_zone(at, zone):%Y-%m-%dT%H:%M}"
