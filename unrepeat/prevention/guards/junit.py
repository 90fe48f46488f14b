"""The result file of any test runner (JUnit XML): red when a test fails."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse
from pydantic import Field

from unrepeat.prevention import kind
from unrepeat.prevention.kind import Outcome, Place, Target, TargetKind, Tools, broken
from unrepeat.prevention.runner.checkout import Command, Inside, about_here, argv, folder_in, place_in
from unrepeat.prevention.runner.ended import how, run_bounded, trouble
from unrepeat.prevention.running import processes
from unrepeat.support.problems import Invalid, Problem

TITLE = "The results of tests"
HELP = (
    "Reads the JUnit XML that nearly every test runner can write, after running the tests if a command is given. Red when one of "
    "the named tests (or any test) fails; a result file that is missing, old, or lacks a named test is broken. Run by `unrepeat check`."
)
SAFE = False
TARGETS: tuple[TargetKind, ...] = ("now", "ref", "version")
MOST_FILES = 1000
MOST_BYTES = 64 * 1024 * 1024  # of all result files together
SHOWN = 5  # failing tests that are named

Verdict = Literal["passed", "failed", "erred", "skipped"]


class Spec(kind.Spec):
    """Which results to read, which tests count, and what writes them."""

    results: Annotated[Inside, Field(description="The result files, as a pattern inside the checkout: reports/*.xml.")]
    tests: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=500)], ...],
        Field(max_length=200, description="Tests by name, class.name or pattern; empty: all."),
    ] = ()
    errors: Annotated[
        Literal["broken", "red"],
        Field(
            description="What a test means that did not fail but could not run (<error>); red where a runner tells exceptions so."
        ),
    ] = "broken"
    command: Annotated[Command | None, Field(description="What runs the tests; empty: they have run before.")] = None
    folder: Annotated[Inside, Field(description="Where to run it, inside the checkout.")] = "."
    seconds: Annotated[float, Field(gt=0, le=7200, description="The longest the tests may take.")] = 900


@dataclass(frozen=True, slots=True)
class Case:
    """One test and how it ended."""

    name: str
    group: str
    verdict: Verdict
    said: str = ""
    file: str = ""
    line: int = 1

    @property
    def full(self) -> str:
        """Its name with its class or file."""
        return f"{self.group}.{self.name}" if self.group else self.name

    def is_called(self, pattern: str) -> bool:
        """Whether somebody who names a test like this means it: exactly, or by a pattern with * and ?."""
        names = (self.name, self.full, f"{self.group}::{self.name}", f"{self.file}::{self.name}")
        return pattern in names or any(fnmatch.fnmatchcase(name, pattern) for name in names)


def run(spec: Spec, target: Target, tools: Tools) -> Outcome:
    """Run the tests if there is a command, and read their results."""
    try:
        root = folder_in(target)
        folder = folder_in(target, spec.folder)
        words = argv(spec.command, target) if spec.command is not None else []
    except Problem as problem:
        return broken(f"{problem.what} {problem.why}", problem.remedy)
    before = _stamps(root, spec.results) if words else {}
    ended = None
    if words:
        seconds = min(spec.seconds, tools.seconds)
        ended = run_bounded(words, seconds, folder)
        if bad := trouble(words[0], ended, seconds):
            return Outcome(bad.colour, bad.said, bad.remedy, ended.output, environment=about_here(words))
    try:
        files = _files(root, spec.results, before, ran=bool(words))
        cases = [case for file in files for case in read(file)]
        if spec.errors == "red":
            cases = [replace(case, verdict="failed") if case.verdict == "erred" else case for case in cases]
    except Problem as problem:
        output = ended.output if ended else ""
        return Outcome("broken", f"{problem.what} {problem.why}", problem.remedy, output, environment=about_here(words))
    try:
        judged = judge(spec.tests, cases, status=ended.status if ended else None)
    except Problem as problem:
        judged = broken(f"{problem.what} {problem.why}", problem.remedy)
    return _whole(judged, cases, root, folder, ended, words)


def _whole(
    judged: Outcome, cases: list[Case], root: Path, folder: Path, ended: processes.Finished | None, words: list[str]
) -> Outcome:
    """The outcome with its output, figures, and the place of the first failure."""
    failed = [case for case in cases if case.verdict in ("failed", "erred")]
    place = next((found for case in failed if (found := _place(case, root, folder))), None)
    told = "\n".join(f"{case.full}\n{case.said}" for case in failed)
    output = f"{told}\n\n{ended.output}" if ended and not told else told or (ended.output if ended else "")
    figures = {
        name: float(sum(case.verdict == name for case in cases)) for name in ("passed", "failed", "erred", "skipped")
    }
    return Outcome(
        judged.colour,
        judged.said,
        judged.remedy,
        output[-kind.OUTPUT :],
        figures | ({"seconds": round(ended.seconds, 3)} if ended else {}),
        about_here(words),
        place if judged.colour == "red" else None,
    )


def judge(wanted: Iterable[str], cases: list[Case], *, status: int | None = None) -> Outcome:
    """What the tests say. Invalid when they say nothing: none is there, a named one is missing, or was skipped."""
    if not cases:
        raise Invalid("The result files hold no test.", "No test has run.", "See that the test runner finds its tests.")
    chosen: list[Case] = []
    for pattern in wanted:
        called = [case for case in cases if case.is_called(pattern)]
        if not called:
            raise Invalid(
                f"The test {pattern} is not among the {len(cases)} results.",
                "It was renamed, was not run, or could not be loaded.",
                "Name the test as the result file does, or see why it did not run.",
            )
        chosen += called
    named, chosen = bool(chosen), chosen or cases
    failed = [case for case in chosen if case.verdict == "failed"]
    if failed:
        names = ", ".join(case.full for case in failed[:SHOWN]) + (" …" if len(failed) > SHOWN else "")
        return Outcome("red", f"{len(failed)} of {len(chosen)} tests failed: {names}.", "Its message is in the output.")
    erred = [case for case in chosen if case.verdict == "erred"]
    if erred:
        raise Invalid(
            f"{erred[0].full} could not run: its result is an error, not a failure.",
            "What it needs is missing or stumbled, so it says nothing about the past failure.",
            'Mend the test; or set errors = "red" if your test runner tells exceptions so.',
        )
    skipped = [case for case in chosen if case.verdict == "skipped"]
    if (named and skipped) or len(skipped) == len(chosen):
        raise Invalid(
            f"{skipped[0].full} was skipped.", "A test that does not run says nothing.", "Let it run on this runner."
        )
    if status and not named and not any(case.verdict in ("failed", "erred") for case in cases):
        raise Invalid(
            f"The command ended {how(status)}, though no test failed.",
            "Something else than a test went wrong.",
            "Its output says what.",
        )
    return Outcome("green", f"{len(chosen)} of {len(chosen)} tests passed." if not skipped else _some(chosen, skipped))


def _some(chosen: list[Case], skipped: list[Case]) -> str:
    return f"{len(chosen) - len(skipped)} of {len(chosen)} tests passed, {len(skipped)} were skipped."


def read(file: Path) -> list[Case]:
    """The tests of a result file; Invalid when it is not JUnit XML. Entities and document types are refused."""
    cases: list[Case] = []
    root_seen = False
    try:
        for event, element in iterparse(file, events=("start", "end"), forbid_dtd=True):
            tag = element.tag.rpartition("}")[2]
            if event == "start":
                root_seen = root_seen or tag in ("testsuites", "testsuite")
            elif tag == "testcase":
                cases.append(_case(element))
                element.clear()
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError, OSError) as error:
        raise Invalid(
            f"{file.name} cannot be read as test results.",
            f"{type(error).__name__}: {str(error)[:200]}.",
            "Let the test runner write JUnit XML, to its end.",
        ) from error
    if not root_seen:
        raise Invalid(f"{file.name} holds no test results.", "It is XML of another kind.", "Mend the pattern.")
    return cases


def _case(element: Any) -> Case:
    verdict: Verdict = "passed"
    said = ""
    for child in element:
        tag = child.tag.rpartition("}")[2]
        if tag in ("failure", "error"):
            verdict = "failed" if tag == "failure" or verdict == "failed" else "erred"
            said = said or "\n".join(part for part in (child.get("message", ""), child.text or "") if part)
        elif tag in ("skipped", "disabled") and verdict == "passed":
            verdict = "skipped"
    line = element.get("line", "")
    return Case(
        element.get("name", "")[:500],
        element.get("classname", "")[:500],
        verdict,
        said[: 16 * 1024],
        element.get("file", "")[:500],
        int(line) if line.isdecimal() and len(line) < 9 else 1,
    )


def _place(case: Case, root: Path, folder: Path) -> Place | None:
    """Where a failing test says that it failed, or else where it is written."""
    return place_in(case.said, root, folder) or (
        place_in(f"{case.file}:{max(1, case.line)}", root, folder) if case.file else None
    )


def _stamps(root: Path, pattern: str) -> dict[Path, tuple[int, int, int]]:
    """When and how large the result files are, so that old ones are told from new ones."""
    found = {}
    for file in sorted(root.glob(pattern))[:MOST_FILES]:
        about = file.stat()
        found[file] = (about.st_mtime_ns, about.st_size, about.st_ino)
    return found


def _files(root: Path, pattern: str, before: Mapping[Path, object], *, ran: bool) -> list[Path]:
    """The result files to read; Invalid when there are none, or only old ones."""
    stamps = _stamps(root, pattern)
    fresh = [file for file, stamp in stamps.items() if before.get(file) != stamp]
    inside = [file for file in fresh if file.is_file() and file.resolve().is_relative_to(root)]
    if not inside:
        why = "The tests did not write them anew." if stamps and ran else "The tests did not write any."
        raise Invalid(f"There is no result file {pattern}.", why, "Mend the pattern, or let the tests write JUnit XML.")
    if sum(file.stat().st_size for file in inside) > MOST_BYTES:
        raise Invalid("The result files are too large.", f"They have more than {MOST_BYTES} bytes.", "Name fewer.")
    return inside
