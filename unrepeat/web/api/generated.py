"""Shapes made from the dataclasses of the incidents room: a body for each act, an object for each kind of entry.

So a new act or entry kind is in the API and its OpenAPI file as soon as it exists, with its docstring.
"""

from __future__ import annotations

import dataclasses
import types
from datetime import date, datetime
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from ninja import Schema
from pydantic import Field, create_model

from unrepeat.incidents.acts import Act
from unrepeat.incidents.entries import KINDS, Entry, Logged
from unrepeat.web.api.fields import Day, Moment, Name, Number, Shape, Text

_LIMITED: dict[Any, Any] = {str: Text, int: Number, datetime: Moment, date: Day}
_LISTED: dict[Any, tuple[Any, int]] = {str: (Name, 50), int: (Number, 500)}  # in a list: each one, and how many


def body_of(act: type[Act]) -> type[Shape]:
    """The request body of an act: its fields with our limits, and `at`."""
    at = Field(None, description="When it happened, if not now; the log also keeps when it was said.")
    fields = _fields(act, _limited) | {"at": (Moment | None, at)}
    return cast("type[Shape]", create_model(act.__name__, __base__=Shape, __doc__=act.__doc__, **fields))


def act_of(act: type[Act], body: Shape) -> Act:
    """The act that a body says."""
    values = {field.name: getattr(body, field.name) for field in dataclasses.fields(cast("Any", act))}
    return act(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def _entry_shape(kind: type[Entry]) -> type[Schema]:
    said: Any = Literal[kind.kind]
    fields = {"kind": (said, ...)} | _fields(kind, lambda hint: hint)
    return cast("type[Schema]", create_model(kind.__name__, __base__=Schema, __doc__=kind.__doc__, **fields))


def _fields(owner: type[Any], changed: Any) -> dict[str, Any]:
    hints = get_type_hints(owner)
    return {field.name: (changed(hints[field.name]), _default(field)) for field in dataclasses.fields(owner)}


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return Field(default_factory=field.default_factory)
    return ... if field.default is dataclasses.MISSING else field.default


def _limited(hint: Any) -> Any:
    """The same type with our limits on texts, numbers, times and lists."""
    origin = get_origin(hint)
    if origin is tuple:
        inner, most = _LISTED[get_args(hint)[0]]
        return Annotated[list[inner], Field(max_length=most)]  # type: ignore[valid-type]
    if origin in (Union, types.UnionType):
        return Union[tuple(_limited(one) for one in get_args(hint))]  # noqa: UP007 (made at run time)
    return _LIMITED.get(hint, hint)


_ENTRY_SHAPES = tuple(_entry_shape(kind) for kind in KINDS.values())
AnyEntry = Annotated[Union[_ENTRY_SHAPES], Field(discriminator="kind")]  # type: ignore[valid-type]  # noqa: UP007


class LoggedShape(Schema):
    """An entry in its log: `at` is when it happened, `recorded_at` when we learned it, `by` a person, a source or `unrepeat`."""

    seq: int
    at: datetime
    recorded_at: datetime
    by: str
    entry: AnyEntry


def logged_plain(logged: Logged) -> dict[str, Any]:
    """A logged entry as JSON has it; the stream sends the same."""
    entry = logged.entry
    fields = {field.name: getattr(entry, field.name) for field in dataclasses.fields(entry)}
    return {
        "seq": logged.seq,
        "at": logged.at,
        "recorded_at": logged.recorded_at,
        "by": logged.by,
        "entry": {"kind": entry.kind, **fields},
    }
