"""Folds remembered between appends, so that a long log in a storm is not read anew for each batch. Only a shortcut.

A remembered fold is used for nothing but appending, under the incident's lock, and only while the entry it ends with is
still the one in the table; the entries after it are read and stepped through. A redaction among them makes it worthless.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from django.db import connection, transaction

from unrepeat.incidents.entries import EntryRedacted, Logged
from unrepeat.incidents.fold import copied, fold, step_all
from unrepeat.incidents.state import State

MANY = 64  # incidents
LONG = 100  # entries; a shorter log is read as fast as it is remembered

_folds: OrderedDict[int, tuple[str, State, Logged]] = OrderedDict()
_guard = threading.Lock()


def present(number: int, last_seq: int, log_of: Callable[[int, int], list[Logged]]) -> State:
    """The state of an incident whose log ends with `last_seq`. The caller holds its lock."""
    with _guard:
        found = _folds.get(number)
    if found is None or found[0] != _database() or found[1].last_seq > last_seq:
        return fold(log_of(number, 0))
    _, state, last = found
    tail = log_of(number, last.seq - 1)
    if not tail or tail[0] != last or any(isinstance(one.entry, EntryRedacted) for one in tail):
        return fold(log_of(number, 0))
    state = copied(state)
    step_all(state, tail[1:])
    return state


def on_commit(number: int, state: State, last: Logged) -> None:
    """Remember the fold of a log that ends with the entry `last`, once the present transaction has committed."""
    if state.last_seq < LONG:
        return
    database = _database()

    def remember() -> None:
        with _guard:
            _folds[number] = (database, state, last)
            _folds.move_to_end(number)
            while len(_folds) > MANY:
                _folds.popitem(last=False)

    transaction.on_commit(remember)


def _database() -> str:
    return f"{connection.vendor}:{connection.settings_dict['HOST']}:{connection.settings_dict['NAME']}"
