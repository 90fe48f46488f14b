"""The lab's command line: `python -m lab run` and `python -m lab smoke`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rich.console import Console

from lab.deploy import DeployFailed
from lab.live import Options, run
from lab.parts.part import MissingProgram
from lab.smoke import smoke
from lab.stage import NothingHappened
from lab.stories import DEFAULT, names, story
from lab.supervisor import PartFailed


def main() -> int:
    """The exit status: 0 all was as it has to be, 1 it was not, 2 the lab could not run, 130 interrupted."""
    options = _parse()
    console = Console(soft_wrap=True)
    try:
        if options.command == "smoke":
            return smoke(console)
        chosen = Options(not options.without_unrepeat, options.json, options.record, options.out, options.story)
        return run(chosen, console)
    except (MissingProgram, PartFailed, DeployFailed, NothingHappened) as problem:
        console.print(f"[bold red]The lab stopped:[/] {problem}")
        return 2
    except KeyboardInterrupt:
        console.print("Interrupted; everything that the lab had started is stopped.")
        return 130


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m lab", description="The shop of real parts, and its outage.")
    commands = parser.add_subparsers(dest="command", required=True)
    live = commands.add_parser(
        "run",
        help="one story, live; without --story the outage of 12 August 2024 and on to what stops it coming back, in about eight minutes",
    )
    told = "; ".join(f"{name}: {story(name).TITLE}" for name in names())
    live.add_argument("--story", choices=names(), default=DEFAULT, help=f"{told} (default: %(default)s)")
    live.add_argument("--json", type=Path, help="write all that was measured to this file")
    live.add_argument("--record", type=Path, help="write a recording into this folder (memory-leak only)")
    live.add_argument(
        "--out", type=Path, default=Path("out/lab"), help="where the draft is written (default: %(default)s)"
    )
    live.add_argument("--without-unrepeat", action="store_true", help="nobody is told; alerts are only written down")
    commands.add_parser("smoke", help="everything up, one deploy, everything down; under a minute")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
