"""What every source kind needs to take a body apart: JSON or form, texts, moments. Whatever is odd becomes `Unreadable`, never another error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from unrepeat.arrivals.records import Json, Unreadable

LONGEST = 20_000  # characters of any one text; what the tables hold of each is the store's concern

_DEEPEST = 200
_FORM_FIELDS = 1000
_HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
_BEFORE_TIMES = datetime(1970, 1, 2, tzinfo=UTC)  # senders write year 1 (or 0 seconds) for "not yet"
_MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138


def json_object(raw: bytes) -> Json:
    """The body as a JSON object."""
    found = json_value(raw)
    if not isinstance(found, dict):
        raise Unreadable(f"The body is JSON, but {_named(found)} where an object {{…}} is needed.")
    return found


def json_value(raw: bytes) -> Any:
    """The body as JSON; characters that no database takes are replaced."""
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if not raw.strip():
        raise Unreadable("The body is empty.")
    try:
        found = msgspec.json.decode(raw)
    except RecursionError as error:
        raise Unreadable("The body is JSON, but nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"The body is not UTF-8 text: there is a byte {error.object[error.start]:#04x} in it."
        ) from error
    except (msgspec.MsgspecError, ValueError) as error:
        found = _half_characters(raw, f"The body is not JSON: {error}.")
    return storable(found) if b"\\u0000" in raw else found


def _half_characters(raw: bytes, reason: str) -> Any:
    """A text cut in the middle of an emoji holds half a character, which strict decoders refuse; it is replaced."""
    if not _HALF_CHARACTER.search(raw):
        raise Unreadable(reason)
    try:
        return storable(json.loads(raw, parse_constant=_refuse))
    except (ValueError, RecursionError) as error:
        raise Unreadable(reason) from error


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def form(raw: bytes) -> dict[str, str]:
    """The body as form fields; of a field that comes twice, the last is taken."""
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS)
    except ValueError as error:
        raise Unreadable(f"The body is not a form: {error}.") from error
    return {name: value.replace("\0", "") for name, value in pairs}


def json_or_form(raw: bytes) -> Json:
    """A JSON object, or else form fields. The body decides, since curl calls everything a form unless told otherwise."""
    if raw.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"[", b'"', b""}:
        return json_object(raw)
    fields = form(raw)
    if not fields:
        raise Unreadable("The body is neither a JSON object nor form fields (name=value&…).")
    return dict(fields)


def storable(value: Any, depth: int = 0) -> Any:
    """The same value without NUL and half characters."""
    if depth > _DEEPEST:
        raise Unreadable("The body is JSON, but nested too deeply.")
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode(errors="replace").decode()
    if isinstance(value, list):
        return [storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {storable(name, depth + 1): storable(each, depth + 1) for name, each in value.items()}
    return value


def text(value: object, longest: int = LONGEST) -> str:
    """A text or number as text, cut to `longest` characters; "" for anything else."""
    if isinstance(value, str):
        return value if len(value) <= longest else value[: longest - 1] + "…"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value)[:longest]


def first(values: Mapping[str, Any], names: Iterable[str], longest: int = LONGEST) -> str:
    """The first of `names` that has a text, as that text; else ""."""
    for name in names:
        found = text(values.get(name), longest)
        if found:
            return found
    return ""


def texts(value: object) -> dict[str, str]:
    """A map of names to texts (labels, annotations); numbers and booleans are written out, what is neither is left out."""
    if not isinstance(value, dict):
        return {}
    shaped = {}
    for name, each in value.items():
        if isinstance(each, str):
            shaped[name] = each
        elif isinstance(each, bool):
            shaped[name] = "true" if each else "false"
        elif isinstance(each, int | float):
            shaped[name] = str(each)
    return shaped


def inside(value: object, *path: str) -> Json:
    """The object at the end of `path` inside `value`; {} when there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects(value: object) -> list[Json]:
    """Those members of a list that are objects."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def rest(values: Json, known: frozenset[str]) -> Json:
    """The fields that are not `known`: kept for later, and for people."""
    return {name: value for name, value in values.items() if name not in known}


def moment(value: object) -> datetime | None:
    """A time in UTC from ISO 8601 and its cousins, or from seconds or milliseconds since 1970; None for "not yet" and for odd values.

    Times without a zone are taken as UTC. Nanoseconds are cut to microseconds.
    """
    found = _written(value)
    return found if found is not None and found >= _BEFORE_TIMES else None


def moment_told(values: Mapping[str, Any], name: str) -> datetime | None:
    """The time in a field; None when it is left out or was never set (year 1). One that is there and cannot be read is `Unreadable`:
    it must not silently become another.
    """
    given = values.get(name)
    if given is None or given == "":
        return None
    found = _written(given)
    if found is None:
        raise Unreadable(f"The time “{name}” cannot be read: “{text(given, 60)}”. Write 2024-08-12T15:13:00Z.")
    return found if found >= _BEFORE_TIMES else None


def _written(value: object) -> datetime | None:
    try:
        if isinstance(value, str):
            return _from_text(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_number(value)
    except (ValueError, OverflowError):
        pass
    return None


def _from_text(value: str) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        value = value.strip()
        if re.fullmatch(r"\d{9,14}(\.\d{1,9})?", value):
            return _from_number(float(value))
        found = datetime.fromisoformat(value.removesuffix("UTC").rstrip())
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _from_number(value: float) -> datetime:
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)


def _named(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
