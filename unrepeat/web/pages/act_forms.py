"""The acts as forms: made from the acts' own fields, so that a new act has a form as soon as it exists.

Times in forms are told in the incident's zone. Names and limits are checked by the acts' own rules when they are done.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import date, datetime
from functools import cache
from typing import Any, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from django.http import QueryDict

from unrepeat.incidents import causes
from unrepeat.incidents.acts import ACTS, Act
from unrepeat.incidents.state import State
from unrepeat.support import words
from unrepeat.support.problems import Invalid, NotFound
from unrepeat.web.pages.act_choices import Around, Choices, offered, possible
from unrepeat.web.pages.act_words import ASK, FIRST, LABELS

__all__ = [
    "FIRST",
    "Around",
    "Field",
    "Form",
    "act_class",
    "form_of",
    "local_moment",
    "possible",
    "primary_of",
    "read_act",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form. `widget`: line, long, number, moment, day, choice, many; `choices`: value and words."""

    name: str
    label: str
    widget: str
    required: bool
    value: str = ""
    values: tuple[str, ...] = ()
    choices: Choices = ()
    groups: tuple[tuple[str, Choices], ...] = ()
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


def _role_of_word(given: Mapping[str, Any]) -> str:
    """The role of a cause by its word: the three lists share none."""
    value = str(given.get("value", ""))
    return next((role for role, known in causes.WORDS.items() if value in known), "cause")


FOLLOWS: dict[tuple[str, str], Callable[[Mapping[str, Any]], str]] = {("name_cause", "role"): _role_of_word}
"""Fields that no form asks for, since they follow from another one."""


def act_class(name: str) -> type[Act]:
    """The act by its name; NotFound."""
    try:
        return ACTS[name]
    except KeyError as error:
        raise NotFound(f"There is no act “{name}”.", remedy=f"There are: {', '.join(ACTS)}.") from error


def primary_of(state: State) -> str:
    """The one act that most likely comes next; empty when there is none."""
    return {
        "detected": "acknowledge",
        "reopened": "acknowledge",
        "acknowledged": "mitigate",
        "mitigated": "resolve",
    }.get(state.status, "")


@cache
def _hints(name: str) -> dict[str, Any]:
    """The types of an act's fields: they are read out of source text, for fifteen forms on a page."""
    return get_type_hints(act_class(name))


def form_of(
    name: str, state: State, around: Around, given: QueryDict | None = None, *, begin: QueryDict | None = None
) -> Form:
    """The form of an act, filled with what was `given` when it could not be taken, or with what it shall `begin` with."""
    act = act_class(name)
    hints = _hints(name)
    made = tuple(
        _field(
            act,
            name=one.name,
            hint=hints[one.name],
            required=one.default is MISSING,
            state=state,
            around=around,
            given=given or begin,
        )
        for one in fields(cast("Any", act))
        if (name, one.name) not in FOLLOWS
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
    hints = _hints(name)
    values: dict[str, Any] = {}
    for one in fields(cast("Any", act)):
        values[one.name] = _read(one.name, hints[one.name], given, zone)
        if not values[one.name] and (name, one.name) in FOLLOWS:
            values[one.name] = FOLLOWS[name, one.name](given)
    at = given.get("at", "").strip()
    return act(**values), _moment("at", at, zone) if at else None


def _field(
    act: type[Act], *, name: str, hint: Any, required: bool, state: State, around: Around, given: QueryDict | None
) -> Field:
    label, widget = ASK.get((act.name, name), (name.replace("_", " ").capitalize(), ""))
    offers = offered(act.name, name, hint, widget, state, around)
    many = get_origin(hint) is tuple
    choices = offers.choices
    if choices and not required and widget != "alerts" and not many:
        choices = (("", "–"), *choices)
    return Field(
        name,
        label,
        _widget(hint, widget, many, bool(choices or offers.groups)),
        required,
        value=given.get(name, "") if given else "",
        values=tuple(given.getlist(name)) if given and many else (),
        choices=choices,
        groups=offers.groups,
        hints=offers.hints,
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
