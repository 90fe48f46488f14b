"""Any command in the checkout: red when its exit status is not the expected one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from unrepeat.prevention import kind
from unrepeat.prevention.kind import Outcome, Target, TargetKind, Tools, broken
from unrepeat.prevention.runner.checkout import Command, Inside, about_here, argv, folder_in, place_in
from unrepeat.prevention.runner.ended import how, run_bounded, trouble
from unrepeat.support.problems import Problem

TITLE = "A command in the repository"
HELP = (
    "Runs a command in the checkout, without a shell. Green when it ends with the expected exit status, red with any other; "
    "a command that cannot be started, is late or prints without end is broken. Run by `unrepeat check`, never by the server."
)
SAFE = False
TARGETS: tuple[TargetKind, ...] = ("now", "ref", "version")
NOT_FOUND = (126, 127)  # how shells and `env` say that a command is not there or cannot be run


class Spec(kind.Spec):
    """What to run, where, for how long, and the exit status that is good."""

    command: Annotated[
        Command,
        Field(description="The words, or one line that is split as a shell would; {version} and {ref} stand in."),
    ]
    folder: Annotated[Inside, Field(description="Where to run it, inside the checkout.")] = "."
    seconds: Annotated[float, Field(gt=0, le=7200, description="The longest it may take.")] = 300
    expected: Annotated[int, Field(ge=0, le=255, description="The exit status that is green.")] = 0
    red: Annotated[
        tuple[Annotated[int, Field(ge=-64, le=255)], ...],
        Field(max_length=20, description="The statuses that are red (-9: signal 9); empty: all but the expected one."),
    ] = ()
    when_late: Annotated[
        Literal["broken", "red"], Field(description="What being late means; red where hanging is the failure itself.")
    ] = "broken"


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """Run the command to its end."""
    try:
        root = folder_in(target)
        folder, words = folder_in(target, spec.folder), argv(spec.command, target)
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    seconds = min(spec.seconds, tools.seconds)
    ended = run_bounded(words, seconds, folder)
    figures = {"seconds": round(ended.seconds, 3)}
    about = about_here(words)
    if bad := trouble(words[0], ended, seconds, late_is_red=spec.when_late == "red"):
        return Outcome(bad.colour, bad.said, bad.remedy, ended.output, figures, about)
    assert ended.status is not None
    if ended.status == spec.expected:
        return Outcome("green", f"It ended with status {ended.status}, as expected.", "", ended.output, figures, about)
    if ended.status in NOT_FOUND and ended.status not in spec.red:
        said = f"A command that {words[0]} calls was not found or cannot be run (status {ended.status})."
        return Outcome("broken", said, "Install it on the runner.", ended.output, figures, about)
    if spec.red and ended.status not in spec.red:
        said = f"It ended {how(ended.status)}, which is neither expected nor red."
        return Outcome("broken", said, "Its output says why it could not tell.", ended.output, figures, about)
    said = f"It ended {how(ended.status)}; status {spec.expected} was expected."
    remedy = "Its output says why; run it again with the command that the run names."
    return Outcome("red", said, remedy, ended.output, figures, about, place_in(ended.output, root, folder))
