"""The command line, one file a command group: each has an `app`, found by scan. Names that begin with `_` are helpers."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cyclopts import App


def build(first: str = "") -> App:
    """The whole command line; where `first` is the name of a group, that group alone, since the others take time to import."""
    import unrepeat
    from unrepeat.support.kinds import names

    root = App(name="unrepeat", help=unrepeat.__doc__, version=unrepeat.__version__)
    groups = {name.replace("_", "-"): name for name in names("unrepeat.terminal")}
    for name in [groups[first]] if first in groups else groups.values():
        root.command(import_module(f"unrepeat.terminal.{name}").app)
    return root


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line. A problem is shown as its three sentences, with exit status 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")
    from unrepeat.support.problems import Problem

    first = next(iter(sys.argv[1:] if tokens is None else tokens), "")
    if first in {"check", "guard"}:
        _leave_no_data_on_a_runner()
    try:
        _run(first, tokens)
        sys.stdout.flush()
    except Problem as problem:
        for sentence in (problem.what, problem.why, problem.remedy):
            print(sentence, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # who read what we print has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


def _leave_no_data_on_a_runner() -> None:
    """A runner has a checkout and perhaps a server, and no database: it must not be given one, nor a key, in its checkout."""
    named = {"UNREPEAT_DATABASE_URL", "DATABASE_URL", "UNREPEAT_DATA_DIR"} & os.environ.keys()
    if os.environ.get("UNREPEAT_URL") or not (named or Path("data/unrepeat.db").exists()):
        os.environ["UNREPEAT_DATABASE_URL"] = "sqlite://:memory:"
        os.environ.setdefault("UNREPEAT_SECRET_KEY", secrets.token_urlsafe(32))


def _run(first: str, tokens: Sequence[str] | None) -> None:
    import django

    from unrepeat.support.log import configure

    configure()
    django.setup()
    from django.db import OperationalError, ProgrammingError

    try:
        build(first)(tokens)
    except (OperationalError, ProgrammingError) as error:
        raise _about_the_database(str(error)) from error


def _about_the_database(error: str) -> Exception:
    from unrepeat.support.problems import Problem

    if "no such table" in error or "does not exist" in error or "no such column" in error:
        return Problem(
            "The database has no tables of this version yet.",
            f"It answered: {error.strip()}",
            "Type `unrepeat migrate`, or check that DATABASE_URL names the database that you mean.",
        )
    return Problem(
        "The database does not answer.",
        f"It said: {error.strip()}",
        "Check DATABASE_URL, and that the database runs and lets this user in.",
    )
