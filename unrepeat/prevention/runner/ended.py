"""How commands are run in a checkout, and what is said of one that did not come to its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from unrepeat.prevention.kind import Outcome, broken
from unrepeat.prevention.runner.checkout import environment
from unrepeat.prevention.running import processes

MOST_OUTPUT = 64 * 1024 * 1024  # bytes


def run_bounded(words: Sequence[str], seconds: float, folder: Path) -> processes.Finished:
    """Run a command; neither it nor what it has started is left behind."""
    with environment() as around:
        return processes.run(words, seconds=seconds, folder=folder, environment=around, most_output=MOST_OUTPUT)


def how(status: int) -> str:
    """How a process ended, in words."""
    return f"with status {status}" if status >= 0 else f"by signal {-status}"


def trouble(name: str, ended: processes.Finished, seconds: float, *, late_is_red: bool = False) -> Outcome | None:
    """The outcome of a command that did not come to its end; None when it did."""
    if ended.status is None:
        return broken(
            f"{name} could not be started: {ended.why}.", "Install it on the runner, or mend the guard's command."
        )
    if ended.timed_out:
        said = f"It had not ended after {seconds:g} s, and was ended."
        if late_is_red:
            return Outcome("red", said, "Look where it hangs; its output is kept.")
        return broken(said, "Give it more `seconds`, or look where it hangs; its output is kept.")
    if ended.printed > MOST_OUTPUT:
        return broken(
            f"It printed more than {MOST_OUTPUT // 2**20} MiB and was ended.",
            "Let it say less, or write to a file; the end of what it printed is kept.",
        )
    return None
