"""Finds the kinds in a folder: one module a kind, nothing to register."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType


@cache
def kinds(package: str) -> dict[str, ModuleType]:
    """All kinds below `package` (a dotted name), by module name; names that begin with an underscore are helpers, not kinds."""
    return {name: importlib.import_module(f"{package}.{name}") for name in names(package)}


def names(package: str) -> list[str]:
    """The names of all kinds below `package`, none of them imported."""
    home = importlib.import_module(package)
    return sorted(found.name for found in pkgutil.iter_modules(home.__path__) if not found.name.startswith("_"))
