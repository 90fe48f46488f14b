"""Compares values of configuration files: numbers, also with units of time or size as files write them. Pure."""

from __future__ import annotations

import fnmatch
import re
from typing import Any, Literal, get_args

from unrepeat.support.problems import Invalid

Operation = Literal["equals", "not_equals", "at_least", "at_most", "present", "absent", "matches"]
OPERATIONS: tuple[str, ...] = get_args(Operation)
_WITH_UNIT = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-zµ%]*)\s*")
SECONDS = {
    "ms": 0.001,
    "s": 1,
    "sec": 1,
    "m": 60,
    "min": 60,
    "h": 3600,
    "d": 86400,
    "w": 604800,
    "M": 2592000,
    "y": 31536000,
}
BYTES = {
    "b": 1, "B": 1,
    "k": 2**10, "K": 2**10, "kB": 10**3, "KB": 10**3, "Ki": 2**10, "KiB": 2**10,
    "m": 2**20, "M": 2**20, "MB": 10**6, "Mi": 2**20, "MiB": 2**20,
    "g": 2**30, "G": 2**30, "GB": 10**9, "Gi": 2**30, "GiB": 2**30,
}  # fmt: skip


def holds(operation: Operation, value: Any, wanted: Any) -> bool:
    """Whether a value that is there is as it must be; Invalid when the two cannot be compared."""
    if operation in ("present", "absent"):
        return operation == "present"
    if operation == "matches":
        return not isinstance(value, dict | list) and fnmatch.fnmatchcase(_text(value), _text(wanted))
    if operation in ("equals", "not_equals"):
        return _same(value, wanted) == (operation == "equals")
    difference = _difference(value, wanted)
    return difference >= 0 if operation == "at_least" else difference <= 0


def _same(value: Any, wanted: Any) -> bool:
    """`true` and true, 5 and "5" are the same: which of them a file has depends on its format."""
    return value == wanted if type(value) is type(wanted) else _text(value) == _text(wanted)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "null" if value is None else str(value)


def _difference(value: Any, wanted: Any) -> float:
    (one, unit), (other, other_unit) = _number(value), _number(wanted)
    if unit == other_unit:
        return one - other
    for table in (SECONDS, BYTES):
        if unit in table and other_unit in table:
            return one * table[unit] - other * table[other_unit]
    raise Invalid(
        f"{_text(value)[:40]} and {_text(wanted)[:40]} cannot be compared.",
        "Their units are not of one kind.",
        "Write the guard's value with the unit that the file uses.",
    )


def _number(value: Any) -> tuple[float, str]:
    found = None if isinstance(value, bool) else _WITH_UNIT.fullmatch(_text(value))
    if found is None:
        raise Invalid(
            f"“{_text(value)[:40]}” is no number.",
            "at_least and at_most compare numbers, also with a unit.",
            "Use equals or matches, or mend the path.",
        )
    return float(found[1]), found[2]
