"""The command line, one file a command group: each has an `app`, found by scan. Names that begin with `_` are helpers."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import App


def build() -> App:
    """The whole command line."""
    import unrepeat
    from unrepeat.support.kinds import kinds

    root = App(name="unrepeat", help=unrepeat.__doc__, version=unrepeat.__version__)
    for module in kinds("unrepeat.terminal").values():
        root.command(module.app)
    return root


def main(tokens: Sequence[str] | None = None) -> None:
    """Run the command line. A problem is shown as its three sentences, with exit status 1."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "unrepeat.settings")
    import django

    from unrepeat.support.log import configure
    from unrepeat.support.problems import Problem

    configure()
    django.setup()
    try:
        build()(tokens)
    except Problem as problem:
        for sentence in (problem.what, problem.why, problem.remedy):
            print(sentence, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
